/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end: fingerprints, CA files, names, and that a request never leaves for the
 * wrong one — neither on a new connection nor on a kept one.
 */
#include "common/alloc.h"
#include "common/http.h"
#include "common/str.h"
#include "tests/unit/http_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/check.h"

static const char *const secret[] = { "Authorization: PVEAPIToken=SECRET", NULL };

static enum http_server_then say_ok(struct http_server_call *call)
{
	http_server_answer(call, "200 OK", call->headers);
	return SERVER_KEEPS;
}

static void assert_not_trusted(const struct answer *answer)
{
	print_message("%s\n", answer->error);
	assert_int_equal(answer->outcome, HTTP_NOT_TRUSTED);
	assert_false(answer->sent);
	assert_int_equal(answer->body_len, 0);
	assert_null(strstr(answer->error, "SECRET"));
}

/* ── fingerprints ────────────────────────────────────────────────────────────────────────────── */

static char *without_colons(const char *text)
{
	struct str s = { 0 };

	for (; *text; text++) {
		if (*text != ':')
			str_add_char(&s, (char)(*text | 0x20)); /* lower case */
	}
	return str_take(&s);
}

static void test_right_fingerprint(void **state)
{
	struct http_request request = { .method = "GET", .headers = secret };
	_cleanup_(freep) char *plain = NULL;
	struct fixture f;

	(void)state;
	fixture_init(&f, say_ok, NULL);
	request.url = fixture_url(&f, "/");
	request.fingerprint = f.cert.fingerprint;
	assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_ANSWERED);
	assert_string_equal(f.answer.fingerprint, f.cert.fingerprint);
	request.fingerprint = plain = without_colons(f.cert.fingerprint);
	assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_ANSWERED);
	fixture_done(&f);
}

/*
 * With a pin, expiry and name are not asked: a self-signed certificate of a node may have neither
 * right.
 */
static void test_pin_alone_decides(void **state)
{
	struct http_request request = { .method = "GET" };
	struct test_cert old;
	struct fixture f;

	(void)state;
	fixture_init(&f, say_ok, NULL);
	test_cert_make(&old, "DNS:elsewhere.example", -1, NULL);
	http_server_set_cert(f.server, &old);
	request.url = fixture_url(&f, "/");
	request.fingerprint = old.fingerprint;
	assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_ANSWERED);
	fixture_done(&f);
	test_cert_done(&old);
}

static void test_wrong_fingerprint(void **state)
{
	struct http_request request = { .method = "GET", .headers = secret };
	struct test_cert other;
	struct fixture f;
	struct answer *answer;

	(void)state;
	fixture_init(&f, say_ok, NULL);
	test_cert_make(&other, "IP:127.0.0.1", 30, NULL);
	request.url = fixture_url(&f, "/");
	request.fingerprint = other.fingerprint;
	request.fingerprint_key = "clusters.home.nodes.pve.fingerprint";
	answer = fixture_send(&f, &request);
	assert_not_trusted(answer);
	assert_string_equal(answer->fingerprint, f.cert.fingerprint);
	assert_non_null(strstr(answer->error, f.cert.fingerprint));
	assert_non_null(strstr(answer->error, other.fingerprint));
	assert_non_null(strstr(answer->error, "clusters.home.nodes.pve.fingerprint"));

	request.method = "POST";
	request.body = "secret=SECRET";
	request.body_len = strlen(request.body);
	assert_not_trusted(fixture_send(&f, &request));
	assert_int_equal(http_server_counts(f.server).connections, 2);
	assert_int_equal(http_server_counts(f.server).bytes, 0);
	fixture_done(&f);
	test_cert_done(&other);
}

/* One bit of the fingerprint is enough to be refused. */
static void test_almost_right_fingerprint(void **state)
{
	struct http_request request = { .method = "GET" };
	struct fixture f;
	char pin[96];

	(void)state;
	fixture_init(&f, say_ok, NULL);
	request.url = fixture_url(&f, "/");
	request.fingerprint = pin;
	for (size_t i = 0; i < 32; i++) {
		(void)snprintf(pin, sizeof(pin), "%s", f.cert.fingerprint);
		pin[3 * i + 1] = pin[3 * i + 1] == '0' ? '1' : '0';
		assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_NOT_TRUSTED);
	}
	assert_int_equal(http_server_counts(f.server).bytes, 0);
	fixture_done(&f);
}

static void test_no_such_fingerprint(void **state)
{
	static const char *const pins[] = {
		"",
		"AA:BB",
		"zz:22:33:44:55:66:77:88:99:00:11:22:33:44:55:66:77:88:99:00:11:22:33:44:55:66:77:"
		"88:99:00:11:22",
		"11-22-33-44-55-66-77-88-99-00-11-22-33-44-55-66-77-88-99-00-11-22-33-44-55-66-77-"
		"88-99-00-11-22",
		"sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		NULL, /* and no CA file */
	};
	struct http_request request = { .method = "GET" };
	struct fixture f;

	(void)state;
	fixture_init(&f, say_ok, NULL);
	request.url = fixture_url(&f, "/");
	for (size_t i = 0; i < countof(pins); i++) {
		request.fingerprint = pins[i];
		assert_not_trusted(fixture_send(&f, &request));
	}
	assert_int_equal(http_server_counts(f.server).connections, 0);
	fixture_done(&f);
}

