/* SPDX-License-Identifier: MIT */
/*
 * What single values of jarvis.yaml must look like. Each check answers with the text in one normal form, so that
 * nobody behind it has to know the ways in which people write a fingerprint.
 */
#include "common/config_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <sys/un.h>

#include "common/path.h"
#include "common/url.h"

#define NAME_MAX_BYTES 64
#define HOST_MAX_BYTES 253
#define TOKEN_MAX_BYTES 128
#define PATH_MAX_BYTES 4000
#define FINGERPRINT_BYTES 32
#define MAC_BYTES 6
#define UNIT_MAX_BYTES 210
#define SENTENCE_MAX_BYTES 200
#define VMID_MIN 100
#define VMID_MAX 999999999

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

typedef bool (*check_fn)(struct arena *arena, const char *text, const char **ret);

/* TEXT consists of MIN to MAX bytes, all of them in ALLOWED. */
static bool consists_of(const char *text, const char *allowed, size_t min, size_t max)
{
	size_t n = strlen(text);

	return n >= min && n <= max && strspn(text, allowed) == n;
}

static bool is_name(const char *text)
{
	return consists_of(text, LETTERS DIGITS "_.-", 1, NAME_MAX_BYTES);
}

static char *lower_case(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* The FAMILY's number of bits when TEXT is an address of it, else 0. */
static unsigned address_bits(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return 32;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 128 : 0;
}

static bool check_name(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return is_name(text);
}

static bool check_base(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return consists_of(text, LOWER DIGITS "_-", 1, NAME_MAX_BYTES);
}

static bool check_host(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	if (address_bits(text) == 128)
		return true;
	return consists_of(text, LETTERS DIGITS ".-", 1, HOST_MAX_BYTES) && text[0] != '-' &&
	       text[0] != '.';
}

static bool check_address(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return address_bits(text) != 0;
}

static bool check_network(struct arena *arena, const char *text, _unused_ const char **ret)
{
	const char *slash = strchr(text, '/');
	const char *address = slash ? arena_strndup(arena, text, (size_t)(slash - text)) : text;
	unsigned bits = address_bits(address);
	int64_t prefix;

	if (!bits)
		return false;
	return !slash || config_int_parse(slash + 1, 0, bits, &prefix) == 0;
}

static bool check_path(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return text[0] == '/' && strlen(text) <= PATH_MAX_BYTES;
}

static bool check_folder(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return !path_objection(text);
}

/* Of an address the usual form: what a URL says is compared with it byte by byte. */
static bool check_url_host(struct arena *arena, const char *text, const char **ret)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	char usual[INET6_ADDRSTRLEN];

	*ret = lower_case(arena, text);
	if (inet_pton(AF_INET6, text, bytes) == 1 &&
	    inet_ntop(AF_INET6, bytes, usual, sizeof(usual)))
		*ret = arena_strdup(arena, usual);
	return url_host_is_good(*ret);
}

static bool check_scheme(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return str_eq(text, "https") || str_eq(text, "http");
}

static bool check_port(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	int64_t port;

	return config_int_parse(text, 1, 65535, &port) == 0;
}

