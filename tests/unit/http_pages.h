/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The pages that the http tests ask for; see the table at the end of http_pages.c.
 */
#include "tests/unit/http_server.h"

/* "/chunked" is this, a hundred times. */
#define CHUNK "0123456789abcdef"

/* An http_server_fn. */
enum http_server_then http_pages_serve(struct http_server_call *call);