/* A kept connection, opened for one fingerprint, is not for a request that expects another. */
static void test_kept_connection_and_other_pin(void **state)
{
	struct http_request request = { .method = "GET", .headers = secret };
	struct test_cert other;
	struct fixture f;
	size_t bytes;

	(void)state;
	fixture_init(&f, say_ok, NULL);
	test_cert_make(&other, "IP:127.0.0.1", 30, NULL);
	request.url = fixture_url(&f, "/");
	request.fingerprint = f.cert.fingerprint;
	assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_ANSWERED);
	bytes = http_server_counts(f.server).bytes;
	assert_true(bytes > 0);

	request.fingerprint = other.fingerprint;
	assert_not_trusted(fixture_send(&f, &request));
	assert_int_equal(http_server_counts(f.server).bytes, bytes);

	/* The renewed certificate: the same request succeeds on a new connection. */
	request.fingerprint = f.cert.fingerprint;
	assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_ANSWERED);
	http_server_set_cert(f.server, &other);
	request.fingerprint = other.fingerprint;
	assert_int_equal(fixture_send(&f, &request)->outcome, HTTP_ANSWERED);
	assert_string_equal(f.answer.fingerprint, other.fingerprint);
	/* And nothing goes back to the old one. */
	request.fingerprint = f.cert.fingerprint;
	assert_not_trusted(fixture_send(&f, &request));
	assert_string_equal(f.answer.fingerprint, other.fingerprint);
	fixture_done(&f);
	test_cert_done(&other);
}

static enum http_server_then renegotiate_on_second(struct http_server_call *call)
{
	if (call->nth == 1)
		return say_ok(call);
	http_server_renegotiate(call);
	return SERVER_CUTS;
}

/* A second handshake on a connection would be judged by whoever opened it, who may be gone. */
static void test_renegotiation_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, renegotiate_on_second, NULL);
	http_server_set_tls12(f.server);
	assert_int_equal(fixture_get(&f, "/")->outcome, HTTP_ANSWERED);
	/* The kept connection breaks over it, and the request is made again on a new one. */
	assert_int_equal(fixture_get(&f, "/")->outcome, HTTP_ANSWERED);
	assert_int_equal(http_server_counts(f.server).connections, 2);
	fixture_done(&f);
}

/* ── CA files ────────────────────────────────────────────────────────────────────────────────── */

struct authority {
	struct fixture f;
	struct test_cert ca;
	char path[64];
};

static void authority_init(struct authority *a)
{
	struct http_options options = { .ca_file = a->path };
	int fd;

	(void)snprintf(a->path, sizeof(a->path), "/tmp/test_http_ca.XXXXXX");
	fd = mkstemp(a->path);
	assert_true(fd >= 0);
	close(fd);
	test_cert_make(&a->ca, NULL, 30, NULL);
	test_cert_write(&a->ca, a->path);
	fixture_init(&a->f, say_ok, &options);
}

static void authority_done(struct authority *a)
{
	fixture_done(&a->f);
	test_cert_done(&a->ca);
	(void)unlink(a->path);
}

static void test_certificates_by_ca(void **state)
{
	static const struct {
		const char *san;
		int days;
		bool is_ours;
		const char *server_name;
		const char *error; /* NULL: trusted */
	} cases[] = {
		{ "IP:127.0.0.1", 30, true, NULL, NULL },
		{ "DNS:pve.home.arpa", 30, true, "pve.home.arpa", NULL },
		{ "DNS:pve.home.arpa,IP:192.0.2.7", 30, true, "192.0.2.7", NULL },
		{ "DNS:pve.home.arpa", 30, true, NULL, "not for the name 127.0.0.1" },
		{ "DNS:pve.home.arpa", 30, true, "agent.home.arpa",
		  "not for the name agent.home.arpa" },
		{ "IP:127.0.0.1", 30, true, "pve.home.arpa", "not for the name pve.home.arpa" },
		{ "IP:127.0.0.1", -1, true, NULL, "expired" },
		{ "IP:127.0.0.1", 30, false, NULL, "is not vouched for by" },
	};
	struct authority a;
	size_t bytes = 0;

	(void)state;
	authority_init(&a);
	for (size_t i = 0; i < countof(cases); i++) {
		struct http_request request = { .method = "GET", .headers = secret };
		struct test_cert cert;
		struct answer *answer;

		test_cert_make(&cert, cases[i].san, cases[i].days, cases[i].is_ours ? &a.ca : NULL);
		http_server_set_cert(a.f.server, &cert);
		request.url = fixture_url(&a.f, "/");
		request.server_name = cases[i].server_name;
		/*
		 * A POST always opens a new connection, so that each case sees its own certificate.
		 */
		request.method = "POST";
		answer = fixture_send(&a.f, &request);
		assert_string_equal(answer->fingerprint, cert.fingerprint);
		if (cases[i].error) {
			assert_not_trusted(answer);
			assert_non_null(strstr(answer->error, cases[i].error));
			assert_int_equal(http_server_counts(a.f.server).bytes, bytes);
		} else {
			assert_int_equal(answer->outcome, HTTP_ANSWERED);
			bytes = http_server_counts(a.f.server).bytes;
		}
		test_cert_done(&cert);
	}
	authority_done(&a);
}

