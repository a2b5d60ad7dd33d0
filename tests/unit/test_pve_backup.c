/* SPDX-License-Identifier: MIT */
/*
 * The one word for backups is the dashboard's: both are held against tests/data/backup.json.
 */
#include "common/pve_backup.h"

#include "tests/unit/check.h"
#include "tests/unit/data.h"

#define NOW_MS 1800000000000
#define HOUR_MS 3600000
#define LIST_MAX 8

static void test_pauses(void **unused)
{
	_cleanup_(json_treep) cJSON *data = data_json("backup.json");
	const cJSON *pause;

	(void)unused;
	assert_int_equal(backup_longest_pause(NULL), 1);
	cJSON_ArrayForEach(pause, json_get(data, "pauses")) {
		int days = backup_longest_pause(pause->string);

		if (days != pause->valueint)
			fail_msg("“%s” is said to pause %d days", pause->string, days);
	}
}

static size_t take_jobs(const cJSON *list, struct msg_backup_job *jobs)
{
	const cJSON *job;
	size_t n = 0;

	cJSON_ArrayForEach(job, list) {
		assert_true(n < LIST_MAX);
		jobs[n++] = (struct msg_backup_job){
			.id = json_get(job, "id")->valuestring,
			.enabled = cJSON_IsTrue(json_get(job, "enabled")),
			.schedule = json_get(job, "schedule")->valuestring,
		};
	}
	return n;
}

static struct opt_i64 ago(const cJSON *row, const char *key)
{
	const cJSON *hours = json_get(row, key);

	return hours ? some_i64(NOW_MS - (int64_t)hours->valueint * HOUR_MS) :
		       (struct opt_i64){ 0 };
}

static void test_words(void **unused)
{
	_cleanup_(json_treep) cJSON *data = data_json("backup.json");
	struct msg_backup_job jobs[LIST_MAX];
	size_t jobs_n = take_jobs(json_get(data, "jobs"), jobs);
	const cJSON *row;

	(void)unused;
	assert_int_equal(backup_judge(NULL, jobs, jobs_n, NOW_MS), BACKUP_UNKNOWN);
	cJSON_ArrayForEach(row, json_get(data, "words")) {
		const cJSON *covered = json_get(row, "covered"), *kept = json_get(row, "backups");
		const char *covering[LIST_MAX];
		struct msg_guest_backup backup = {
			.last_ok_ms = ago(row, "ok"),
			.last_error_ms = ago(row, "error"),
			.jobs = covering,
			.covered = { .has = !covered || cJSON_IsBool(covered),
				     .v = !covered || cJSON_IsTrue(covered) },
			.backups = { .has = !kept || cJSON_IsNumber(kept), .v = kept ? 0 : 3 },
		};
		const char *word;
		const cJSON *job;

		cJSON_ArrayForEach(job, json_get(row, "jobs"))
			covering[backup.jobs_n++] = job->valuestring;
		word = backup_word_text(backup_judge(&backup, jobs, jobs_n, NOW_MS));
		if (!str_eq(word, json_get(row, "word")->valuestring)) {
			_cleanup_(freep) char *text = cJSON_PrintUnformatted(row);

			fail_msg("%s: %s", text, word);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