static bool check_socket(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return text[0] == '/' && strlen(text) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static bool check_service(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return service_find(text) >= 0;
}

/* Proxmox: user@realm!name. */
static bool check_token(struct arena *arena, const char *text, _unused_ const char **ret)
{
	const char *at = strrchr(text, '@');
	const char *mark = at ? strchr(at, '!') : NULL;
	const char *user, *realm;

	if (!mark || strlen(text) > TOKEN_MAX_BYTES)
		return false;
	user = arena_strndup(arena, text, (size_t)(at - text));
	realm = arena_strndup(arena, at + 1, (size_t)(mark - at - 1));
	return *user && !strpbrk(user, " :/=!") && is_name(realm) && is_name(mark + 1);
}

/* Reads SIZE bytes in hex, with or without ':' between them all. */
static bool read_hex(const char *text, unsigned char *bytes, size_t size)
{
	bool has_colons = strlen(text) == size * 3 - 1;
	size_t step = has_colons ? 3 : 2;

	if (!has_colons && strlen(text) != size * 2)
		return false;
	for (size_t i = 0; i < size; i++, text += step) {
		char pair[3] = { text[0], text[1], '\0' };

		if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
			return false;
		if (has_colons && i + 1 < size && text[2] != ':')
			return false;
		bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return true;
}

static bool check_fingerprint(struct arena *arena, const char *text, const char **ret)
{
	unsigned char bytes[FINGERPRINT_BYTES];
	char *hex = arena_alloc(arena, 2 * sizeof(bytes) + 1);

	if (!read_hex(text, bytes, sizeof(bytes)))
		return false;
	hex_build(bytes, sizeof(bytes), hex);
	*ret = hex;
	return true;
}

static bool check_mac(struct arena *arena, const char *text, const char **ret)
{
	unsigned char b[MAC_BYTES];

	if (strlen(text) != 3 * sizeof(b) - 1 || !read_hex(text, b, sizeof(b)))
		return false;
	*ret = arena_printf(arena, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
			    b[5]);
	return true;
}

/* [v6] or a host name or v4 address. */
static bool is_origin_host(struct arena *arena, const char *host)
{
	size_t n = strlen(host);
	const char *ignored;

	if (host[0] == '[')
		return n > 2 && host[n - 1] == ']' &&
		       address_bits(arena_strndup(arena, host + 1, n - 2)) == 128;
	return !strchr(host, ':') && check_host(arena, host, &ignored);
}

static bool check_origin(struct arena *arena, const char *text, const char **ret)
{
	char *origin = lower_case(arena, text);
	const char *rest = str_starts(origin, "https://") ? origin + 8 :
			   str_starts(origin, "http://")  ? origin + 7 :
							    NULL;
	const char *colon = rest ? strrchr(rest, ':') : NULL;
	int64_t port;

	if (!rest)
		return false;
	*ret = origin;
	if (!colon || strchr(colon, ']'))
		return is_origin_host(arena, rest);
	return config_int_parse(colon + 1, 1, 65535, &port) == 0 &&
	       is_origin_host(arena, arena_strndup(arena, rest, (size_t)(colon - rest)));
}

/* ── objects: CLUSTER/… ────────────────────────────────────────────────────────────────────────────────────── */

static bool is_vmid(const char *text)
{
	int64_t vmid;

	return config_int_parse(text, VMID_MIN, VMID_MAX, &vmid) == 0;
}

/* Skips the cluster's name and its slash; NULL when there is none. */
static const char *skip_cluster(struct arena *arena, const char *text)
{
	const char *slash = strchr(text, '/');

	if (!slash || !is_name(arena_strndup(arena, text, (size_t)(slash - text))))
		return NULL;
	return slash + 1;
}

static bool check_guest(struct arena *arena, const char *text, _unused_ const char **ret)
{
	const char *rest = skip_cluster(arena, text);

	return rest && is_vmid(rest);
}

static bool check_member(struct arena *arena, const char *text, _unused_ const char **ret)
{
	const char *rest = skip_cluster(arena, text);

	return rest && is_name(rest);
}

static bool is_object(struct arena *arena, const char *text, bool any)
{
	const char *rest = skip_cluster(arena, text);

	if (!rest)
		return false;
	if (str_starts(rest, "guest/"))
		return is_vmid(rest + 6) || (any && str_eq(rest + 6, "*"));
	if (str_starts(rest, "node/"))
		return is_name(rest + 5) || (any && str_eq(rest + 5, "*"));
	return str_starts(rest, "storage/") &&
	       (is_name(rest + 8) || (any && str_eq(rest + 8, "*")));
}

static bool check_object(struct arena *arena, const char *text, _unused_ const char **ret)
{
	return is_object(arena, text, false);
}

static bool check_target(struct arena *arena, const char *text, _unused_ const char **ret)
{
	return is_object(arena, text, true);
}

/* ── on the nodes: what jarvis-act takes ───────────────────────────────────────────────────────────────────────── */

static bool check_unit(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	static const char *const kinds[] = {
		".service", ".socket", ".timer",  ".mount", ".automount",
		".swap",    ".path",   ".target", ".slice", ".scope",
	};
	const char *dot = strrchr(text, '.');

	if (!consists_of(text, LETTERS DIGITS "_.@-", 1, UNIT_MAX_BYTES) || !dot || dot == text ||
	    strchr(".@-", text[0]))
		return false;
	for (size_t i = 0; i < countof(kinds); i++) {
		if (str_eq(dot, kinds[i]))
			return true;
	}
	return false;
}

static bool check_word(_unused_ struct arena *arena, const char *text, _unused_ const char **ret)
{
	return is_name(text) && text[0] != '.' && text[0] != '-';
}

static bool check_sentence(_unused_ struct arena *arena, const char *text,
			   _unused_ const char **ret)
{
	return *text && strlen(text) <= SENTENCE_MAX_BYTES;
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct {
	check_fn fn;
	const char *allowed;
} checks[] = {
	[CHECK_host] = { check_host, "a host name or an IP address, without port" },
	[CHECK_address] = { check_address, "an IP address, such as 127.0.0.1 or ::" },
	[CHECK_network] = { check_network, "an IP address or a network, such as 10.0.0.0/8" },
	[CHECK_path] = { check_path, "an absolute path" },
	[CHECK_folder] = { check_folder,
			   "an absolute path but /, without . and .., // and a / at its end" },
	[CHECK_url_host] = { check_url_host, "a host name or an IP address, without port; none of "
					     "this machine, this link or of metadata" },
	[CHECK_scheme] = { check_scheme, "https or http" },
	[CHECK_port] = { check_port, "a port from 1 to 65535" },
	[CHECK_socket] = { check_socket, "an absolute path of at most 107 bytes" },
	[CHECK_name] = { check_name, "1 to 64 of A-Z a-z 0-9 _ . -" },
	[CHECK_base] = { check_base, "1 to 64 of a-z 0-9 _ -" },
	[CHECK_service] = { check_service, "the name of a service, such as proxmox-poller" },
	[CHECK_token] = { check_token,
			  "USER@REALM!NAME, without the token's secret, which belongs in a file" },
	[CHECK_fingerprint] = { check_fingerprint,
				"32 bytes in hex, with or without colons (SHA-256)" },
	[CHECK_mac] = { check_mac, "six bytes in hex with colons, such as bc:24:11:00:00:01" },
	[CHECK_origin] = { check_origin, "https://HOST or http://HOST, with :PORT where it is not "
					 "the usual, and no path" },
	[CHECK_guest] = { check_guest, "CLUSTER/VMID, such as home/101" },
	[CHECK_member] = { check_member, "CLUSTER/NAME" },
	[CHECK_object] = { check_object,
			   "CLUSTER/guest/VMID, CLUSTER/node/NODE or CLUSTER/storage/STORAGE" },
	[CHECK_target] = { check_target,
			   "CLUSTER/guest/VMID, CLUSTER/node/NODE or CLUSTER/storage/STORAGE, with "
			   "* for any in the last place" },
	[CHECK_unit] = { check_unit, "the full name of a systemd unit, such as smbd.service" },
	[CHECK_word] = { check_word, "1 to 64 of A-Z a-z 0-9 _ . -, the first no . or -" },
	[CHECK_sentence] = { check_sentence, "a sentence of at most 200 bytes" },
};

int config_check_text(enum config_check check, struct arena *arena, const char *text,
		      const char **ret)
{
	const char *normal = text;

	if (!checks[check].fn(arena, text, &normal))
		return -EINVAL;
	*ret = normal;
	return 0;
}

const char *config_check_allowed(enum config_check check)
{
	return checks[check].allowed;
}

/* ── numbers ───────────────────────────────────────────────────────────────────────────────────────────────── */

int config_int_parse(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	const char *digits = text[0] == '-' ? text + 1 : text;

	/* 0123 is octal to some readers of YAML. */
	if (digits[0] == '0' && digits[1])
		return -EINVAL;
	return str_to_i64(text, min, max, ret);
}

int config_duration_parse(const char *text, int64_t *ret)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
	};
	size_t n = strspn(text, DIGITS);
	int64_t value = 0;

	/* Nine digits of days still fit. */
	if (!n || n > 9 || (n > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (text[i] - '0');
	for (size_t i = 0; i < countof(units); i++) {
		if (str_eq(text + n, units[i].unit)) {
			*ret = value * units[i].ms;
			return 0;
		}
	}
	return -EINVAL;
}
