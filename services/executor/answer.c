/* SPDX-License-Identifier: MIT */
/*
 * Lists that know when to stop.
 */
#include "services/executor/answer.h"

#include <math.h>

/* For the end of it. */
#define RESERVE_BYTES 64
/* What a foreign answer may hold and a message of ours may not becomes null. */
#define DEPTH_MAX 8
#define INTEGER_MAX 9007199254740991.0

static void write_tree(struct json_writer *w, const char *key, const cJSON *tree, int depth)
{
	const cJSON *child;

	if ((cJSON_IsObject(tree) || cJSON_IsArray(tree)) && depth < DEPTH_MAX) {
		bool is_object = cJSON_IsObject(tree);

		(is_object ? json_object_begin : json_list_begin)(w, key);
		cJSON_ArrayForEach(child, tree)
			write_tree(w, is_object ? child->string : NULL, child, depth + 1);
		(is_object ? json_object_end : json_list_end)(w);
	} else if (cJSON_IsString(tree)) {
		json_add_str(w, key, tree->valuestring);
	} else if (cJSON_IsNumber(tree) && fabs(tree->valuedouble) <= INTEGER_MAX) {
		json_add_f64(w, key, tree->valuedouble);
	} else if (cJSON_IsBool(tree)) {
		json_add_bool(w, key, cJSON_IsTrue(tree));
	} else {
		json_add_null(w, key);
	}
}

void answer_write_tree(struct json_writer *w, const char *key, const cJSON *tree)
{
	write_tree(w, key, tree, 0);
}

void answer_begin(struct answer *answer, struct str *out, const char *name)
{
	*answer = (struct answer){ .w = { .out = out } };
	json_object_begin(&answer->w, NULL);
	json_list_begin(&answer->w, name);
}

/* Once something was left off all that follows is: what is there is a beginning, without holes. */
static bool has_room(struct answer *answer, size_t length)
{
	if (!answer->left_off && answer->w.out->len + length + RESERVE_BYTES <= ANSWER_MAX_BYTES)
		return true;
	answer->left_off++;
	return false;
}

void answer_add(struct answer *answer, const char *json)
{
	if (has_room(answer, strlen(json)))
		json_add_raw(&answer->w, NULL, json);
}

void answer_add_tree(struct answer *answer, const cJSON *tree)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };

	answer_write_tree(&w, NULL, tree);
	answer_add(answer, str_get(&text));
}

void answer_end(struct answer *answer)
{
	json_list_end(&answer->w);
	if (answer->left_off)
		json_add_i64(&answer->w, "left_off", answer->left_off);
	json_object_end(&answer->w);
}
