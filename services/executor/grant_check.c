/* SPDX-License-Identifier: MIT */
/*
 * Signature, then bytes, then sense, then time: in this order, and every doubt is a refusal.
 */
#include "services/executor/grant_check.h"

#include "common/codec.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* A gate that grants for minutes is broken, or is not the gate. */
#define VALID_MAX_MS 60000
#define GID_HEX 32
#define ID_LENGTH 26

static int wrong(struct grant_error *error, const char *format, ...) _printf_(2, 3);

static int wrong(struct grant_error *error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -EINVAL;
}

/* ── sense ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_hex(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789abcdef") == length;
}

static int read_payload(const char *text, struct arena *arena, struct order *ret,
			struct grant_error *error)
{
	const struct msg_grant_payload *p;
	struct codec_error bad;
	void *body;

	if (codec_decode(&message_grant_payload, text, strlen(text), JSON_COMMAND, CODEC_STRICT,
			 arena, &body, &bad) < 0)
		return wrong(error, "it cannot be read: %s", bad.text);
	p = body;
	if (!is_hex(p->gid, GID_HEX) || strlen(p->id) != ID_LENGTH)
		return wrong(error, "its ids are not as they must be");
	ret->payload = p;
	ret->text = arena_strdup(arena, text);
	if (p->v != 1)
		return wrong(error, "its version is %lld, and only 1 is known", (long long)p->v);
	return 0;
}

static int read_args(struct arena *arena, struct order *ret, struct grant_error *error)
{
	const struct msg_grant_payload *p = ret->payload;
	_cleanup_(str_done) struct str canonical = { 0 };
	struct tool_error bad;

	ret->tool = tool_find(p->tool);
	if (!ret->tool)
		return wrong(error, "there is no tool %.64s", p->tool);
	if (tool_args_read(ret->tool, p->args, strlen(p->args), false, arena, &ret->args, &bad) < 0)
		return wrong(error, "%s", bad.text);
	tool_args_write(&ret->args, &canonical);
	if (!str_eq(str_get(&canonical), p->args))
		return wrong(error, "its arguments are not in their canonical form");
	if (p->tier < ret->tool->tier || p->tier >= TIER_BLACK)
		return wrong(error, "%s is never %s", ret->tool->name,
			     enumeration_word(&enumeration_tier, (int)p->tier));
	return 0;
}

/* The target that the arguments name: what the grant says of it must be about the same. */
static const char *named_object(const struct order *order, struct arena *arena)
{
	const struct tool_arg *arg = tool_target(order->tool);
	struct tool_value cluster = tool_args_get(&order->args, "cluster");
	struct tool_value value;

	if (!arg)
		return NULL;
	value = tool_args_get(&order->args, arg->name);
	if (!value.has || !cluster.has)
		return "";
	if (arg->kind == ARG_GUEST)
		return value.s ?
			       "" :
			       arena_printf(arena, "%s/guest/%lld", cluster.s, (long long)value.i);
	return arena_printf(arena, "%s/%s/%s", cluster.s,
			    arg->kind == ARG_NODE ? "node" : "storage", value.s);
}

static bool is_type(const char *type)
{
	return type && (str_eq(type, "qemu") || str_eq(type, "lxc"));
}

/* Where a call of Proxmox goes: the grant's target, or what the arguments alone say. */
static int read_place(struct order *ret, struct grant_error *error)
{
	const struct msg_grant_target *t = ret->payload->target;
	const struct tool_arg *arg = tool_target(ret->tool);
	struct tool_value node = tool_args_get(&ret->args, "node");

	if (arg && arg->kind == ARG_GUEST) {
		if (!is_type(t->type) || !t->node)
			return wrong(error, "it does not say what kind of guest it is, or where");
		ret->target.type = t->type;
		ret->target.vmid = tool_args_get(&ret->args, "guest").i;
		ret->target.node = t->node;
	} else if (arg && arg->kind == ARG_NODE) {
		if (!str_eq_null(t->node, node.s))
			return wrong(error, "its target is another node than its arguments name");
		ret->target.node = t->node;
	} else if (node.has) {
		ret->target.node = node.s;
	} else if (t) {
		ret->target.node = t->node;
	}
	return 0;
}

static int read_target(struct arena *arena, struct order *ret, struct grant_error *error)
{
	const struct msg_grant_target *t = ret->payload->target;
	const char *object = named_object(ret, arena);

	ret->object = "";
	ret->target.cluster = tool_args_get(&ret->args, "cluster").s;
	/* A read changes nothing: what it names may well be missing, and is looked for when it is answered. */
	if (ret->tool->runner == RUNNER_STATE || (object && !t && ret->tool->tier == TIER_GREEN))
		return 0;
	if (!ret->target.cluster && ret->tool->tier > TIER_GREEN)
		return wrong(error, "it does not say which cluster is meant");
	if (object && (!t || !str_eq_null(t->object, object)))
		return wrong(error, "its target is not what its arguments name");
	if (!object && t)
		return wrong(error, "it has a target, and %s has none", ret->tool->name);
	if (read_place(ret, error) < 0)
		return -EINVAL;
	ret->object = t ? t->object : ret->tool->tier > TIER_GREEN ? ret->payload->args : "";
	return 0;
}

int order_read(const char *text, struct arena *arena, struct order *ret, struct grant_error *error)
{
	int r;

	*ret = (struct order){ 0 };
	r = read_payload(text, arena, ret, error);
	if (r == 0)
		r = read_args(arena, ret, error);
	return r == 0 ? read_target(arena, ret, error) : r;
}

/* ── time ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static int check_claim(const struct msg_grant_payload *p, const struct claim *claim,
		       struct grant_error *error)
{
	if (!str_eq(p->nonce, claim->nonce) || !str_eq(p->id, claim->id))
		return wrong(error, "it answers another claim");
	if (p->epoch != claim->epoch)
		return wrong(error, "it is for epoch %lld, and this is %lld", (long long)p->epoch,
			     (long long)claim->epoch);
	if (p->valid_ms <= 0 || claim->age_ms < 0 ||
	    claim->age_ms > min_of(p->valid_ms, (int64_t)VALID_MAX_MS))
		return wrong(error, "it came %lld ms after the claim, and is valid for %lld ms",
			     (long long)claim->age_ms, (long long)p->valid_ms);
	return 0;
}

enum grant_fault grant_check(const struct grant_keys *keys, const char *envelope,
			     const struct claim *claim, struct arena *arena, struct order *ret,
			     struct grant_error *error)
{
	_cleanup_(str_done) struct str payload = { 0 };
	const char *why;

	*ret = (struct order){ 0 };
	if (grant_open(keys, envelope, strlen(envelope), &payload, &why) < 0) {
		(void)wrong(error, "%s", why);
		return GRANT_UNSIGNED;
	}
	if (strlen(str_get(&payload)) != payload.len) {
		(void)wrong(error, "it is not text");
		return GRANT_SENSELESS;
	}
	if (order_read(str_get(&payload), arena, ret, error) < 0)
		return GRANT_SENSELESS;
	ret->envelope = arena_strdup(arena, envelope);
	return check_claim(ret->payload, claim, error) < 0 ? GRANT_OUTDATED : GRANT_GOOD;
}
