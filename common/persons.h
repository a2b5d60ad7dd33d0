/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What persons prove themselves with: secrets/safety-gate/persons.json, written by jarvisctl on the host, read by the
 * safety gate, and by nobody else. The whole file is right or nothing of it counts.
 *
 *   {"persons":[{"name":"ada","keyword":"$argon2id$…","totp":"BASE32","enrolled_ms":1700000000000}]}
 */
#include "common/password.h"
#include "common/str.h"
#include "common/totp.h"

#define PERSONS_SERVICE "safety-gate"
#define PERSONS_FILE "persons.json"
#define PERSONS_MAX 32 /* as many as fit in a secret file */
#define PERSON_NAME_MAX 64

struct person_proofs {
	char name[PERSON_NAME_MAX + 1];
	char keyword[PASSWORD_HASH_SIZE]; /* argon2id; "": none */
	struct totp_secret totp;	  /* n 0: none */
	int64_t enrolled_ms;		  /* wall */
};

struct persons {
	struct person_proofs item[PERSONS_MAX];
	size_t n;
};

/* 1 to 64 of A-Z a-z 0-9 _ . - */
bool person_is_name(const char *name);

/* 0 with what the caller frees, or -EINVAL with *error: what is wrong and where, nothing of a secret; static. */
int persons_parse(const char *text, size_t length, struct persons **ret,
		  const char **error) _nodiscard_;
/* Appends the file's text, which fits in PERSONS_TEXT_MAX; wipe it with str_wipe(). */
#define PERSONS_TEXT_MAX ((size_t)16384)
void persons_build(const struct persons *persons, struct str *out);
/*
 * Reads the file as the gate does, see secret_read(). 0, with nobody in it when there is no file; or -errno with a
 * sentence appended to ERROR.
 */
int persons_load(const char *secrets_dir, struct persons **ret, struct str *error) _nodiscard_;
/* Wipes and frees. NULL is nothing. */
void persons_free(struct persons *persons);
DEFINE_FREEP(struct persons, persons_free)

/* NULL when there is none. */
const struct person_proofs *persons_find(const struct persons *persons, const char *name);
/* Adds, or replaces the one of the same name: false when the file is full. */
bool persons_set(struct persons *persons, const struct person_proofs *person);
/* False when there was none. */
bool persons_remove(struct persons *persons, const char *name);
