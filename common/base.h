/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The few macros that every file may use. Nothing here allocates, logs or includes another of our headers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define countof(array) (sizeof(array) / sizeof((array)[0]))

/* Frees the variable with FN(&variable) when it goes out of scope. */
#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _nodiscard_ __attribute__((warn_unused_result))
#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))

/* Hands a pointer on and forgets it here: `*ret = take(local);`. */
#define take(pointer)                                                                              \
	({                                                                                         \
		__typeof__(pointer) take_value_ = (pointer);                                       \
		(pointer) = NULL;                                                                  \
		take_value_;                                                                       \
	})

#define min_of(a, b)                                                                               \
	({                                                                                         \
		__typeof__(a) min_a_ = (a);                                                        \
		__typeof__(b) min_b_ = (b);                                                        \
		min_a_ < min_b_ ? min_a_ : min_b_;                                                 \
	})
#define max_of(a, b)                                                                               \
	({                                                                                         \
		__typeof__(a) max_a_ = (a);                                                        \
		__typeof__(b) max_b_ = (b);                                                        \
		max_a_ > max_b_ ? max_a_ : max_b_;                                                 \
	})

/* Defines NAME_p(), which frees what a variable points to: `_cleanup_(thing_freep) struct thing *t`. */
#define DEFINE_FREEP(type, fn)                                                                     \
	_unused_ static inline void fn##p(type **pointer)                                          \
	{                                                                                          \
		fn(*pointer);                                                                      \
		*pointer = NULL;                                                                   \
	}

/* Values that may be unknown; `has` false is JSON null, and never 0. */
struct opt_i64 {
	bool has;
	int64_t v;
};
struct opt_f64 {
	bool has;
	double v;
};
struct opt_bool {
	bool has;
	bool v;
};
struct opt_int {
	bool has;
	int v;
};

static inline struct opt_i64 some_i64(int64_t v)
{
	return (struct opt_i64){ true, v };
}
static inline struct opt_f64 some_f64(double v)
{
	return (struct opt_f64){ true, v };
}
static inline struct opt_bool some_bool(bool v)
{
	return (struct opt_bool){ true, v };
}
