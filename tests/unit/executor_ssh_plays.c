/* SPDX-License-Identifier: MIT */
/*
 * Orders, and how they begin.
 */
#include "tests/unit/executor_ssh_plays.h"

#include "common/config.h"
#include "tests/unit/check.h"

#define NODE(name)                                                                                 \
	"home/node/" name, "{\"object\":\"home/node/" name "\",\"node\":\"" name "\","             \
			   "\"status\":\"online\"}"
#define UNIT_ARGS(node) "{\"cluster\":\"home\",\"node\":\"" node "\",\"unit\":\"smbd.service\"}"
#define NODE_ARGS "{\"cluster\":\"home\",\"node\":\"pve\"}"

const struct lab_order ssh_status = { "service_status", "green", UNIT_ARGS("pve"), NODE("pve") };
const struct lab_order ssh_ping = { "ping_node", "green", NODE_ARGS, NODE("pve") };
const struct lab_order ssh_disks = { "disk_usage", "green", NODE_ARGS, NODE("pve") };
const struct lab_order ssh_journal = { "journal_tail", "green", UNIT_ARGS("pve"), NODE("pve") };
const struct lab_order ssh_restart = { "service_restart", "yellow", UNIT_ARGS("pve"), NODE("pve") };
const struct lab_order ssh_stop = { "service_stop", "orange", UNIT_ARGS("pve"), NODE("pve") };
const struct lab_order ssh_scrub = {
	"run_command", "orange",
	"{\"cluster\":\"home\",\"command_id\":\"scrub\",\"node\":\"pve\",\"params\":{\"pool\":\"tank\"}}",
	NODE("pve")
};
const struct lab_order ssh_restart_b = { "service_restart", "yellow", UNIT_ARGS("b"), NODE("b") };

int ssh_setup(void **state)
{
	struct lab *l;

	(void)play_setup(state);
	l = *state;
	lab_write(l, "secrets/executor/ssh-key", "KEY\n");
	config_free(lab_configure(l, SSH_CONFIG("")));
	lab_start(l);
	return 0;
}

void ssh_begin(struct lab *l, const struct lab_order *order)
{
	lab_order(l, order);
	lab_pass(l, 0);
	if (lab_ssh_connecting())
		lab_ssh_up();
}

void ssh_answer(struct lab *l, const char *tool, const char *end, const char *out, const char *err)
{
	lab_ssh_answer(tool, end, out, err);
	lab_pass(l, 0);
}

void ssh_begin_change(struct lab *l, const struct lab_order *order)
{
	ssh_begin(l, order);
	ssh_answer(l, "service_status", "exit 0", UNIT_OLD, "");
	assert_true(lab_ssh_is_asked(order->tool));
}

void ssh_reload(struct lab *l, const char *text)
{
	struct config *old = text ? lab_configure(l, text) : NULL;

	executor_reload(l->x, l->config);
	config_free(old);
	lab_pass(l, 0);
}

void ssh_keep_saying(struct lab *l, const char *end, const char *out)
{
	for (int i = 0; i < 100 && lab_ssh_is_asked("service_status"); i++) {
		lab_ssh_answer("service_status", end, out, "");
		lab_pass(l, 500);
	}
	assert_false(lab_ssh_is_asked("service_status"));
}
