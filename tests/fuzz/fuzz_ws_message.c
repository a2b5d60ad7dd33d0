/* SPDX-License-Identifier: MIT */
/*
 * What a browser sends on its WebSocket, as bytes of the socket: frames, and the commands in them. What must hold: it
 * does not matter how the bytes are cut, no message is longer than allowed, an accepted command has valid filters.
 */
#include "services/gateway/filter.h"
#include "services/gateway/ws_frame.h"
#include "services/gateway/ws_message.h"

#include "common/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_command(const char *text, size_t length)
{
	struct ws_command command;
	const char *why = NULL;

	if (ws_command_parse(text, length, &command, &why) < 0) {
		require(why && *why);
		return;
	}
	require(!command.id || json_scan(command.id, strlen(command.id), JSON_COMMAND, NULL) == 0);
	for (size_t i = 0; i < command.filters_n; i++) {
		require(filter_is_valid(command.filters[i]));
		(void)filter_matches(command.filters[i], "pve/home/node/pve/state");
	}
	ws_command_done(&command);
}

static int on_message(void *ctx, enum ws_opcode opcode, const char *text, size_t length)
{
	struct str *log = ctx;

	require(length <= WS_MESSAGE_MAX && text[length] == '\0');
	require(opcode < WS_CLOSE || length <= 125);
	str_printf(log, "%d %zu ", opcode, length);
	str_add_n(log, text, length);
	if (opcode == WS_TEXT)
		check_command(text, length);
	return 0;
}

/* Feeds all of it in pieces of STEP bytes; what came out is in LOG. */
static int feed(const uint8_t *data, size_t size, size_t step, struct str *log)
{
	_cleanup_(freep) unsigned char *copy = xmemdup(data, size);
	struct ws_parser parser = { 0 };
	int code = 0;

	for (size_t at = 0; at < size && code == 0; at += step)
		code = ws_parser_feed(&parser, copy + at, min_of(step, size - at), on_message, log);
	ws_parser_done(&parser);
	return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(str_done) struct str whole = { 0 };
	_cleanup_(str_done) struct str cut = { 0 };

	if (size == 0)
		return 0;
	require(feed(data, size, size, &whole) == feed(data, size, 1 + data[size - 1] % 7, &cut));
	require(whole.len == cut.len && memcmp(str_get(&whole), str_get(&cut), whole.len) == 0);
	/* The command on its own too, so that the mask does not hide it from the fuzzer. */
	check_command((const char *)data, size);
	return 0;
}
