/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Prints the vocabulary in other languages. Each printer appends to OUT and reads nothing but the tables of
 * common/topics.h, common/tools.h and common/routes.def, so that what is printed cannot differ from what runs.
 */
#include "common/config.h"
#include "common/topics.h"

/* The broker's ACL for every service and for the principals of CONFIG (NULL: none). */
void print_acl(const struct config *config, struct str *out);
/* The tables of topics.md. */
void print_markdown(struct str *out);
/* web/src/generated/topics.ts */
void print_typescript(struct str *out);
void print_asyncapi(struct str *out);
void print_openapi(struct str *out);
/* A dictionary for libFuzzer: every field, word and topic level. */
void print_dictionary(struct str *out);

/* docs/tools.md */
void print_tools(struct str *out);

/* ── shared ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* TEXT as a JSON string, which is also a YAML and a TypeScript one. */
void print_quoted(struct str *out, const char *text);
/* "node_state" -> "NodeState" */
void print_camel(struct str *out, const char *name);
/* The JSON schema of MESSAGE as YAML, indented by INDENT blanks; BASE ("#/components/schemas/") stands before names. */
void print_schema(struct str *out, const struct message_def *message, int indent, const char *base);
/* Names of the services and groups in MASK, with SEPARATOR between them. */
void print_mask(struct str *out, service_mask mask, const char *separator);
