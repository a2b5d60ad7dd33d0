/* SPDX-License-Identifier: MIT */
/*
 * Paths and URLs that somebody else chose: what their text alone tells, and what addresses stand for.
 */
#include "common/path.h"
#include "common/str.h"
#include "common/url.h"
#include "tests/unit/check.h"

#include <string.h>

/* ── paths ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_paths(void **unused)
{
	static const char *const good[] = {
		"/srv",
		"/srv/share",
		"/srv/share/...",
		"/srv/share/..a",
		"/srv/share/a..",
		"/srv/.hidden",
		"/srv/my files/a b",
		"/srv/share/Z\xc3\xbcrich \xe6\x96\x87",
		"/srv/%2e%2e/x", /* nobody decodes a path: this is a folder's name */
		"/srv/-rf",
		"/srv/$(id);x",
		"/srv/a\\b",
	};
	static const char *const bad[] = {
		"",
		"/",
		"//",
		"srv",
		"./srv",
		"~/x",
		"/srv/",
		"/srv//share",
		"//srv",
		"/.",
		"/..",
		"/srv/.",
		"/srv/..",
		"/srv/./share",
		"/srv/share/../../etc/shadow",
		"/../etc",
		" /srv",
		"/srv ",
		"/ srv",
		"/srv/a /b",
		"/srv/a  b",
		"/srv/a\nb",
		"/srv/a\tb",
		"/srv/\x1b[2J",
		"/srv/\x7f",
		"/srv/\xff",
		"/srv/\xc0\xae\xc0\xae/etc", /* overlong dots */
		"/srv/\xed\xa0\x80",
		"/srv/\xe2\x80\xae"
		"gpj.exe", /* right to left */
		"/srv/sh\xe2\x80\x8b"
		"are", /* no width */
		"/srv/a\xc2\xa0"
		"b", /* a blank that is none */
		"/srv/a\xe3\x80\x80"
		"b",
		"/srv/\xe2\xa0\x80",
		"/srv/\xef\xbb\xbf"
		"x",
		"/srv/a\xc2\x85"
		"b",
		"file:///srv/share",
	};
	char longest[PATH_TEXT_MAX + 2];

	(void)unused;
	for (size_t i = 0; i < countof(good); i++) {
		if (path_objection(good[i]))
			fail_msg("%s: %s", good[i], path_objection(good[i]));
	}
	for (size_t i = 0; i < countof(bad); i++) {
		if (!path_objection(bad[i]))
			fail_msg("row %zu: %s", i, bad[i]);
	}
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[PATH_TEXT_MAX] = '\0';
	assert_null(path_objection(longest));
	longest[PATH_TEXT_MAX] = 'x';
	longest[PATH_TEXT_MAX + 1] = '\0';
	assert_non_null(path_objection(longest));
}

static void test_below(void **unused)
{
	static const struct {
		const char *path, *folder;
		bool below, touches;
	} rows[] = {
		{ "/srv/share", "/srv/share", true, true },
		{ "/srv/share/a", "/srv/share", true, true },
		{ "/srv/share/a/b", "/srv/share", true, true },
		{ "/srv/share2", "/srv/share", false, false },
		{ "/srv/share-old/x", "/srv/share", false, false },
		{ "/srv/shar", "/srv/share", false, false },
		{ "/srv/Share", "/srv/share", false, false },
		{ "/srv/share\xcc\x81", "/srv/share", false, false },
		{ "/srv", "/srv/share", false, true },
		{ "/var/log", "/srv/share", false, false },
		{ "/x/srv/share", "/srv/share", false, false },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		if (path_is_below(rows[i].path, rows[i].folder) != rows[i].below ||
		    path_touches(rows[i].path, rows[i].folder) != rows[i].touches)
			fail_msg("%s %s", rows[i].path, rows[i].folder);
	}
}

