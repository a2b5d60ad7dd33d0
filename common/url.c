/* SPDX-License-Identifier: MIT */
/*
 * Our own reader and not libcurl's, which takes 127.1 and 0x7f000001 for addresses, decodes %-signs in hosts and mends
 * what is wrong: here whatever would need that is refused. tests/fuzz/fuzz_place.c holds the two against each other.
 */
#include "common/url.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/str.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define LABEL_MAX 63
#define V4_BYTES 4
#define V6_BYTES 16

/* ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────── */

struct network {
	unsigned char address[V6_BYTES];
	unsigned bits;
	enum address_kind kind;
};

/* The first that fits. */
static const struct network networks_v4[] = {
	{ { 0 }, 8, ADDRESS_NEVER },
	{ { 127 }, 8, ADDRESS_NEVER },
	{ { 169, 254 }, 16, ADDRESS_NEVER },
	/* Metadata of Alibaba, Azure and Oracle, where they are outside 169.254. */
	{ { 100, 100, 100, 200 }, 32, ADDRESS_NEVER },
	{ { 168, 63, 129, 16 }, 32, ADDRESS_NEVER },
	{ { 192, 0, 0, 192 }, 32, ADDRESS_NEVER },
	{ { 224 }, 4, ADDRESS_NEVER },
	{ { 255, 255, 255, 255 }, 32, ADDRESS_NEVER },
	{ { 10 }, 8, ADDRESS_PRIVATE },
	{ { 100, 64 }, 10, ADDRESS_PRIVATE },
	{ { 172, 16 }, 12, ADDRESS_PRIVATE },
	{ { 192, 0, 0 }, 24, ADDRESS_PRIVATE },
	{ { 192, 0, 2 }, 24, ADDRESS_PRIVATE },
	{ { 192, 88, 99 }, 24, ADDRESS_PRIVATE },
	{ { 192, 168 }, 16, ADDRESS_PRIVATE },
	{ { 198, 18 }, 15, ADDRESS_PRIVATE },
	{ { 198, 51, 100 }, 24, ADDRESS_PRIVATE },
	{ { 203, 0, 113 }, 24, ADDRESS_PRIVATE },
	{ { 240 }, 4, ADDRESS_PRIVATE },
};

/* What is none of them is not routed: 2000::/3 is all there is of the internet. */
static const struct network networks_v6[] = {
	{ { 0 }, 127, ADDRESS_NEVER }, /* :: and ::1 */
	{ { 0xfe, 0x80 }, 10, ADDRESS_NEVER },
	{ { 0xff }, 8, ADDRESS_NEVER },
	{ { 0xfd, 0x00, 0x0e, 0xc2 }, 32, ADDRESS_NEVER }, /* metadata of Amazon */
	{ { 0x20, 0x01, 0x00 }, 23, ADDRESS_PRIVATE },	   /* Teredo and other protocols */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDRESS_PRIVATE },
	{ { 0x3f, 0xff }, 20, ADDRESS_PRIVATE },
	{ { 0x20 }, 3, ADDRESS_PUBLIC },
	{ { 0 }, 0, ADDRESS_PRIVATE },
};

/* IPv6 that stands for an IPv4 address: which bytes are it. */
static const struct {
	struct network of;
	size_t at;
} embedded[] = {
	{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96, ADDRESS_NONE }, 12 }, /* mapped */
	{ { { 0, 0x64, 0xff, 0x9b }, 96, ADDRESS_NONE }, 12 },			    /* NAT64 */
	{ { { 0x20, 0x02 }, 16, ADDRESS_NONE }, 2 },				    /* 6to4 */
};

static bool is_in_network(const unsigned char *address, const struct network *network)
{
	size_t bytes = network->bits / 8;
	unsigned left = network->bits % 8;

	return memcmp(address, network->address, bytes) == 0 &&
	       (!left || (address[bytes] ^ network->address[bytes]) >> (8 - left) == 0);
}

static enum address_kind kind_of(const unsigned char *address, const struct network *networks,
				 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_in_network(address, &networks[i]))
			return networks[i].kind;
	}
	return ADDRESS_PUBLIC;
}

enum address_kind url_address_kind(const char *text)
{
	unsigned char bytes[V6_BYTES];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return kind_of(bytes, networks_v4, countof(networks_v4));
	if (inet_pton(AF_INET6, text, bytes) != 1)
		return ADDRESS_NONE;
	for (size_t i = 0; i < countof(embedded); i++) {
		if (is_in_network(bytes, &embedded[i].of))
			return kind_of(bytes + embedded[i].at, networks_v4, countof(networks_v4));
	}
	return kind_of(bytes, networks_v6, countof(networks_v6));
}

