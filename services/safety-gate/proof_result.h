/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What became of a proof: found by proof.h and the shell, weighed by the core.
 */
#include "common/base.h"

enum proof_result {
	PROOF_NONE,	    /* none was given */
	PROOF_RIGHT,	    /* as far as it was looked at */
	PROOF_KEYWORD,	    /* a right keyword */
	PROOF_CODE,	    /* a right code, and used up by the shell */
	PROOF_UNREADABLE,   /* not sealed to our key, or no proof */
	PROOF_OTHER_DIGEST, /* of something else than what it is shown for */
	PROOF_NOT_ENROLLED, /* the person has nothing of the kind */
	PROOF_WRONG,
	PROOF_USED,   /* a code that was used before */
	PROOF_BUSY,   /* too many keywords wait to be looked at */
	PROOF_FAILED, /* it could not be looked at: no memory, no database, or the gate is ending */
	PROOF_RESULT_COUNT
};

/* Why it is not good, for the person; static. NULL for those that are right, and for none. */
const char *proof_reason(enum proof_result result);
/* The same for programs, as the code of a reply; static. */
const char *proof_word(enum proof_result result);
/* Whether it counts as a wrong attempt of that person. */
bool proof_is_attempt(enum proof_result result);
