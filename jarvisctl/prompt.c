/* SPDX-License-Identifier: MIT */
/*
 * The line is read key by key with the terminal's own handling off, Ctrl-C included: whatever happens, the terminal is
 * put back as it was, and nothing typed stays in a buffer of the C library.
 */
#include "jarvisctl/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#define LINE_MAX_BYTES ((size_t)1024)

enum key { KEY_CTRL_C = 3, KEY_CTRL_D = 4, KEY_BACKSPACE = 8, KEY_CTRL_U = 21, KEY_DELETE = 127 };

static int put(int fd, const char *text, size_t length)
{
	return write(fd, text, length) == (ssize_t)length ? 0 : -EIO;
}

/* One character of UTF-8 back. */
static void delete_last(struct str *line)
{
	while (line->len > 0 && (line->data[--line->len] & 0xc0) == 0x80)
		continue;
	line->data[line->len] = '\0';
}

/* 1 when the line is complete, 0 when it goes on, or -errno. */
static int take_key(unsigned char key, struct str *line)
{
	switch (key) {
	case '\r':
	case '\n':
		return 1;
	case KEY_CTRL_C:
		return -ECANCELED;
	case KEY_CTRL_D:
		return line->len ? 1 : -ECANCELED;
	case KEY_BACKSPACE:
	case KEY_DELETE:
		delete_last(line);
		return 0;
	case KEY_CTRL_U:
		str_clear(line);
		return 0;
	default:
		if (line->len == LINE_MAX_BYTES)
			return -E2BIG;
		str_add_char(line, (char)key);
		return 0;
	}
}

static int read_line(int fd, bool secret, struct str *line)
{
	unsigned char key;
	int r = 0;

	while (r == 0) {
		size_t before = line->len;
		ssize_t n = read(fd, &key, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECANCELED;
		r = take_key(key, line);
		if (!secret && line->len > before)
			(void)put(fd, (const char *)&key, 1);
		else if (!secret && line->len < before)
			(void)put(fd, "\b \b", 3);
	}
	sodium_memzero(&key, sizeof(key));
	return r < 0 ? r : 0;
}

/* With the terminal raw, and no signal that could leave it so. */
static int read_raw(int fd, const char *question, bool secret, struct str *ret)
{
	struct termios before, raw;
	sigset_t all, old;
	int r;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	r = tcsetattr(fd, TCSAFLUSH, &raw) < 0 ? -errno : 0;
	if (r == 0)
		r = put(fd, question, strlen(question));
	if (r == 0)
		r = read_line(fd, secret, ret);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)put(fd, "\n", 1);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int prompt_read(const char *question, bool secret, struct str *ret)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return -ENXIO;
	str_reserve(ret, LINE_MAX_BYTES + 1);
	str_clear(ret);
	r = read_raw(fd, question, secret, ret);
	(void)close(fd);
	return r;
}

void prompt_say(const char *text)
{
	int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return;
	(void)put(fd, text, strlen(text));
	(void)close(fd);
}

bool prompt_has_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}
