/* SPDX-License-Identifier: MIT */
/*
 * Paths and URLs of any bytes. What must hold: a path that may be asked for is below exactly its own folders and is
 * what the C library would make of it; a URL that may be is the same to libcurl, whose reader many programs share.
 */
#include "common/alloc.h"
#include "common/path.h"
#include "common/str.h"
#include "common/url.h"

#include <curl/curl.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_path(const char *path)
{
	_cleanup_(freep) char *beside = xasprintf("%s2", path);
	_cleanup_(freep) char *inside = xasprintf("%s/x", path);
	_cleanup_(freep) char *above = xstrdup(path);

	require(path[0] == '/' && path[1] && !strstr(path, "//") && !str_ends(path, "/"));
	require(!strstr(path, "/../") && !strstr(path, "/./") && !str_ends(path, "/..") &&
		!str_ends(path, "/."));
	require(path_is_below(path, path) && path_is_below(inside, path));
	require(!path_is_below(beside, path) && !path_touches(beside, path));
	/* Whatever is cut off at a slash is above it, and what is cut elsewhere is not. */
	for (size_t n = strlen(path) - 1; n > 0; n--) {
		above[n] = '\0';
		require(path_is_below(path, above) == (path[n] == '/'));
		if (path[n] == '/' && path_forbidden(above) &&
		    path_is_below(above, path_forbidden(above)))
			require(path_forbidden(path));
	}
}

static bool is_same(CURLU *url, CURLUPart part, const char *wanted)
{
	char *found = NULL;
	bool same = curl_url_get(url, part, &found, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    str_eq(found, wanted);

	curl_free(found);
	return same;
}

static bool has_none(CURLU *url, CURLUPart part)
{
	char *found = NULL;
	bool none = curl_url_get(url, part, &found, 0) != CURLUE_OK;

	curl_free(found);
	return none;
}

static void check_url(const char *text, const struct url_parts *parts)
{
	CURLU *url = curl_url();
	_cleanup_(freep) char *port = xasprintf("%u", parts->port);
	_cleanup_(freep) char *host =
		xasprintf(strchr(parts->host, ':') ? "[%s]" : "%s", parts->host);

	require(url && url_host_is_good(parts->host));
	require(url_address_kind(parts->host) != ADDRESS_NEVER);
	require(curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK);
	require(is_same(url, CURLUPART_SCHEME, parts->is_https ? "https" : "http"));
	require(is_same(url, CURLUPART_HOST, host) && is_same(url, CURLUPART_PORT, port));
	require(has_none(url, CURLUPART_USER) && has_none(url, CURLUPART_PASSWORD));
	require(has_none(url, CURLUPART_FRAGMENT) && has_none(url, CURLUPART_ZONEID));
	curl_url_cleanup(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xmalloc(size + 1);
	struct url_parts parts;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!path_objection(text))
		check_path(text);
	else if (!url_objection(text, &parts))
		check_url(text, &parts);
	else if (url_host_is_good(text))
		require(url_address_kind(text) != ADDRESS_NEVER);
	return 0;
}
