/* SPDX-License-Identifier: MIT */
/*
 * OpenAPI 3.1 of the gateway, from routes.def.
 */
#include "tools/topicgen/topicgen.h"

#include <ctype.h>

#define SCHEMAS "#/components/schemas/"

/* Bodies that no message describes. */
static const struct message_def message_NONE = { .name = "NONE" };
static const struct message_def message_ANY = { .name = "ANY" };
static const struct message_def message_TEXT = { .name = "TEXT" };

struct route_row {
	const char *id;
	const char *method;
	const char *path;
	const char *access;
	const struct message_def *body;
	const struct message_def *answer;
	const char *doc;
};

static const struct route_row routes[] = {
#define ROUTE(rid, rmethod, rpath, raccess, rhandler, rbody, ranswer, rdoc)                        \
	{ #rid, #rmethod, rpath, #raccess, &message_##rbody, &message_##ranswer, rdoc },
#include "common/routes.def"
};

static bool is(const struct message_def *m, const char *name)
{
	return strcmp(m->name, name) == 0;
}

static void print_lower(struct str *out, const char *text)
{
	for (; *text; text++)
		str_add_char(out, (char)tolower((unsigned char)*text));
}

static void print_content(struct str *out, const struct message_def *m, int indent)
{
	str_printf(out, "%*scontent:\n%*s%s:\n%*sschema:\n", indent, "", indent + 2, "",
		   is(m, "TEXT") ? "text/plain" : "application/json", indent + 4, "");
	if (is(m, "TEXT"))
		str_printf(out, "%*stype: string\n", indent + 6, "");
	else if (is(m, "ANY"))
		str_printf(out, "%*s{}\n", indent + 6, "");
	else
		str_printf(out, "%*s$ref: \"%s%s\"\n", indent + 6, "", SCHEMAS, m->name);
}

static void print_security(struct str *out, const struct route_row *r)
{
	if (strcmp(r->access, "PUBLIC") == 0)
		str_add(out, "      security: []\n");
	else if (strcmp(r->access, "PERSON") == 0 || strcmp(r->access, "OPERATOR") == 0)
		str_add(out, "      security: [{session: []}]\n");
	else
		str_add(out, "      security: [{session: []}, {token: []}]\n");
}

static void print_parameters(struct str *out, const struct route_row *r)
{
	bool rest = r->path[strlen(r->path) - 1] == '/';
	bool changes = strcmp(r->method, "GET") != 0;

	if (!rest && !changes)
		return;
	str_add(out, "      parameters:\n");
	if (rest)
		str_add(out,
			"        - {name: topic, in: path, required: true, schema: {type: string}, "
			"description: \"topic below the base; its slashes stay\"}\n");
	if (changes)
		str_add(out,
			"        - {name: X-Jarvis, in: header, required: true, schema: {type: string, "
			"const: \"1\"}}\n");
}

static void print_problem(struct str *out, const char *status, const char *what)
{
	str_printf(out,
		   "        \"%s\":\n          description: %s\n          content:\n"
		   "            application/problem+json:\n              schema:\n"
		   "                $ref: \"" SCHEMAS "problem\"\n",
		   status, what);
}

/* What the gate judges: its no comes with tier and rule, anybody else's as a problem. */
static bool is_judged(const struct route_row *r)
{
	return strcmp(r->id, "TOOLS_EXECUTE") == 0 || strcmp(r->id, "ACTION_DECIDE") == 0;
}

static void print_refusals(struct str *out, const struct route_row *r)
{
	static const struct {
		const char *status, *what;
	} rows[] = {
		{ "403", "refused by policy, level, freeze or proof; or not allowed to ask" },
		{ "409",
		  "the state of the target or of the action is not the one for it; or the request_id "
		  "was used for another request" },
		{ "429",
		  "too many in ten minutes, or waiting already; an action that was to be approved waits on" },
	};

	if (is(r->answer, "action_answer"))
		str_add(out,
			"        \"202\":\n          description: it waits for a person, or still runs\n"
			"          content:\n            application/json:\n              schema:\n"
			"                $ref: \"" SCHEMAS "action_answer\"\n");
	for (size_t i = 0; i < countof(rows); i++) {
		print_problem(out, rows[i].status, rows[i].what);
		str_add(out, "            application/json:\n              schema:\n"
			     "                $ref: \"" SCHEMAS "action_refusal\"\n");
	}
	print_problem(out, "503", "no answer of the safety gate");
}

static void print_responses(struct str *out, const struct route_row *r)
{
	str_printf(out, "      responses:\n        \"%s\":\n          description: ",
		   strcmp(r->id, "WS") == 0 ? "101" : "200");
	print_quoted(out, r->doc);
	str_add_char(out, '\n');
	if (strcmp(r->id, "WS") != 0)
		print_content(out, r->answer, 10);
	if (strcmp(r->access, "PUBLIC") != 0) {
		print_problem(out, "401", "not logged in");
		if (is_judged(r))
			print_refusals(out, r);
		else
			print_problem(out, "403", "logged in, but not allowed");
	}
	if (!is(r->body, "NONE"))
		print_problem(out, "400", "the body is not valid");
	if (strcmp(r->id, "LOGIN") == 0) {
		print_problem(out, "401", "wrong name or password");
		print_problem(out, "429", "too many wrong attempts");
	}
	if (strcmp(r->id, "READYZ") == 0)
		print_problem(out, "503", "not ready");
	if (strcmp(r->id, "STATE_TOPIC") == 0)
		print_problem(out, "404", "no such document");
}

static void print_route(struct str *out, const struct route_row *r)
{
	str_add(out, "    ");
	print_lower(out, r->method);
	str_add(out, ":\n      operationId: ");
	print_lower(out, r->id);
	str_add(out, "\n      summary: ");
	print_quoted(out, r->doc);
	str_add_char(out, '\n');
	print_security(out, r);
	print_parameters(out, r);
	if (!is(r->body, "NONE")) {
		str_add(out, "      requestBody:\n        required: true\n");
		print_content(out, r->body, 8);
	}
	print_responses(out, r);
}

static void print_paths(struct str *out)
{
	str_add(out, "paths:\n");
	for (size_t i = 0; i < countof(routes); i++) {
		bool rest = routes[i].path[strlen(routes[i].path) - 1] == '/';

		/* Routes of one path stand together in routes.def. */
		if (i == 0 || strcmp(routes[i].path, routes[i - 1].path) != 0)
			str_printf(out, "  %s%s:\n", routes[i].path, rest ? "{topic}" : "");
		print_route(out, &routes[i]);
	}
}

static bool is_used(const struct message_def *m)
{
	if (is(m, "problem") || is(m, "token") || is(m, "service_view") || is(m, "action_refusal"))
		return true;
	for (size_t i = 0; i < countof(routes); i++) {
		if (routes[i].body == m || routes[i].answer == m)
			return true;
	}
	return false;
}

void print_openapi(struct str *out)
{
	str_add(out,
		"# Printed by topicgen from common/*.def; do not edit.\n"
		"openapi: 3.1.0\n"
		"info:\n  title: Jarvis gateway\n  version: " JARVIS_VERSION "\n"
		"  license: {name: MIT, identifier: MIT}\n"
		"  description: Times are integer milliseconds since 1970. Errors are RFC 9457.\n"
		"servers:\n  - url: /\n");
	print_paths(out);
	str_add(out, "components:\n  securitySchemes:\n"
		     "    session: {type: apiKey, in: cookie, name: __Host-jarvis}\n"
		     "    token: {type: http, scheme: bearer}\n"
		     "  schemas:\n");
	for (const struct message_def *const *m = message_table; *m; m++) {
		if (!is_used(*m))
			continue;
		str_printf(out, "    %s:\n", (*m)->name);
		print_schema(out, *m, 6, SCHEMAS);
	}
}