static void test_host_header_is_server_name(void **state)
{
	struct http_request request = { .method = "GET", .server_name = "pve.home.arpa" };
	struct test_cert cert;
	struct authority a;

	(void)state;
	authority_init(&a);
	test_cert_make(&cert, "DNS:pve.home.arpa", 30, &a.ca);
	http_server_set_cert(a.f.server, &cert);
	request.url = fixture_url(&a.f, "/");
	for (int i = 0; i < 2; i++) {
		struct answer *answer = fixture_send(&a.f, &request);

		assert_int_equal(answer->outcome, HTTP_ANSWERED);
		assert_non_null(strstr(answer->body, "\r\nHost: pve.home.arpa:"));
	}
	assert_int_equal(http_server_counts(a.f.server).connections, 1);
	authority_done(&a);
	test_cert_done(&cert);
}

/* Neither a name nor a pin lends its connection to requests with other expectations. */
static void test_kept_connection_and_other_name(void **state)
{
	struct http_request request = { .method = "GET", .headers = secret };
	struct test_cert cert;
	struct authority a;
	size_t bytes;

	(void)state;
	authority_init(&a);
	test_cert_make(&cert, "DNS:pve.home.arpa", 30, &a.ca);
	http_server_set_cert(a.f.server, &cert);
	request.url = fixture_url(&a.f, "/");
	request.server_name = "pve.home.arpa";
	assert_int_equal(fixture_send(&a.f, &request)->outcome, HTTP_ANSWERED);
	bytes = http_server_counts(a.f.server).bytes;
	request.server_name = "agent.home.arpa";
	assert_not_trusted(fixture_send(&a.f, &request));
	request.server_name = NULL;
	assert_not_trusted(fixture_send(&a.f, &request));
	assert_int_equal(http_server_counts(a.f.server).bytes, bytes);

	request.fingerprint = cert.fingerprint;
	assert_int_equal(fixture_send(&a.f, &request)->outcome, HTTP_ANSWERED);
	bytes = http_server_counts(a.f.server).bytes;
	request.fingerprint = NULL;
	assert_not_trusted(fixture_send(&a.f, &request));
	assert_int_equal(http_server_counts(a.f.server).bytes, bytes);
	authority_done(&a);
	test_cert_done(&cert);
}

static void test_bad_server_name(void **state)
{
	static const char *const names[] = { "", "a/b", "a b", "a@b", "a#", "a?b", "a\r\nb" };
	struct http_request request = { .method = "GET" };
	struct authority a;

	(void)state;
	authority_init(&a);
	request.url = fixture_url(&a.f, "/");
	for (size_t i = 0; i < countof(names); i++) {
		request.server_name = names[i];
		assert_int_equal(fixture_send(&a.f, &request)->outcome, HTTP_REFUSED);
	}
	assert_int_equal(http_server_counts(a.f.server).connections, 0);
	authority_done(&a);
}

static void test_ca_file_that_is_none(void **state)
{
	struct http_options options = { 0 };
	struct http *http = NULL;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	options.loop = &loop;
	options.ca_file = "/nowhere/ca.pem";
	assert_int_equal(http_new(&options, &http), -ENOENT);
	options.ca_file = "/dev/null";
	assert_int_equal(http_new(&options, &http), -EINVAL);
	options.ca_file = "/";
	assert_true(http_new(&options, &http) < 0);
	assert_null(http);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_fingerprint),
		cmocka_unit_test(test_pin_alone_decides),
		cmocka_unit_test(test_wrong_fingerprint),
		cmocka_unit_test(test_almost_right_fingerprint),
		cmocka_unit_test(test_no_such_fingerprint),
		cmocka_unit_test(test_kept_connection_and_other_pin),
		cmocka_unit_test(test_renegotiation_is_refused),
		cmocka_unit_test(test_certificates_by_ca),
		cmocka_unit_test(test_host_header_is_server_name),
		cmocka_unit_test(test_kept_connection_and_other_name),
		cmocka_unit_test(test_bad_server_name),
		cmocka_unit_test(test_ca_file_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