static void test_forbidden(void **unused)
{
	static const char *const never[] = {
		"/etc",	     "/etc/shadow", "/etc/pve",	       "/etc/pve/priv/authkey.key",
		"/root",     "/root/.ssh",  "/proc/self/root", "/sys",
		"/dev/sda",  "/boot/efi",   "/usr/bin/sudo",   "/run/systemd",
		"/var/run",  "/var",	    "/var/lib",	       "/var/lib/vz",
		"/srv",	     "/srv/jarvis", "/lib64",	       "/var/lib/vz/images/100",
		"/bin/bash", "/var/spool",  "/var/spool/cron", "/var/lib/jarvis/audit",
	};
	static const char *const may[] = {
		"/srv/share", "/srv/jarvis2", "/var/log", "/var/lib/vz/template/iso", "/home/x",
		"/etcetera",  "/roots",	      "/mnt",	  "/var/lib/vz/dump",	      "/tmp",
	};

	(void)unused;
	for (size_t i = 0; i < countof(never); i++) {
		if (!path_forbidden(never[i]))
			fail_msg("%s", never[i]);
	}
	for (size_t i = 0; i < countof(may); i++) {
		if (path_forbidden(may[i]))
			fail_msg("%s: %s", may[i], path_forbidden(may[i]));
	}
}

/* ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_addresses(void **unused)
{
	static const struct {
		const char *text;
		enum address_kind kind;
	} rows[] = {
		{ "151.101.2.132", ADDRESS_PUBLIC },
		{ "1.1.1.1", ADDRESS_PUBLIC },
		{ "100.128.0.1", ADDRESS_PUBLIC },
		{ "172.15.255.255", ADDRESS_PUBLIC },
		{ "172.32.0.1", ADDRESS_PUBLIC },
		{ "2a04:4e42::644", ADDRESS_PUBLIC },
		{ "2001:4860:4860::8888", ADDRESS_PUBLIC },
		{ "::ffff:1.1.1.1", ADDRESS_PUBLIC },
		{ "64:ff9b::101:101", ADDRESS_PUBLIC },
		{ "10.0.0.1", ADDRESS_PRIVATE },
		{ "172.16.0.1", ADDRESS_PRIVATE },
		{ "172.31.255.255", ADDRESS_PRIVATE },
		{ "192.168.1.50", ADDRESS_PRIVATE },
		{ "100.64.0.1", ADDRESS_PRIVATE },
		{ "198.19.255.255", ADDRESS_PRIVATE },
		{ "203.0.113.9", ADDRESS_PRIVATE },
		{ "250.1.2.3", ADDRESS_PRIVATE },
		{ "fd12::1", ADDRESS_PRIVATE },
		{ "fec0::1", ADDRESS_PRIVATE },
		{ "2001:db8::1", ADDRESS_PRIVATE },
		{ "2001::1", ADDRESS_PRIVATE },
		{ "::7f00:1", ADDRESS_PRIVATE }, /* "compatible", which nobody routes */
		{ "::ffff:10.0.0.1", ADDRESS_PRIVATE },
		{ "64:ff9b::a00:1", ADDRESS_PRIVATE },
		{ "64:ff9b:1::1", ADDRESS_PRIVATE },
		{ "2002:a00:1::", ADDRESS_PRIVATE },
		{ "100::1", ADDRESS_PRIVATE },
		{ "0.0.0.0", ADDRESS_NEVER },
		{ "0.1.2.3", ADDRESS_NEVER },
		{ "127.0.0.1", ADDRESS_NEVER },
		{ "127.255.255.254", ADDRESS_NEVER },
		{ "169.254.169.254", ADDRESS_NEVER },
		{ "169.254.0.1", ADDRESS_NEVER },
		{ "100.100.100.200", ADDRESS_NEVER },
		{ "168.63.129.16", ADDRESS_NEVER },
		{ "224.0.0.1", ADDRESS_NEVER },
		{ "239.255.255.250", ADDRESS_NEVER },
		{ "255.255.255.255", ADDRESS_NEVER },
		{ "::", ADDRESS_NEVER },
		{ "::1", ADDRESS_NEVER },
		{ "fe80::1", ADDRESS_NEVER },
		{ "febf::1", ADDRESS_NEVER },
		{ "ff02::1", ADDRESS_NEVER },
		{ "fd00:ec2::254", ADDRESS_NEVER },
		{ "::ffff:127.0.0.1", ADDRESS_NEVER },
		{ "::ffff:169.254.169.254", ADDRESS_NEVER },
		{ "64:ff9b::7f00:1", ADDRESS_NEVER },
		{ "64:ff9b::a9fe:a9fe", ADDRESS_NEVER },
		{ "2002:7f00:1::", ADDRESS_NEVER },
		{ "localhost", ADDRESS_NONE },
		{ "127.1", ADDRESS_NONE },
		{ "fe80::1%eth0", ADDRESS_NONE },
		{ "[::1]", ADDRESS_NONE },
		{ "", ADDRESS_NONE },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		if (url_address_kind(rows[i].text) != rows[i].kind)
			fail_msg("%s: %d", rows[i].text, url_address_kind(rows[i].text));
	}
}

