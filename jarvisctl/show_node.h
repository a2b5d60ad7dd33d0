/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What a node says of itself over SSH, as a person at a terminal knows it: systemctl's and journalctl's own form.
 */
#include "common/json.h"
#include "common/tools.h"

/* Appends what TOOL returned; false, and nothing appended, when it has no form of its own or CONTENT is not of it. */
bool show_node(struct str *out, const struct tool *tool, const cJSON *content, bool colour);
