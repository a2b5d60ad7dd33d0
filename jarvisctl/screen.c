/* SPDX-License-Identifier: MIT */
/*
 * What was on the terminal comes back in the end, whatever ends us: signals are read like keys.
 */
#include "jarvisctl/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/str.h"

enum key { KEY_CTRL_C = 3, KEY_ESCAPE = 27 };

/* The other page, without a cursor and without lines that wrap. */
static const char begin[] = "\033[?1049h\033[?25l\033[?7l\033[2J",
		  end[] = "\033[?7h\033[?25h\033[?1049l";

static void put(int fd, const char *text)
{
	/* A terminal that is gone is nothing to tell anybody about. */
	if (write(fd, text, strlen(text)) < 0)
		return;
}

static void block(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, ret, NULL);
}

int screen_begin(struct screen *ret)
{
	struct termios raw;
	sigset_t set;

	*ret = (struct screen){ .tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) };
	if (ret->tty < 0)
		return -errno;
	ret->before = xnew(struct termios);
	if (tcgetattr(ret->tty, ret->before) < 0) {
		int r = -errno;

		(void)close(ret->tty);
		free(ret->before);
		return r;
	}
	block(&set);
	ret->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	raw = *ret->before;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)tcsetattr(ret->tty, TCSAFLUSH, &raw);
	put(ret->tty, begin);
	return 0;
}

/* An arrow key is Escape with more behind it: that is no Escape. */
static bool is_end(const unsigned char *keys, ssize_t n)
{
	return n <= 0 || keys[0] == 'q' || keys[0] == 'Q' || keys[0] == KEY_CTRL_C ||
	       (n == 1 && keys[0] == KEY_ESCAPE);
}

bool screen_wait(struct screen *screen, int ms)
{
	struct pollfd fds[] = {
		{ .fd = screen->tty, .events = POLLIN },
		{ .fd = screen->signals, .events = POLLIN },
	};
	unsigned char keys[32];

	if (poll(fds, countof(fds), ms) <= 0)
		return false;
	if (fds[1].revents)
		return true;
	return is_end(keys, read(screen->tty, keys, sizeof(keys)));
}

void screen_end(struct screen *screen)
{
	put(screen->tty, end);
	(void)tcsetattr(screen->tty, TCSAFLUSH, screen->before);
	(void)close(screen->tty);
	(void)close(screen->signals);
	free(screen->before);
}
