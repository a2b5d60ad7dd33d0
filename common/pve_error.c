/* SPDX-License-Identifier: MIT */
/*
 * Statuses to classes, and the sentences. The reason phrase of the status line carries Proxmox's own message; the
 * body repeats it only since PVE 8.3, and is empty where it would help most.
 */
#include "common/pve_error.h"

#include "common/str.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define REASON_MAX 100
#define PRIVILEGE_MAX 63

static void say(struct pve_fault *fault, enum pve_class class, const char *format, ...)
	_printf_(3, 4);

static void say(struct pve_fault *fault, enum pve_class class, const char *format, ...)
{
	va_list args;

	fault->class = class;
	va_start(args, format);
	(void)vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	/* A reason phrase is any bytes, and may have been cut within a character. */
	for (char *c = fault->text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

/* A fingerprint without its colons: two of them must fit into one sentence. */
static void short_pin(const char *pin, char out[65])
{
	size_t n = 0;

	for (; *pin && n < 64; pin++) {
		if (*pin != ':')
			out[n++] = (char)tolower((unsigned char)*pin);
	}
	out[n] = '\0';
}

static void say_not_trusted(const struct pve_question *q, const struct http_response *response,
			    struct pve_fault *ret)
{
	char pinned[65], shown[65];

	if (!q->pin || !response->fingerprint || !response->fingerprint[0]) {
		say(ret, PVE_NOT_TRUSTED, "%s (%s) is not trusted, nothing was sent: %.150s",
		    q->endpoint, q->address, response->error);
		return;
	}
	short_pin(q->pin, pinned);
	short_pin(response->fingerprint, shown);
	say(ret, PVE_NOT_TRUSTED,
	    "%.24s (%.40s) shows certificate %s, pinned is %s; nothing was sent. Was it renewed? "
	    "Compare: pvenode cert info",
	    q->endpoint, q->address, shown, pinned);
}

static void say_no_answer(const struct pve_question *q, const struct http_response *response,
			  struct pve_fault *ret)
{
	switch (response->outcome) {
	case HTTP_NOT_TRUSTED:
		say_not_trusted(q, response, ret);
		break;
	case HTTP_TIMEOUT:
		say(ret, PVE_TIMEOUT, "%s (%s) did not answer %.60s within %u s", q->endpoint,
		    q->address, q->path, (response->duration_ms + 500) / 1000);
		break;
	case HTTP_TOO_LARGE:
		say(ret, PVE_BAD_ANSWER, "the answer of %s (%s) to %.60s is too large", q->endpoint,
		    q->address, q->path);
		break;
	case HTTP_REFUSED:
		say(ret, PVE_BAD_ANSWER, "%s (%s) cannot be asked: %.150s", q->endpoint, q->address,
		    response->error);
		break;
	default:
		say(ret, PVE_UNREACHABLE, "%s (%s) cannot be reached: %.150s", q->endpoint,
		    q->address, response->error);
		break;
	}
}

/* "Permission check failed (/vms/100, VM.Audit)" → path and privilege; false when it does not say. */
static bool missing_privilege(const char *reason, char path[64], char privilege[PRIVILEGE_MAX + 1])
{
	const char *from = strchr(reason, '(');
	const char *comma = from ? strstr(from, ", ") : NULL;
	const char *end = comma ? strchr(comma, ')') : NULL;

	if (!end || from[1] != '/' || comma - from > 63 || end - comma - 2 > PRIVILEGE_MAX)
		return false;
	(void)snprintf(path, 64, "%.*s", (int)(comma - from - 1), from + 1);
	(void)snprintf(privilege, PRIVILEGE_MAX + 1, "%.*s", (int)(end - comma - 2), comma + 2);
	return true;
}

static void say_permission(const struct pve_question *q, const char *reason, struct pve_fault *ret)
{
	char path[64], privilege[PRIVILEGE_MAX + 1];

	if (missing_privilege(reason, path, privilege))
		say(ret, PVE_PERMISSION,
		    "token %.60s lacks %s on %s: pveum acl modify / --tokens '%.60s' --roles %s",
		    q->token, privilege, path, q->token, q->role);
	else
		say(ret, PVE_PERMISSION, "token %.60s may not ask for %.60s: %.*s", q->token,
		    q->path, REASON_MAX, reason);
}

static void say_auth(const struct pve_question *q, const char *reason, struct pve_fault *ret)
{
	say(ret, PVE_AUTH,
	    "%.32s does not accept token %.60s (%.40s): check the id, that it is not expired, and "
	    "secrets/%s/%.48s.token",
	    q->endpoint, q->token, reason, q->service, q->cluster);
}

static bool is_not_there(const char *reason)
{
	return (strstr(reason, "Configuration file '") && strstr(reason, "does not exist")) ||
	       strstr(reason, "hostname lookup '") || strstr(reason, "no such cluster node");
}

static void say_status(const struct pve_question *q, const struct http_response *response,
		       struct pve_fault *ret)
{
	const char *reason =
		response->reason && response->reason[0] ? response->reason : "no reason";
	int status = response->status;

	if (status >= 595 && status <= 599)
		say(ret, PVE_NO_PATH, "%s has no path to node %s: %.*s (%d)", q->endpoint,
		    q->node ? q->node : q->endpoint, REASON_MAX, reason, status);
	else if (status == 401)
		say_auth(q, reason, ret);
	else if (status == 403)
		say_permission(q, reason, ret);
	else if (status == 500 && is_not_there(reason))
		say(ret, PVE_NOT_THERE, "%s: %.*s", q->endpoint, REASON_MAX, reason);
	else if (status == 500 || status == 400)
		say(ret, PVE_REFUSED, "%s (%s) refuses %.60s: %.*s (%d)", q->endpoint, q->address,
		    q->path, REASON_MAX, reason, status);
	else
		say(ret, PVE_SERVER, "%s (%s) answers %.60s with status %d %.*s; is it Proxmox VE?",
		    q->endpoint, q->address, q->path, status, REASON_MAX, reason);
}

void pve_classify(const struct pve_question *question, const struct http_response *response,
		  struct pve_fault *ret)
{
	*ret = (struct pve_fault){ PVE_OK, "" };
	if (response->outcome != HTTP_ANSWERED)
		say_no_answer(question, response, ret);
	else if (response->status != 200)
		say_status(question, response, ret);
}

void pve_bad_answer(const struct pve_question *question, const char *what, struct pve_fault *ret)
{
	say(ret, PVE_BAD_ANSWER, "the answer of %s (%s) to %.60s makes no sense: %.80s",
	    question->endpoint, question->address, question->path, what);
}

struct class_row {
	bool endpoint_fault;
	const char *counter;
};

static const struct class_row classes[PVE_CLASS_COUNT] = {
	[PVE_OK] = { false, "pve_ok" },
	[PVE_NO_PATH] = { true, "pve_failed_no_path" },
	[PVE_AUTH] = { false, "pve_failed_auth" },
	[PVE_PERMISSION] = { false, "pve_failed_permission" },
	[PVE_NOT_THERE] = { false, "pve_failed_not_there" },
	[PVE_REFUSED] = { true, "pve_failed_refused" },
	[PVE_SERVER] = { true, "pve_failed_server" },
	[PVE_UNREACHABLE] = { true, "pve_failed_unreachable" },
	[PVE_TIMEOUT] = { true, "pve_failed_timeout" },
	[PVE_NOT_TRUSTED] = { true, "pve_failed_not_trusted" },
	[PVE_BAD_ANSWER] = { true, "pve_failed_bad_answer" },
};

bool pve_is_endpoint_fault(enum pve_class class)
{
	return classes[class].endpoint_fault;
}

const char *pve_class_counter(enum pve_class class)
{
	return classes[class].counter;
}
