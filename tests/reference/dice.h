/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Chance from a seed (splitmix64): the same seed makes the same test anywhere.
 */
#include "common/base.h"

struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Neighbouring seeds have nothing in common: their sequences are not one sequence, shifted. */
static inline struct dice dice_of(uint64_t seed)
{
	struct dice dice = { seed ^ 0x6a09e667f3bcc908 };

	dice.state = dice_next(&dice) * 0xff51afd7ed558ccd;
	return dice;
}

/* From 0 to N − 1. */
static inline size_t dice_roll(struct dice *dice, size_t n)
{
	return (size_t)(dice_next(dice) % n);
}

/* True once in N times. */
static inline bool dice_once_in(struct dice *dice, size_t n)
{
	return dice_roll(dice, n) == 0;
}

#define dice_pick(dice, list) ((list)[dice_roll((dice), countof(list))])