/* ── hosts ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_usual_form(const char *text)
{
	unsigned char bytes[V6_BYTES];
	char usual[INET6_ADDRSTRLEN];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	return inet_pton(family, text, bytes) == 1 &&
	       inet_ntop(family, bytes, usual, sizeof(usual)) && str_eq(usual, text);
}

/* Letters, digits and "-" within, and an underscore where people have one. */
static bool is_label(const char *at, size_t n)
{
	return n && n <= LABEL_MAX && strspn(at, LOWER DIGITS "-_") >= n && at[0] != '-' &&
	       at[n - 1] != '-';
}

/* 127.1, 2130706433, 0x7f000001, 0177.0.0.1: addresses to some, and names to others. */
static bool is_number_to_some(const char *last)
{
	return strspn(last, DIGITS) == strlen(last) ||
	       (str_starts(last, "0x") && strspn(last + 2, DIGITS "abcdef") == strlen(last + 2));
}

static bool is_host_name(const char *text)
{
	const char *last = text;

	if (!*text || strlen(text) > URL_HOST_MAX)
		return false;
	for (const char *at = text;; at = last) {
		size_t n = strcspn(at, ".");

		if (!is_label(at, n))
			return false;
		if (!at[n])
			break;
		last = at + n + 1;
	}
	return !is_number_to_some(last) && !str_eq(last, "localhost") &&
	       !str_eq(last, "localdomain") && !str_eq(text, "ip6-localhost") &&
	       !str_eq(text, "ip6-loopback");
}

bool url_host_is_good(const char *text)
{
	enum address_kind kind = url_address_kind(text);

	if (kind == ADDRESS_NONE)
		return is_host_name(text);
	return kind != ADDRESS_NEVER && is_usual_form(text);
}

/* ── the whole ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* Whether what stands in TEXT as %XX may: never what a reader behind it could take for syntax. */
static bool is_escape(const char *text)
{
	int high = hex_digit((unsigned char)text[1]);
	int low = high < 0 ? -1 : hex_digit((unsigned char)text[2]);
	int c = high * 16 + low;

	return high >= 0 && low >= 0 && c > 0x20 && c != 0x7f && !strchr("%./\\", c);
}

static const char *path_wrong(const char *path)
{
	static const char allowed[] = LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "/._~-+%=&?,;@:!";

	if (path[0] != '/')
		return "has no path; at least a / belongs behind the host";
	if (strspn(path, allowed) < strlen(path))
		return "has characters that a URL must not have, or a fragment";
	if (strstr(path, "..") || strstr(path, "/./") || str_ends(path, "/."))
		return "has a component . or ..";
	for (const char *at = strchr(path, '%'); at; at = strchr(at + 1, '%')) {
		if (!is_escape(at))
			return "hides a character behind a % sign";
	}
	return NULL;
}

/* Takes the host at *TEXT, and moves on to what stands behind it. */
static bool take_host(const char **text, char ret[URL_HOST_MAX + 1])
{
	bool has_brackets = (*text)[0] == '[';
	const char *begin = *text + has_brackets;
	size_t n = strcspn(begin, has_brackets ? "]" : ":/?#@\\");

	if (!n || n > URL_HOST_MAX)
		return false;
	memcpy(ret, begin, n);
	ret[n] = '\0';
	*text = begin + n + has_brackets;
	/* Brackets that are not closed would lead beyond the end. */
	if (has_brackets && begin[n] != ']')
		return false;
	return url_host_is_good(ret) && has_brackets == (strchr(ret, ':') != NULL);
}

static bool take_port(const char **text, unsigned *ret)
{
	char digits[6] = "";
	size_t n;
	int64_t port;

	if ((*text)[0] != ':')
		return true;
	n = strspn(++*text, DIGITS);
	if (!n || n >= sizeof(digits) || (*text)[0] == '0')
		return false;
	memcpy(digits, *text, n);
	*text += n;
	if (str_to_i64(digits, 1, 65535, &port) < 0)
		return false;
	*ret = (unsigned)port;
	return true;
}

const char *url_objection(const char *text, struct url_parts *ret)
{
	struct url_parts parts = { .is_https = str_starts(text, "https://") };
	const char *at = text + (parts.is_https ? 8 : 7), *why;

	if (strlen(text) > URL_TEXT_MAX)
		return "is longer than 512 bytes";
	if (!parts.is_https && !str_starts(text, "http://"))
		return "does not begin with https:// or http://";
	parts.port = parts.is_https ? 443 : 80;
	if (!take_host(&at, parts.host))
		return "has a host that is none, or that nobody may be sent to";
	if (!take_port(&at, &parts.port))
		return "has a port that is none";
	why = path_wrong(at);
	if (why)
		return why;
	parts.path = at;
	*ret = parts;
	return NULL;
}
