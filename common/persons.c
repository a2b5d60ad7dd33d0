/* SPDX-License-Identifier: MIT */
/*
 * The file is read member by member, not by the codec: its messages are for the bus, and this must never be one.
 */
#include "common/persons.h"

#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "common/json.h"
#include "common/secret.h"

bool person_is_name(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t n = strlen(name);

	return n && n <= PERSON_NAME_MAX && strspn(name, allowed) == n;
}

static struct person_proofs *find(struct persons *persons, const char *name)
{
	for (size_t i = 0; i < persons->n; i++) {
		if (str_eq(persons->item[i].name, name))
			return &persons->item[i];
	}
	return NULL;
}

const struct person_proofs *persons_find(const struct persons *persons, const char *name)
{
	return find((struct persons *)persons, name);
}

bool persons_set(struct persons *persons, const struct person_proofs *person)
{
	struct person_proofs *old = find(persons, person->name);

	if (!old && persons->n == PERSONS_MAX)
		return false;
	*(old ? old : &persons->item[persons->n++]) = *person;
	return true;
}

bool persons_remove(struct persons *persons, const char *name)
{
	struct person_proofs *old = find(persons, name), *end = persons->item + persons->n;

	if (!old)
		return false;
	memmove(old, old + 1, (size_t)(end - old - 1) * sizeof(*old));
	sodium_memzero(end - 1, sizeof(*end));
	persons->n--;
	return true;
}

void persons_free(struct persons *persons)
{
	if (!persons)
		return;
	sodium_memzero(persons, sizeof(*persons));
	free(persons);
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The text KEY of ITEM: "" for null, NULL when it is neither. */
static const char *text_or_null(const cJSON *item, const char *key)
{
	const cJSON *value = json_get(item, key);

	return cJSON_IsNull(value) ? "" : cJSON_GetStringValue(value);
}

static const char *read_person(const cJSON *item, struct person_proofs *ret)
{
	const char *name = cJSON_GetStringValue(json_get(item, "name"));
	const char *keyword = text_or_null(item, "keyword"), *totp = text_or_null(item, "totp");
	double enrolled_ms = cJSON_GetNumberValue(json_get(item, "enrolled_ms"));

	if (!cJSON_IsObject(item) || cJSON_GetArraySize(item) != 4)
		return "a person is not an object of name, keyword, totp and enrolled_ms";
	if (!name || !person_is_name(name))
		return "a person's name is not 1 to 64 of A-Z a-z 0-9 _ . -";
	if (!keyword || (*keyword && !password_is_hash(keyword)))
		return "a person's keyword is neither null nor a hash that jarvisctl made";
	if (!totp || (*totp && totp_secret_from_base32(totp, &ret->totp) < 0))
		return "a person's totp is neither null nor 10 to 64 bytes in base32";
	if (!*keyword && !*totp)
		return "a person has neither keyword nor totp";
	if (!(enrolled_ms >= 0 && enrolled_ms <= 1e15))
		return "a person's enrolled_ms is not a time in milliseconds";
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	(void)snprintf(ret->keyword, sizeof(ret->keyword), "%s", keyword);
	ret->enrolled_ms = (int64_t)enrolled_ms;
	return NULL;
}

static const char *read_list(const cJSON *tree, struct persons *persons)
{
	const cJSON *list = json_get(tree, "persons"), *item;

	if (!cJSON_IsArray(list) || cJSON_GetArraySize(tree) != 1)
		return "it is not an object with the one member persons, a list";
	cJSON_ArrayForEach(item, list) {
		struct person_proofs *person = &persons->item[persons->n];
		const char *wrong;

		if (persons->n == PERSONS_MAX)
			return "it has more than 32 persons";
		wrong = read_person(item, person);
		if (wrong)
			return wrong;
		/* Not yet counted, so that it is not found itself. */
		if (find(persons, person->name))
			return "two persons have the same name";
		persons->n++;
	}
	return NULL;
}

int persons_parse(const char *text, size_t length, struct persons **ret, const char **error)
{
	_cleanup_(json_secret_treep) cJSON *tree = NULL;
	_cleanup_(persons_freep) struct persons *persons = xnew(struct persons);

	*error = "it is not JSON";
	if (json_parse(text, length, JSON_COMMAND, &tree, NULL) < 0)
		return -EINVAL;
	*error = read_list(tree, persons);
	if (*error)
		return -EINVAL;
	*ret = take(persons);
	return 0;
}

int persons_load(const char *secrets_dir, struct persons **ret, struct str *error)
{
	_cleanup_(secret_done) struct secret secret = { 0 };
	_cleanup_(str_done) struct str why = { 0 };
	const char *wrong;
	int r = secret_read(secrets_dir, PERSONS_SERVICE, PERSONS_FILE, &secret, &why);

	if (r == -ENOENT) {
		*ret = xnew(struct persons);
		return 0;
	}
	if (r < 0) {
		str_add(error, str_get(&why));
		return r;
	}
	r = persons_parse(secret.value, secret.len, ret, &wrong);
	if (r < 0)
		str_printf(error,
			   "%s/" PERSONS_SERVICE "/" PERSONS_FILE
			   ": %s; put a backup back, or remove it and enrol everybody again: "
			   "jarvisctl person enrol NAME",
			   secrets_dir, wrong);
	return r;
}

/* ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────── */

void persons_build(const struct persons *persons, struct str *out)
{
	struct json_writer w = { .out = out };
	char base32[TOTP_BASE32_SIZE];

	str_reserve(out, PERSONS_TEXT_MAX);
	json_object_begin(&w, NULL);
	json_list_begin(&w, "persons");
	for (size_t i = 0; i < persons->n; i++) {
		const struct person_proofs *person = &persons->item[i];

		totp_secret_base32(&person->totp, base32);
		json_object_begin(&w, NULL);
		json_add_str(&w, "name", person->name);
		json_add_str(&w, "keyword", person->keyword[0] ? person->keyword : NULL);
		json_add_str(&w, "totp", base32[0] ? base32 : NULL);
		json_add_i64(&w, "enrolled_ms", person->enrolled_ms);
		json_object_end(&w);
	}
	json_list_end(&w);
	json_object_end(&w);
	str_add(out, "\n");
	sodium_memzero(base32, sizeof(base32));
}
