/* SPDX-License-Identifier: MIT */
/*
 * The digest is compared before anything that was typed, so that a proof for one action tells nothing at another.
 */
#include "services/safety-gate/proof.h"

#include <sodium.h>

#include "common/alloc.h"

static const struct {
	const char *reason;
	bool is_attempt;
} results[] = {
	[PROOF_UNREADABLE] = { "The proof cannot be opened. The gateway may hold an old key of the safety gate: "
			       "reload it.",
			       false },
	[PROOF_OTHER_DIGEST] = { "The proof is for something else than what waits here.", true },
	[PROOF_NOT_ENROLLED] = { "Nothing of the kind is enrolled for this person. On the gate's host: jarvisctl "
				 "person enrol NAME",
				 true },
	[PROOF_WRONG] = { "The keyword or code is wrong.", true },
	[PROOF_USED] = { "This code was used before: wait for the next one.", true },
	[PROOF_BUSY] = { "Too many keywords are being looked at: try again in a moment.", false },
	[PROOF_FAILED] = { "The proof could not be looked at: try again.", false },
};

const char *proof_reason(enum proof_result result)
{
	return results[result].reason;
}

const char *proof_word(enum proof_result result)
{
	return result == PROOF_BUSY ? "busy" : "proof";
}

bool proof_is_attempt(enum proof_result result)
{
	return results[result].is_attempt;
}

enum proof_result proof_open(const struct seal_keys *keys, const char *text, const char *digest,
			     struct sealed *ret)
{
	struct sealed sealed;

	if (seal_open(keys, text, &sealed) < 0)
		return PROOF_UNREADABLE;
	if (strlen(digest) != SEAL_DIGEST_LENGTH ||
	    sodium_memcmp(sealed.digest, digest, SEAL_DIGEST_LENGTH) != 0) {
		seal_wipe(&sealed);
		return PROOF_OTHER_DIGEST;
	}
	*ret = sealed;
	seal_wipe(&sealed);
	return PROOF_RIGHT;
}

enum proof_result proof_code(const struct person_proofs *person, const struct sealed *sealed,
			     int64_t wall_ms, int64_t last_step, int64_t *ret_step)
{
	static const enum proof_result of[] = {
		[TOTP_WRONG] = PROOF_WRONG,
		[TOTP_RIGHT] = PROOF_RIGHT,
		[TOTP_USED] = PROOF_USED,
	};

	if (!person || !person->totp.n)
		return PROOF_NOT_ENROLLED;
	return of[totp_verify(&person->totp, sealed->code, wall_ms, last_step, ret_step)];
}

/* ── keywords ────────────────────────────────────────────────────────────────────────────────────────────────── */

struct keyword_job {
	bool is_enrolled;
	proof_done_fn done;
	void *ctx;
};

static void keyword_done(void *ctx, enum password_result result, const char *hash)
{
	_cleanup_(freep) struct keyword_job *job = ctx;
	enum proof_result answer = PROOF_WRONG;

	(void)hash;
	if (result == PASSWORD_FAILED)
		answer = PROOF_FAILED;
	else if (!job->is_enrolled)
		answer = PROOF_NOT_ENROLLED;
	else if (result == PASSWORD_RIGHT)
		answer = PROOF_RIGHT;
	job->done(job->ctx, answer);
}

bool proof_keyword(struct password_jobs *jobs, const struct person_proofs *person,
		   const struct sealed *sealed, proof_done_fn done, void *ctx)
{
	_cleanup_(freep) struct keyword_job *job = xnew(struct keyword_job);

	job->is_enrolled = person && person->keyword[0];
	job->done = done;
	job->ctx = ctx;
	if (!password_verify(jobs, job->is_enrolled ? person->keyword : NULL, sealed->keyword,
			     keyword_done, job))
		return false;
	(void)take(job);
	return true;
}
