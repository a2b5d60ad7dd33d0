/* SPDX-License-Identifier: MIT */
/*
 * A person approves what was shown. Shown are the bytes that the digest is of, after checking that it is: a gateway
 * that shows one thing and has another approved is found out here.
 */
#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "jarvisctl/action_parts.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/prompt.h"
#include "jarvisctl/secret_file.h"
#include "jarvisctl/show.h"

#define TRIES 3
#define BODY_BYTES ((size_t)8192)

void action_proof_done(struct action_proof *proof)
{
	str_wipe(&proof->keyword);
	str_wipe(&proof->code);
}

static int read_file(const char *path, struct str *ret)
{
	_cleanup_(str_done) struct str error = { 0 };

	if (!path || secret_line_read(path, ret, &error) == 0)
		return EXIT_OK;
	fprintf(stderr, "jarvisctl: %s\n", str_get(&error));
	return EXIT_UNREADABLE;
}

int action_proof_read(struct action_proof *proof)
{
	int code = read_file(proof->keyword_file, &proof->keyword);

	return code == EXIT_OK ? read_file(proof->code_file, &proof->code) : code;
}

void action_proof_add(const struct action_proof *proof, struct json_writer *w)
{
	if (proof->keyword.len)
		json_add_str(w, "keyword", str_get(&proof->keyword));
	if (proof->code.len)
		json_add_str(w, "code", str_get(&proof->code));
}

int action_decide(struct client *client, const char *id, const char *decision, const char *digest,
		  const struct action_proof *proof, struct client_answer *ret)
{
	_cleanup_(freep) char *path = xasprintf("/api/actions/%s/%s", id, decision);
	_cleanup_(str_wipe) struct str body = { 0 };
	struct json_writer w = { .out = &body };
	char request_id[33];

	action_request_id(request_id);
	str_reserve(&body, BODY_BYTES);
	json_object_begin(&w, NULL);
	json_add_str(&w, "request_id", request_id);
	if (digest)
		json_add_str(&w, "digest", digest);
	if (proof)
		action_proof_add(proof, &w);
	json_object_end(&w);
	return client_ask(client, "POST", path, str_get(&body), 0, ret);
}

/* ── what is shown ─────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_digest_of(const char *digest, const char *bytes)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * crypto_hash_sha256_BYTES + 1];

	(void)crypto_hash_sha256(hash, (const unsigned char *)bytes, strlen(bytes));
	hex_build(hash, sizeof(hash), hex);
	return str_eq(hex, digest);
}

static bool is_about(const cJSON *shown, const cJSON *action)
{
	return str_eq(action_text(shown, "id"), action_text(action, "id"));
}

/* Shows it at the terminal, or on stderr where there is none. */
static int show(const cJSON *action)
{
	const char *bytes = action_text(action, "shown");
	_cleanup_(json_treep) cJSON *shown = NULL;
	_cleanup_(str_done) struct str out = { 0 };
	bool has_terminal = prompt_has_terminal();

	if (!is_digest_of(action_text(action, "digest"), bytes) ||
	    json_parse(bytes, strlen(bytes), JSON_STATE, &shown, NULL) < 0 ||
	    !is_about(shown, action)) {
		fputs("jarvisctl: what the gateway shows is not what would be approved; nothing was approved. Look at "
		      "the gateway's host\n",
		      stderr);
		return EXIT_FAILED;
	}
	str_add_char(&out, '\n');
	action_show_approved(shown, has_terminal && show_has_colour(2), &out);
	str_add_char(&out, '\n');
	if (has_terminal)
		prompt_say(str_get(&out));
	else
		fputs(str_get(&out), stderr);
	return EXIT_OK;
}

/* ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────── */

static int wait_for_others(const cJSON *action, const char *why)
{
	fprintf(stderr, "jarvisctl: %s; it waits for %s: jarvisctl approve %s, or the dashboard\n",
		why,
		str_eq(action_text(action, "need"), "nothing") ? "a person's yes" :
		str_eq(action_text(action, "need"), "code")    ? "a person's one-time code" :
								 "a person's keyword",
		action_text(action, "id"));
	return EXIT_WAITS;
}

static int no_answer(const cJSON *action, int r)
{
	if (r == -ENXIO)
		return wait_for_others(
			action,
			"there is no terminal to ask at (--keyword-file or --code-file FILE, - is "
			"standard input)");
	return wait_for_others(action, "nothing was approved");
}

/* EXIT_OK with what was typed in PROOF. */
static int ask(const cJSON *action, struct action_proof *proof)
{
	const char *need = action_text(action, "need");
	_cleanup_(str_wipe) struct str typed = { 0 };
	int r;

	if (str_eq(need, "code"))
		r = prompt_read("One-time code to approve this (Ctrl-C: not now): ", false,
				&proof->code);
	else if (str_eq(need, "keyword"))
		r = prompt_read("Keyword to approve this (Ctrl-C: not now): ", true,
				&proof->keyword);
	else
		r = prompt_read("Approve this? Type yes: ", false, &typed);
	if (r < 0)
		return no_answer(action, r);
	if (str_eq(need, "nothing") && !str_eq(str_get(&typed), "yes"))
		return no_answer(action, -ECANCELED);
	return EXIT_OK;
}

static bool has_proof(const cJSON *action, const struct action_proof *proof, bool is_sure)
{
	return str_eq(action_text(action, "need"), "nothing") ?
		       is_sure || proof->keyword.len || proof->code.len :
		       proof->keyword.len || proof->code.len;
}

/* It was refused for its proof alone. */
static int still_waits(const char *id, int code)
{
	fprintf(stderr, "jarvisctl: it still waits: jarvisctl approve %s, or jarvisctl cancel %s\n",
		id, id);
	return code;
}

int action_approve(struct client *client, const cJSON *action, struct action_proof *proof,
		   bool is_sure)
{
	const char *id = action_text(action, "id"), *digest = action_text(action, "digest");
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	bool is_given = has_proof(action, proof, is_sure);
	int code = show(action);

	if (code == EXIT_OK && !client_is_person(client))
		return wait_for_others(action, "a token approves nothing");
	for (int i = 0; code == EXIT_OK && i < TRIES; i++) {
		if (!is_given)
			code = ask(action, proof);
		if (code == EXIT_OK)
			code = action_decide(client, id, "approve", digest, proof, &answer);
		if (code != EXIT_OK || answer.status == 200)
			return code;
		code = client_tell(&answer);
		if (code != EXIT_REFUSED || answer.status != 403)
			return code;
		/* Another try makes sense only for what somebody typed, and got wrong. */
		if (is_given || i + 1 == TRIES)
			return still_waits(id, code);
		action_proof_done(proof);
		code = EXIT_OK;
	}
	return code;
}
