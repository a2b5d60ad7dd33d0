/* SPDX-License-Identifier: MIT */
#pragma once
/* The terminal as a page that is drawn again and again, until a key or a signal ends it. */
#include "common/base.h"

struct screen {
	int tty, signals;
	struct termios *before;
};

/* Takes the terminal: 0, or -errno without having changed anything. */
int screen_begin(struct screen *ret) _nodiscard_;
/* Lets MS pass. True when it shall end: q, Escape, Ctrl-C, or a signal that ends programs. Another key: at once. */
bool screen_wait(struct screen *screen, int ms);
/* The terminal as it was. */
void screen_end(struct screen *screen);
