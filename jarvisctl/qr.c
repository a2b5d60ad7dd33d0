/* SPDX-License-Identifier: MIT */
/*
 * Half blocks: upper and lower half of a character are a module each, which makes the modules square. Foreground black,
 * background white; around it four modules of white, without which scanners do not see it.
 */
#include "jarvisctl/qr.h"

#include <errno.h>

#include <qrencode.h>

#define MARGIN 4
#define BLACK_ON_WHITE "\033[38;5;16;48;5;231m"
#define AS_BEFORE "\033[0m"

static bool is_black(const QRcode *code, int x, int y)
{
	return x >= 0 && x < code->width && y >= 0 && y < code->width &&
	       (code->data[y * code->width + x] & 1);
}

int qr_draw(const char *text, struct str *out)
{
	static const char *const halves[2][2] = { { " ", "\u2584" }, { "\u2580", "\u2588" } };
	QRcode *code = QRcode_encodeString(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);

	if (!code)
		return -errno;
	for (int y = -MARGIN; y < code->width + MARGIN; y += 2) {
		str_add(out, BLACK_ON_WHITE);
		for (int x = -MARGIN; x < code->width + MARGIN; x++)
			str_add(out, halves[is_black(code, x, y)][is_black(code, x, y + 1)]);
		str_add(out, AS_BEFORE "\n");
	}
	QRcode_free(code);
	return 0;
}
