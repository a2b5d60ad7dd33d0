/* SPDX-License-Identifier: MIT */
/*
 * Commands of a WebSocket client. An id goes back to its sender as it came, so it is kept as JSON.
 */
#include "services/gateway/ws_message.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "services/gateway/filter.h"

static const struct {
	const char *word;
	enum ws_op op;
	bool needs_id, has_filters;
} ops[] = {
	{ "sub", WS_OP_SUB, true, true },
	{ "unsub", WS_OP_UNSUB, true, false },
	{ "ping", WS_OP_PING, false, false },
};

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -EINVAL;
}

static int parse_id(const cJSON *id, char **ret)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };

	if (cJSON_IsNumber(id) && id->valuedouble == floor(id->valuedouble) &&
	    fabs(id->valuedouble) < 9e15)
		json_add_i64(&w, NULL, (int64_t)id->valuedouble);
	else if (cJSON_IsString(id) && strlen(id->valuestring) <= WS_ID_MAX)
		json_add_str(&w, NULL, id->valuestring);
	else
		return -EINVAL;
	*ret = str_take(&text);
	return 0;
}

static int parse_filters(const cJSON *list, struct ws_command *command)
{
	const cJSON *item;
	int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;

	if (n < 1 || n > WS_FILTERS_MAX)
		return -EINVAL;
	command->filters = xcalloc((size_t)n, sizeof(*command->filters));
	cJSON_ArrayForEach(item, list) {
		if (!cJSON_IsString(item) || strlen(item->valuestring) > WS_FILTER_MAX ||
		    !filter_is_valid(item->valuestring))
			return -EINVAL;
		command->filters[command->filters_n++] = xstrdup(item->valuestring);
	}
	return 0;
}

static int parse_tree(const cJSON *tree, struct ws_command *ret, const char **why)
{
	const cJSON *op = json_get(tree, "op");
	const cJSON *id = json_get(tree, "id");
	const cJSON *filters = json_get(tree, "filters");
	int known = (op != NULL) + (id != NULL) + (filters != NULL);
	size_t i = 0;

	if (!cJSON_IsString(op))
		return refuse(why, "op is missing");
	while (i < countof(ops) && !str_eq(ops[i].word, op->valuestring))
		i++;
	if (i == countof(ops))
		return refuse(why, "op is none of sub, unsub, ping");
	ret->op = ops[i].op;
	if (cJSON_GetArraySize(tree) != known || (filters && !ops[i].has_filters))
		return refuse(why, "unknown member");
	if ((id || ops[i].needs_id) && parse_id(id, &ret->id) < 0)
		return refuse(why, "id must be a text of at most 64 bytes or a whole number");
	if (ops[i].has_filters && parse_filters(filters, ret) < 0)
		return refuse(why, "filters must be 1 to 64 topic filters");
	return 0;
}

int ws_command_parse(const char *text, size_t length, struct ws_command *ret, const char **why)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct json_error error;
	int r;

	*ret = (struct ws_command){ 0 };
	if (json_parse(text, length, JSON_COMMAND, &tree, &error) < 0)
		return refuse(why, error.text);
	r = parse_tree(tree, ret, why);
	if (r < 0)
		ws_command_done(ret);
	return r;
}

void ws_command_done(struct ws_command *command)
{
	for (size_t i = 0; i < command->filters_n; i++)
		free(command->filters[i]);
	free(command->filters);
	free(command->id);
	*command = (struct ws_command){ 0 };
}
