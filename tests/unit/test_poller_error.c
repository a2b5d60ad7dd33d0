/* SPDX-License-Identifier: MIT */
/*
 * Statuses and outcomes as classes, with sentences that say what to do and name no secret.
 */
#include "common/pve_error.h"

#include "common/str.h"
#include "tests/unit/check.h"

static const struct pve_question question = {
	.service = "proxmox-poller",
	.role = "PVEAuditor",
	.cluster = "home",
	.token = "jarvis@pve!poller",
	.endpoint = "pve",
	.address = "192.168.1.74:8006",
	.node = "agent",
	.path = "/nodes/agent/status",
	.pin = "AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA",
};

static struct pve_fault classify(enum http_outcome outcome, int status, const char *reason)
{
	const struct http_response response = {
		.outcome = outcome,
		.status = status,
		.reason = reason,
		.body = "",
		.error =
			outcome == HTTP_ANSWERED ? "" : "connect to 192.168.1.74: no route to host",
		.fingerprint =
			outcome == HTTP_NOT_TRUSTED ?
				"BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:BB:"
				"BB:BB:BB:BB:BB:BB:BB:BB:BB:BB" :
				"",
		.duration_ms = 15000,
	};
	struct pve_fault fault;

	pve_classify(&question, &response, &fault);
	return fault;
}

struct status_case {
	int status;
	const char *reason;
	enum pve_class class;
	const char *says[3];
};

static void test_statuses(void **unused)
{
	static const struct status_case cases[] = {
		{ 200, "OK", PVE_OK, { "" } },
		{ 595,
		  "No route to host",
		  PVE_NO_PATH,
		  { "pve has no path to node agent", "No route to host" } },
		{ 595,
		  "Errors during connection establishment, proxy handshake: Connection refused",
		  PVE_NO_PATH,
		  { "Connection refused" } },
		{ 596, "Connection timed out", PVE_NO_PATH, { "no path" } },
		{ 599, "Too many redirections", PVE_NO_PATH, { "no path" } },
		{ 594, "x", PVE_SERVER, { "594" } },
		{ 600, "x", PVE_SERVER, { "600" } },
		{ 401,
		  "Authentication failed!",
		  PVE_AUTH,
		  { "jarvis@pve!poller", "secrets/proxmox-poller/home.token", "expired" } },
		{ 401,
		  "no such token 'poller' for user 'jarvis@pve'",
		  PVE_AUTH,
		  { "no such token" } },
		{ 403,
		  "Permission check failed (/nodes/agent, Sys.Audit)",
		  PVE_PERMISSION,
		  { "lacks Sys.Audit on /nodes/agent",
		    "pveum acl modify / --tokens 'jarvis@pve!poller'" } },
		{ 403,
		  "Permission check failed (user != root@pam)",
		  PVE_PERMISSION,
		  { "may not ask for" } },
		{ 403,
		  "Permission check failed",
		  PVE_PERMISSION,
		  { "may not ask for /nodes/agent/status" } },
		{ 500,
		  "Configuration file 'nodes/pve1/qemu-server/101.conf' does not exist",
		  PVE_NOT_THERE,
		  { "101.conf" } },
		{ 500,
		  "hostname lookup 'foo' failed - failed to get address info for: foo",
		  PVE_NOT_THERE,
		  { "foo" } },
		{ 500, "got timeout", PVE_REFUSED, { "got timeout" } },
		{ 400,
		  "Parameter verification failed.",
		  PVE_REFUSED,
		  { "Parameter verification" } },
		{ 501, "Method 'GET /nope' not implemented", PVE_SERVER, { "501", "Proxmox" } },
		{ 502, "", PVE_SERVER, { "no reason" } },
		{ 302, NULL, PVE_SERVER, { "302" } },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct pve_fault fault = classify(HTTP_ANSWERED, cases[i].status, cases[i].reason);

		if (fault.class != cases[i].class)
			fail_msg("%d %s: class %d", cases[i].status, cases[i].reason, fault.class);
		for (size_t k = 0; k < countof(cases[i].says) && cases[i].says[k]; k++) {
			if (!strstr(fault.text, cases[i].says[k]))
				fail_msg("'%s' does not say '%s'", fault.text, cases[i].says[k]);
		}
		assert_true((fault.class == PVE_OK) == !fault.text[0]);
	}
}

static void test_outcomes(void **unused)
{
	static const struct {
		enum http_outcome outcome;
		enum pve_class class;
		const char *says;
	} cases[] = {
		{ HTTP_UNREACHABLE, PVE_UNREACHABLE, "pve (192.168.1.74:8006) cannot be reached" },
		{ HTTP_BROKEN, PVE_UNREACHABLE, "cannot be reached" },
		{ HTTP_TIMEOUT, PVE_TIMEOUT, "did not answer /nodes/agent/status within 15 s" },
		{ HTTP_TOO_LARGE, PVE_BAD_ANSWER, "too large" },
		{ HTTP_REFUSED, PVE_BAD_ANSWER, "cannot be asked" },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct pve_fault fault = classify(cases[i].outcome, 0, "");

		assert_int_equal(fault.class, cases[i].class);
		if (!strstr(fault.text, cases[i].says))
			fail_msg("'%s' does not say '%s'", fault.text, cases[i].says);
	}
}

static void test_wrong_certificate_names_both(void **unused)
{
	struct pve_fault fault = classify(HTTP_NOT_TRUSTED, 0, "");
	char shown[65], pinned[65];

	(void)unused;
	memset(shown, 'b', 64);
	memset(pinned, 'a', 64);
	shown[64] = pinned[64] = '\0';
	assert_int_equal(fault.class, PVE_NOT_TRUSTED);
	assert_non_null(strstr(fault.text, shown));
	assert_non_null(strstr(fault.text, pinned));
	assert_non_null(strstr(fault.text, "nothing was sent"));
}

static void test_what_speaks_against_an_endpoint(void **unused)
{
	(void)unused;
	assert_true(pve_is_endpoint_fault(PVE_UNREACHABLE));
	assert_true(pve_is_endpoint_fault(PVE_NO_PATH));
	assert_true(pve_is_endpoint_fault(PVE_NOT_TRUSTED));
	/* The same token and rights count everywhere. */
	assert_false(pve_is_endpoint_fault(PVE_AUTH));
	assert_false(pve_is_endpoint_fault(PVE_PERMISSION));
	for (int i = 0; i < PVE_CLASS_COUNT; i++)
		assert_true(str_starts(pve_class_counter((enum pve_class)i), "pve_"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_wrong_certificate_names_both),
		cmocka_unit_test(test_what_speaks_against_an_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