static void test_hosts(void **unused)
{
	static const char *const good[] = { "deb.debian.org",  "nas",
					    "a_b.example.org", "192.168.1.50",
					    "2a04:4e42::1",    "0xg.example",
					    "1e100.net",       "xn--bcher-kva.example" };
	static const char *const bad[] = {
		"",
		".",
		"a.",
		".a",
		"a..b",
		"-a",
		"a-.b",
		"A.example",
		"a b",
		"a/b",
		"a%2eb",
		"a@b",
		"a:80",
		"b\xc3\xbc"
		"r",
		"127.1",
		"127.0.1",
		"2130706433",
		"0x7f000001",
		"0177.0.0.1",
		"127.0.0.01",
		"0x7f.0.0.1",
		"0x",
		"1.2.3.4.5",
		"0",
		"localhost",
		"a.localhost",
		"127.0.0.1",
		"0.0.0.0",
		"[::1]",
		"::1",
		"fe80::1",
		"2001:DB8::1",
		"2001:0db8::1",
		"::ffff:1.1.1.1%1",
		"169.254.169.254",
		"localhost.localdomain",
		"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1",
		"deb\xe3\x80\x82"
		"debian.org",
		"256.1.1.1",
		"1.1.1.1.",
	};
	char longest[URL_HOST_MAX + 3];

	(void)unused;
	for (size_t i = 0; i < countof(good); i++) {
		if (!url_host_is_good(good[i]))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < countof(bad); i++) {
		if (url_host_is_good(bad[i]))
			fail_msg("%s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[URL_HOST_MAX] = '\0';
	assert_true(url_host_is_good(longest));
	longest[URL_HOST_MAX] = '.';
	longest[URL_HOST_MAX + 2] = '\0';
	assert_false(url_host_is_good(longest));
}

/* ── URLs ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *const bad_urls[] = {
	"",
	"https://",
	"https:///x",
	"https:/a/x",
	"https:a/x",
	"//a/x",
	"a/x",
	"HTTPS://a/x",
	"ftp://a/x",
	"file:///etc/passwd",
	"gopher://a/x",
	"javascript:alert(1)",
	"https://a",
	"https://a?x",
	"https://a#x",
	"https://a/#x",
	"https://a/x#@b/",
	"https://u@a/x",
	"https://u:p@a/x",
	"https://a@b/x",
	"https://a:80@b/x",
	"https://a%40b/x",
	"https://a%2eb/x",
	"https://%61/x",
	"https://a\\@b/x",
	"https://a\\b/x",
	"https:\\\\a\\x",
	"https://a/x\\y",
	"https://a/\\..\\x",
	"https://a /x",
	"https://a/ x",
	"https://a/x\n",
	"https://a\n/x",
	"https://a\t/x",
	"https://\xe2\x80\xae"
	"a/x",
	"https://b\xc3\xbc"
	"cher.example/x",
	"https://a/\xc3\xbc",
	"https://\xef\xbd\x81/x",
	"https://A/x",
	"https://a./x",
	"https://.a/x",
	"https://a..b/x",
	"https://a:/x",
	"https://a:0/x",
	"https://a:00443/x",
	"https://a:0443/x",
	"https://a:65536/x",
	"https://a:99999999999999999999/x",
	"https://a:+443/x",
	"https://a:443x/x",
	"https://a:443:443/x",
	"https://127.0.0.1/",
	"https://127.1/",
	"https://0/",
	"https://0x7f000001/",
	"https://0x7f.1/",
	"https://2130706433/",
	"https://017700000001/",
	"https://0177.0.0.1/",
	"https://127.0.0.1./",
	"https://localhost/",
	"https://a.localhost/",
	"https://169.254.169.254/latest/meta-data/",
	"https://[::1]/",
	"https://[::]/",
	"https://[0:0:0:0:0:0:0:1]/",
	"https://[::ffff:127.0.0.1]/",
	"https://[::ffff:7f00:1]/",
	"https://[fe80::1%25eth0]/",
	"https://[fe80::1]/",
	"https://[fd00:ec2::254]/",
	"https://[64:ff9b::7f00:1]/",
	"https://[2A04:4e42::1]/",
	"https://[2a04:4e42:0::1]/",
	"https://[a]/",
	"https://[192.168.1.50]/",
	"https://[2a04:4e42::1/",
	"https://2a04:4e42::1/",
	"https://[2a04:4e42::1]x/",
	"https://[]/",
	"https://[",
	"https://a/../b",
	"https://a/b/..",
	"https://a/./b",
	"https://a/b/.",
	"https://a/%2e%2e/b",
	"https://a/%2E./b",
	"https://a/b%2fc",
	"https://a/b%5cc",
	"https://a/b%00",
	"https://a/b%0a",
	"https://a/b%0d%0aHost:x",
	"https://a/b%20c",
	"https://a/b%7f",
	"https://a/b%252e",
	"https://a/b%",
	"https://a/b%4",
	"https://a/b%zz",
	"https://a/$x",
	"https://a/`x`",
	"https://a/'x",
	"https://a/x|y",
	"https://a/<x>",
};

static void test_urls(void **unused)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		bool is_https;
	} good[] = {
		{ "https://deb.debian.org/", "deb.debian.org", 443, true },
		{ "http://deb.debian.org/a/b.iso", "deb.debian.org", 80, false },
		{ "https://deb.debian.org:8443/a?x=1&y=%C3%BC", "deb.debian.org", 8443, true },
		{ "https://192.168.1.50/", "192.168.1.50", 443, true },
		{ "https://[2a04:4e42::1]:444/x", "2a04:4e42::1", 444, true },
		{ "https://a/b@c:d", "a", 443, true },
		{ "https://a/http://b/", "a", 443, true },
		{ "https://a//b", "a", 443, true },
	};
	char longest[URL_TEXT_MAX + 2];
	struct url_parts url = { 0 };

	(void)unused;
	for (size_t i = 0; i < countof(good); i++) {
		const char *why = url_objection(good[i].text, &url);

		if (why || !str_eq(url.host, good[i].host) || url.port != good[i].port ||
		    url.is_https != good[i].is_https || url.path[0] != '/')
			fail_msg("%s: %s", good[i].text, why ? why : url.host);
	}
	for (size_t i = 0; i < countof(bad_urls); i++) {
		if (!url_objection(bad_urls[i], &url))
			fail_msg("%s", bad_urls[i]);
	}
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "https://a/", strlen("https://a/"));
	longest[URL_TEXT_MAX] = '\0';
	assert_null(url_objection(longest, &url));
	longest[URL_TEXT_MAX] = 'x';
	longest[URL_TEXT_MAX + 1] = '\0';
	assert_non_null(url_objection(longest, &url));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),	  cmocka_unit_test(test_below),
		cmocka_unit_test(test_forbidden), cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hosts),	  cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
