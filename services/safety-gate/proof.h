/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Is a sealed proof good for what it is shown for? Opening and codes are pure: keys, persons, the time and the last
 * step are handed in. A keyword is hashed away from the loop. What was typed lives only in `struct sealed`.
 *
 *	result = proof_open(&keys, approval->proof, action->digest, &sealed);
 *	if (result == PROOF_RIGHT && sealed.code[0])
 *		result = proof_code(person, &sealed, wall_ms, last_step, &step);	then store step, then act
 *	else if (result == PROOF_RIGHT && !proof_keyword(jobs, person, &sealed, done, ctx))
 *		result = PROOF_BUSY;
 *	seal_wipe(&sealed);
 */
#include "common/password.h"
#include "common/persons.h"
#include "common/seal.h"
#include "services/safety-gate/proof_result.h"

/*
 * Opens TEXT and holds its digest against DIGEST, 64 characters. PROOF_RIGHT with *ret, which the caller wipes; or
 * PROOF_UNREADABLE, PROOF_OTHER_DIGEST. PROOF_RIGHT says nothing yet about what was typed.
 */
enum proof_result proof_open(const struct seal_keys *keys, const char *text, const char *digest,
			     struct sealed *ret) _nodiscard_;
/* PERSON may be NULL. PROOF_RIGHT with the step to be stored; or PROOF_NOT_ENROLLED, PROOF_WRONG, PROOF_USED. */
enum proof_result proof_code(const struct person_proofs *person, const struct sealed *sealed,
			     int64_t wall_ms, int64_t last_step, int64_t *ret_step) _nodiscard_;

/* RESULT is PROOF_RIGHT, PROOF_NOT_ENROLLED, PROOF_WRONG or PROOF_FAILED. */
typedef void (*proof_done_fn)(void *ctx, enum proof_result result);
/*
 * True when DONE is called exactly once, also when the gate is ending; false: PROOF_BUSY. PERSON may be
 * NULL, which takes as long as a wrong keyword. PERSON and SEALED are copied: enrolments may be read anew meanwhile.
 */
bool proof_keyword(struct password_jobs *jobs, const struct person_proofs *person,
		   const struct sealed *sealed, proof_done_fn done, void *ctx) _nodiscard_;
