/* SPDX-License-Identifier: MIT */
/*
 * Requests and answers as data.
 */
#include "services/gateway/request.h"

#include <errno.h>
#include <strings.h>

#include "common/codec.h"

static const struct {
	int status;
	const char *text;
} statuses[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

const char *status_text(int status)
{
	for (size_t i = 0; i < countof(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].text;
	}
	return status < 400 ? "OK" : "Error";
}

void response_done(struct response *response)
{
	str_done(&response->headers);
	str_done(&response->body);
	*response = (struct response){ 0 };
}

void response_problem(struct response *response, int status, const char *detail)
{
	struct msg_problem problem = {
		.type = "about:blank",
		.title = status_text(status),
		.status = status,
		.detail = detail,
	};

	response->status = status;
	response->type = "application/problem+json";
	str_clear(&response->body);
	codec_encode(&message_problem, &problem, &response->body);
}

enum http_method method_parse(const char *method)
{
	static const struct {
		const char *word;
		enum http_method method;
	} words[] = {
		{ "GET", METHOD_GET }, { "HEAD", METHOD_GET },	    { "POST", METHOD_POST },
		{ "PUT", METHOD_PUT }, { "DELETE", METHOD_DELETE },
	};

	for (size_t i = 0; i < countof(words); i++) {
		if (str_eq(words[i].word, method))
			return words[i].method;
	}
	return METHOD_OTHER;
}

/* "", "." and ".." between slashes. */
static bool has_odd_segment(const char *path)
{
	while (*path == '/') {
		size_t length = strcspn(++path, "/");

		if ((length == 0 && path[0] == '/') || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return true;
		path += length;
	}
	return *path != '\0';
}

int path_decode(const char *raw, struct arena *arena, const char **ret)
{
	size_t length = strlen(raw);
	char *path, *out;

	if (raw[0] != '/' || length > REQUEST_PATH_MAX)
		return -EINVAL;
	path = out = arena_alloc(arena, length + 1);
	for (const char *p = raw; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '%') {
			int high = hex_digit(p[1]);
			int low = high < 0 ? -1 : hex_digit(p[2]);

			if (low < 0)
				return -EINVAL;
			c = (unsigned char)(high << 4 | low);
			/* A slash in disguise is after something. */
			if (c == '/' || c == '.' || c == '%')
				return -EINVAL;
			p += 2;
		}
		if (c < 0x20 || c == 0x7f || c == '\\')
			return -EINVAL;
		*out++ = (char)c;
	}
	*out = '\0';
	*ret = path;
	return has_odd_segment(path) ? -EINVAL : 0;
}

bool cookie_find(const char *header, const char *name, char *ret, size_t size)
{
	size_t name_len = strlen(name);

	while (header && *header) {
		size_t length;

		header += strspn(header, "; ");
		length = strcspn(header, ";");
		if (length > name_len && strncmp(header, name, name_len) == 0 &&
		    header[name_len] == '=') {
			size_t value = length - name_len - 1;

			if (value >= size)
				return false;
			memcpy(ret, header + name_len + 1, value);
			ret[value] = '\0';
			return true;
		}
		header += length;
	}
	return false;
}

/* True for "q=0", "q=0.0" and the like in the parameters of a list element. */
static bool is_refused(const char *parameters, size_t length)
{
	for (size_t i = 0; i + 2 < length; i++) {
		if ((parameters[i] == 'q' || parameters[i] == 'Q') && parameters[i + 1] == '=') {
			size_t zeros = strspn(parameters + i + 2, "0.");

			return parameters[i + 2] == '0' && i + 2 + zeros >= length;
		}
	}
	return false;
}

bool list_header_has(const char *header, const char *word)
{
	size_t word_len = strlen(word);

	while (header && *header) {
		size_t length, name;

		header += strspn(header, ", \t");
		length = strcspn(header, ",");
		name = strcspn(header, ",; \t");
		if (name == word_len && strncasecmp(header, word, name) == 0)
			return !is_refused(header + name, length - name);
		header += length;
	}
	return false;
}
