/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Between civetweb's connections and plain requests and responses; runs on workers.
 */
#include "services/gateway/request.h"
#include "services/gateway/static.h"

#include <civetweb.h>

/* 0, or the HTTP status with which to refuse; *WHY says more. The body is not read yet. */
int http_read_head(const struct mg_connection *conn, struct arena *arena, struct request *ret,
		   const char **why) _nodiscard_;
/* The same for the body. */
int http_read_body(struct mg_connection *conn, struct arena *arena, struct request *request,
		   const char **why) _nodiscard_;
/* True for a request that civetweb will treat as a WebSocket handshake. */
bool http_is_upgrade(const struct mg_connection *conn);

void http_write(struct mg_connection *conn, const struct response *response);
void http_write_problem(struct mg_connection *conn, int status, const char *why);
void http_write_file(struct mg_connection *conn, const struct request *request,
		     const struct static_file *file);
