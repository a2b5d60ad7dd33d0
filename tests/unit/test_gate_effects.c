/* SPDX-License-Identifier: MIT */
/*
 * What an asker and the log of events are told: in whole letters, never longer than a reply may be, and of no more
 * than there is.
 */
#include "services/safety-gate/core_parts.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <string.h>

#define TEXT_MAX 512 /* message reply */

static void test_long_text(void **unused)
{
	_cleanup_(effects_freep) struct effects *out = effects_new();
	char text[TEXT_MAX + 3];

	(void)unused;
	memset(text, 'x', sizeof(text));
	text[TEXT_MAX] = '\0';
	effect_reply(out, "gateway", "r", REPLY_DENIED, "code", text, NULL);
	assert_int_equal(strlen(out->list[0].reply->text), TEXT_MAX);
	/* The last letter, of three bytes, would be cut: it goes as a whole. */
	memcpy(text + TEXT_MAX - 1, "\xe2\x82\xac", 4);
	effect_reply(out, "gateway", "r", REPLY_DENIED, "code", text, NULL);
	assert_int_equal(strlen(out->list[1].reply->text), TEXT_MAX - 1);
	/* Nothing but the middles of letters. */
	memset(text, 0x80, TEXT_MAX + 2);
	text[TEXT_MAX + 2] = '\0';
	effect_reply(out, "gateway", "r", REPLY_DENIED, "code", text, NULL);
	assert_string_equal(out->list[2].reply->text, "");
	effect_reply(out, "gateway", "r", REPLY_OK, NULL, NULL, NULL);
	assert_null(out->list[3].reply->text);
	/* Who gave no id hears nothing. */
	effect_reply(out, "gateway", NULL, REPLY_OK, NULL, NULL, NULL);
	effect_reply(out, "gateway", "", REPLY_OK, NULL, NULL, NULL);
	assert_int_equal(out->n, 4);
}

static const struct msg_event *event_of(struct stage *s, struct action *action)
{
	stage_again(s);
	effect_event(s->core, s->out, EVENT_NEW, action, s->w.now);
	assert_int_equal(s->out->n, 1);
	return s->out->list[0].event;
}

static void test_sentence(void **unused)
{
	struct msg_action_step step = { .object = "home/guest/101", .name = "web", .args = "{}" };
	struct action action = { .state = { .id = "A",
					    .tool = "guest_start",
					    .tier = TIER_YELLOW,
					    .status = ACTION_APPROVED,
					    .steps = &step,
					    .steps_n = 1 } };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	assert_string_equal(event_of(&s, &action)->text, "guest_start web: approved");
	step.name = NULL;
	assert_string_equal(event_of(&s, &action)->text, "guest_start home/guest/101: approved");
	step.object = NULL;
	assert_string_equal(event_of(&s, &action)->text, "guest_start: approved");
	action.state.steps_n = 0;
	assert_string_equal(event_of(&s, &action)->text, "guest_start: approved");
	stage_done(&s);
}

/* What would make an event too long is left out of it: the action's state has it. */
static void test_long_event(void **unused)
{
	char args[2002];
	struct msg_action_step steps[20];
	struct action action = { .state = { .id = "A",
					    .tool = "guest_start",
					    .tier = TIER_YELLOW,
					    .steps = steps,
					    .steps_n = 1 } };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	memset(args, '1', sizeof(args));
	args[sizeof(args) - 1] = '\0';
	for (size_t i = 0; i < countof(steps); i++)
		steps[i] = (struct msg_action_step){ .args = args };
	assert_non_null(strstr(event_of(&s, &action)->after, args));
	action.state.steps_n = countof(steps);
	assert_null(event_of(&s, &action)->after);
	action.state.tier = TIER_GREEN;
	stage_again(&s);
	effect_event(s.core, s.out, EVENT_NEW, &action, s.w.now);
	assert_int_equal(s.out->n, 0);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_sentence),
		cmocka_unit_test(test_long_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
