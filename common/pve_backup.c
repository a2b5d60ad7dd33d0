/* SPDX-License-Identifier: MIT */
/*
 * Calendar events are read only as far as it takes to say how many days may pass between two runs: those words are a
 * small language of systemd's, and an answer that is a day too long is better than a wrong alarm.
 */
#include "common/pve_backup.h"

#include <ctype.h>

#include "common/str.h"

#define DAY_MS 86400000
/* One run may be late by this much before its backup is called stale. */
#define GRACE_MS (26 * 3600000)

const char *backup_word_text(enum backup_word word)
{
	static const char *const texts[] = {
		[BACKUP_FAILED] = "failed",   [BACKUP_UNCOVERED] = "uncovered",
		[BACKUP_NEVER] = "never",     [BACKUP_STALE] = "stale",
		[BACKUP_UNKNOWN] = "unknown", [BACKUP_FINE] = "fine",
	};

	return texts[word];
}

/* ── calendar events ───────────────────────────────────────────────────────────────────────────────────────── */

static int day_of(const char *text)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (int i = 0; i < 7; i++) {
		if (strncasecmp(text, days[i], 3) == 0)
			return i;
	}
	return -1;
}

static size_t letters(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]))
		n++;
	return n;
}

/* The days that a calendar event names ("mon..fri", "sat,sun"), a bit each; 0 when it names none. */
static unsigned weekdays(const char *schedule)
{
	unsigned days = 0;

	for (const char *p = schedule; *p;) {
		size_t length = letters(p);
		int from = length >= 3 ? day_of(p) : -1, to = from;

		p += length;
		if (from >= 0 && strncmp(p, "..", 2) == 0 && day_of(p + 2) >= 0) {
			to = day_of(p + 2);
			p += 2 + letters(p + 2);
		}
		for (int day = from; day >= 0; day = day == to ? -1 : (day + 1) % 7)
			days |= 1u << day;
		if (length == 0)
			p++;
	}
	return days;
}

/* "*-*-1", "*-1": by the day of the month. */
static bool names_a_date(const char *schedule)
{
	for (const char *p = schedule; (p = strstr(p, "*-")); p++) {
		const char *day = strncmp(p, "*-*-", 4) == 0 ? p + 4 : p + 2;

		if (isdigit((unsigned char)*day))
			return true;
	}
	return false;
}

static int longest_gap(unsigned days)
{
	int gap = 0, longest = 0;

	for (int i = 0; i < 14; i++) {
		gap++;
		if (!(days & 1u << i % 7))
			continue;
		/* The first is counted from nowhere. */
		longest = i >= 7 ? max_of(longest, gap) : longest;
		gap = 0;
	}
	return longest;
}

int backup_longest_pause(const char *schedule)
{
	unsigned days;

	if (!schedule)
		return 1;
	if (strcasestr(schedule, "semiannual"))
		return 184;
	if (strcasestr(schedule, "quarter"))
		return 92;
	if (strcasestr(schedule, "year") || strcasestr(schedule, "annual"))
		return 366;
	if (strcasestr(schedule, "month") || names_a_date(schedule))
		return 31;
	if (strncasecmp(schedule + strspn(schedule, " \t"), "weekly", 6) == 0)
		return 7;
	days = weekdays(schedule);
	return days ? longest_gap(days) : 1;
}

/* ── the word ──────────────────────────────────────────────────────────────────────────────────────────────── */

static bool covers(const struct msg_guest_backup *backup, const struct msg_backup_job *job)
{
	for (size_t i = 0; job->enabled && i < backup->jobs_n; i++) {
		if (str_eq(backup->jobs[i], job->id))
			return true;
	}
	return false;
}

/* How old the last good backup may be: by the most frequent of the jobs that cover the guest. */
static int64_t allowed_age(const struct msg_guest_backup *backup, const struct msg_backup_job *jobs,
			   size_t n)
{
	int days = 0;

	for (size_t i = 0; i < n; i++) {
		int pause = covers(backup, &jobs[i]) ? backup_longest_pause(jobs[i].schedule) : 0;

		if (pause && (!days || pause < days))
			days = pause;
	}
	return (int64_t)max_of(days, 1) * DAY_MS + GRACE_MS;
}

enum backup_word backup_judge(const struct msg_guest_backup *backup,
			      const struct msg_backup_job *jobs, size_t jobs_n, int64_t wall_ms)
{
	if (!backup)
		return BACKUP_UNKNOWN;
	if (backup->last_error_ms.has &&
	    (!backup->last_ok_ms.has || backup->last_error_ms.v > backup->last_ok_ms.v))
		return BACKUP_FAILED;
	if (backup->covered.has && !backup->covered.v)
		return BACKUP_UNCOVERED;
	if (!backup->last_ok_ms.has)
		return backup->backups.has && backup->backups.v == 0 && backup->covered.has ?
			       BACKUP_NEVER :
			       BACKUP_UNKNOWN;
	if (!backup->covered.has)
		return BACKUP_UNKNOWN;
	return wall_ms - backup->last_ok_ms.v > allowed_age(backup, jobs, jobs_n) ? BACKUP_STALE :
										    BACKUP_FINE;
}
