/* SPDX-License-Identifier: MIT */
/*
 * People, sessions, tokens and wrong guesses on a real database: what survives a restart, what ends when, and what is
 * never written down.
 */
#include "services/gateway/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "services/gateway/accounts_internal.h"

#include "tests/unit/check.h"

#define MINUTE ((int64_t)60 * 1000)
#define HOUR (60 * MINUTE)

struct world {
	char dir[64];
	int64_t boot_ms, wall_ms;
	struct clock clock;
	struct accounts *accounts;
	uint64_t ended[8];
	size_t ended_n;
};

static int64_t boot_of(void *ctx)
{
	return ((struct world *)ctx)->boot_ms;
}

static int64_t wall_of(void *ctx)
{
	return ((struct world *)ctx)->wall_ms;
}

static void on_ended(void *ctx, uint64_t owner)
{
	struct world *w = ctx;

	assert_true(w->ended_n < countof(w->ended));
	w->ended[w->ended_n++] = owner;
}

static void open_world(struct world *w)
{
	struct accounts_options options = {
		.clock = &w->clock,
		.dir = w->dir,
		.idle_ms = 30 * MINUTE,
		.lifetime_ms = 12 * HOUR,
		.on_ended = on_ended,
		.ctx = w,
	};
	struct str error = { 0 };

	assert_int_equal(accounts_open(&options, &w->accounts, &error), 0);
	str_done(&error);
}

static void reopen(struct world *w)
{
	accounts_free(w->accounts);
	open_world(w);
}

static void pass(struct world *w, int64_t ms)
{
	w->boot_ms += ms;
	w->wall_ms += ms;
}

static int setup(void **state)
{
	struct world *w = xnew(struct world);
	const char *scratch = getenv("SCRATCH");

	(void)snprintf(w->dir, sizeof(w->dir), "%s/acc-XXXXXX",
		       scratch && strlen(scratch) < 40 ? scratch : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	w->boot_ms = 5 * HOUR;
	w->wall_ms = 1000 * HOUR;
	w->clock = (struct clock){ boot_of, wall_of, w };
	assert_true(sodium_init() >= 0);
	open_world(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "gateway.db", "gateway.db-wal", "gateway.db-shm",
					     "initial-password", "initial-password.new" };
	struct world *w = *state;

	accounts_free(w->accounts);
	for (size_t i = 0; i < countof(names); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", w->dir, names[i]);

		(void)unlink(path);
	}
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static char *read_initial(const struct world *w)
{
	_cleanup_(freep) char *path = xasprintf("%s/initial-password", w->dir);
	char line[64] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return NULL;
	assert_non_null(fgets(line, sizeof(line), file));
	(void)fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

static const struct person *operator(const struct world *w)
{
	const struct person *person = accounts_find_person(w->accounts, "operator");

	assert_non_null(person);
	return person;
}

static void test_first_start(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *password = read_initial(w);
	_cleanup_(freep) char *path = xasprintf("%s/initial-password", w->dir);
	struct stat st;

	assert_non_null(password);
	assert_int_equal(strlen(password), 24);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(operator(w)->must_change);
	assert_int_equal(operator(w)->role, ROLE_OPERATOR);
	assert_int_equal(crypto_pwhash_str_verify(operator(w)->hash, password, strlen(password)),
			 0);
	assert_null(accounts_find_person(w->accounts, "Operator"));
	/* Another start changes nothing. */
	reopen(w);
	assert_int_equal(crypto_pwhash_str_verify(operator(w)->hash, password, strlen(password)),
			 0);
}

static void test_a_new_password(void **state)
{
	struct world *w = *state;
	char mine[SESSION_SECRET_SIZE], other[SESSION_SECRET_SIZE];
	struct caller caller;
	_cleanup_(freep) char *file = NULL;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, mine), 0);
	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, other), 0);
	assert_true(accounts_check_session(w->accounts, mine, &caller));
	assert_true(caller.must_change);
	assert_int_equal(
		accounts_set_password(w->accounts, operator(w)->id, "$argon2id$new", caller.owner),
		0);
	assert_int_equal(w->ended_n, 1);
	assert_int_not_equal(w->ended[0], caller.owner);
	assert_false(accounts_check_session(w->accounts, other, &caller));
	assert_true(accounts_check_session(w->accounts, mine, &caller));
	assert_false(caller.must_change);
	file = read_initial(w);
	assert_null(file);
	reopen(w);
	assert_string_equal(operator(w)->hash, "$argon2id$new");
	assert_false(operator(w)->must_change);
	free(file);
	file = read_initial(w);
	assert_null(file);
}

static void test_sessions_survive_a_restart(void **state)
{
	struct world *w = *state;
	char secret[SESSION_SECRET_SIZE];
	struct caller caller;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, secret), 0);
	assert_int_equal(strlen(secret), 64);
	assert_true(accounts_check_session(w->accounts, secret, &caller));
	assert_string_equal(caller.name, "operator");
	assert_int_equal(caller.kind, CALLER_SESSION);
	pass(w, 10 * MINUTE);
	reopen(w);
	assert_true(accounts_check_session(w->accounts, secret, &caller));
	/* A reboot: the boot clock begins again. */
	w->boot_ms = 1000;
	w->wall_ms += MINUTE;
	reopen(w);
	assert_true(accounts_check_session(w->accounts, secret, &caller));
	secret[0] = (char)(secret[0] == 'a' ? 'b' : 'a');
	assert_false(accounts_check_session(w->accounts, secret, &caller));
	assert_int_equal(caller.kind, CALLER_NOBODY);
	assert_false(accounts_check_session(w->accounts, "", &caller));
}

static void test_idle_sessions_end(void **state)
{
	struct world *w = *state;
	char secret[SESSION_SECRET_SIZE];
	struct caller caller;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, secret), 0);
	for (int i = 0; i < 5; i++) {
		pass(w, 29 * MINUTE);
		assert_true(accounts_check_session(w->accounts, secret, &caller));
	}
	/* The wall clock is set: that is no reason. */
	w->wall_ms += 1000 * HOUR;
	assert_true(accounts_check_session(w->accounts, secret, &caller));
	w->wall_ms -= 1000 * HOUR;
	pass(w, 30 * MINUTE - 1);
	assert_true(accounts_is_alive(w->accounts, caller.owner));
	pass(w, 1);
	assert_false(accounts_is_alive(w->accounts, caller.owner));
	/* What has ended is not brought back by use. */
	accounts_use(w->accounts, caller.owner);
	assert_false(accounts_check_session(w->accounts, secret, &caller));
	reopen(w);
	assert_false(accounts_check_session(w->accounts, secret, &caller));
}

static void test_sessions_end_at_last(void **state)
{
	struct world *w = *state;
	char secret[SESSION_SECRET_SIZE];
	struct caller caller;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, secret), 0);
	for (int64_t t = 0; t + 10 * MINUTE < 12 * HOUR; t += 10 * MINUTE) {
		pass(w, 10 * MINUTE);
		assert_true(accounts_check_session(w->accounts, secret, &caller));
	}
	assert_int_equal(caller.expires_ms - w->wall_ms, 10 * MINUTE);
	pass(w, 10 * MINUTE);
	assert_false(accounts_check_session(w->accounts, secret, &caller));
}

static void test_logout(void **state)
{
	struct world *w = *state;
	char secret[SESSION_SECRET_SIZE];
	struct caller caller;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, secret), 0);
	assert_true(accounts_check_session(w->accounts, secret, &caller));
	accounts_end_session(w->accounts, caller.owner);
	assert_int_equal(w->ended_n, 1);
	assert_false(accounts_is_alive(w->accounts, caller.owner));
	assert_false(accounts_check_session(w->accounts, secret, &caller));
	reopen(w);
	assert_false(accounts_check_session(w->accounts, secret, &caller));
	accounts_end_session(w->accounts, 12345);
}

static void test_a_logout_that_cannot_be_written_is_made_up_for(void **state)
{
	struct world *w = *state;
	char secret[SESSION_SECRET_SIZE], other[SESSION_SECRET_SIZE];
	struct caller caller;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, secret), 0);
	assert_true(accounts_check_session(w->accounts, secret, &caller));
	assert_int_equal(db_exec(w->accounts->db,
				 "CREATE TRIGGER full BEFORE DELETE ON session"
				 " BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"),
			 0);
	accounts_end_session(w->accounts, caller.owner);
	assert_false(accounts_check_session(w->accounts, secret, &caller));
	assert_int_equal(db_exec(w->accounts->db, "DROP TRIGGER full"), 0);
	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, other), 0);
	assert_int_equal(w->accounts->ended_n, 0);
	reopen(w);
	assert_false(accounts_check_session(w->accounts, secret, &caller));
	assert_true(accounts_check_session(w->accounts, other, &caller));
}

static void test_too_many_sessions_cost_the_oldest(void **state)
{
	struct world *w = *state;
	char first[SESSION_SECRET_SIZE], secret[SESSION_SECRET_SIZE];
	struct caller caller;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, first), 0);
	for (int i = 0; i < ACCOUNTS_SESSIONS_MAX; i++) {
		pass(w, 1);
		assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, secret), 0);
	}
	assert_int_equal(w->ended_n, 1);
	assert_false(accounts_check_session(w->accounts, first, &caller));
	assert_true(accounts_check_session(w->accounts, secret, &caller));
}

static void test_tokens(void **state)
{
	struct world *w = *state;
	char secret[TOKEN_SECRET_SIZE], second[TOKEN_SECRET_SIZE];
	const struct token *token;
	struct caller caller;
	size_t n;

	assert_int_equal(accounts_add_token(w->accounts, "ci", SCOPE_READ | SCOPE_METRICS,
					    w->wall_ms + HOUR, secret, &token),
			 0);
	assert_true(str_starts(secret, "jrv_"));
	assert_int_equal(strlen(secret), 4 + 12 + 1 + 43);
	assert_true(accounts_check_token(w->accounts, secret, &caller));
	assert_string_equal(caller.name, "ci");
	assert_int_equal(caller.kind, CALLER_TOKEN);
	assert_int_equal(caller.role, ROLE_VIEWER);
	assert_int_equal(caller.scopes, SCOPE_READ | SCOPE_METRICS);
	pass(w, 1);
	assert_int_equal(accounts_add_token(w->accounts, "bot", SCOPE_OPERATE,
					    w->wall_ms + 2 * HOUR, second, &token),
			 0);
	assert_true(accounts_check_token(w->accounts, second, &caller));
	assert_int_equal(caller.role, ROLE_OPERATOR);
	reopen(w);
	assert_string_equal(accounts_tokens(w->accounts, &n)[0].name, "bot");
	assert_int_equal(n, 2);
	assert_true(accounts_check_token(w->accounts, secret, &caller));
	secret[20] = (char)(secret[20] == 'a' ? 'b' : 'a');
	assert_false(accounts_check_token(w->accounts, secret, &caller));
	assert_false(accounts_check_token(w->accounts, "jrv_", &caller));
	assert_false(accounts_check_token(w->accounts, "", &caller));
	assert_true(accounts_check_token(w->accounts, second, &caller));
	pass(w, 2 * HOUR);
	assert_false(accounts_is_alive(w->accounts, caller.owner));
	assert_false(accounts_check_token(w->accounts, second, &caller));
}

static void test_revoking_a_token(void **state)
{
	struct world *w = *state;
	char secret[TOKEN_SECRET_SIZE], id[TOKEN_ID_SIZE];
	const struct token *token;
	struct caller caller;

	assert_int_equal(accounts_add_token(w->accounts, "ci", SCOPE_READ, w->wall_ms + HOUR,
					    secret, &token),
			 0);
	memcpy(id, token->id, sizeof(id));
	assert_int_equal(accounts_delete_token(w->accounts, "nonesuch"), -ENOENT);
	assert_int_equal(accounts_delete_token(w->accounts, ""), -ENOENT);
	assert_int_equal(accounts_delete_token(w->accounts, id), 0);
	assert_int_equal(w->ended_n, 1);
	assert_false(accounts_check_token(w->accounts, secret, &caller));
	reopen(w);
	assert_false(accounts_check_token(w->accounts, secret, &caller));
}

static void test_attempts_survive_a_restart(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 5; i++) {
		assert_int_equal(accounts_wait_ms(w->accounts, "10.0.0.1", "operator"), 0);
		accounts_count_attempt(w->accounts, "10.0.0.1", "operator");
	}
	assert_int_equal(accounts_wait_ms(w->accounts, "10.0.0.1", "operator"), MINUTE);
	assert_int_equal(accounts_wait_ms(w->accounts, "10.0.0.2", "operator"), 0);
	reopen(w);
	assert_int_equal(accounts_wait_ms(w->accounts, "10.0.0.1", "other"), MINUTE);
	/* From many addresses, at one name. */
	for (int i = 0; i < 5; i++)
		accounts_count_attempt(w->accounts, "10.0.0.3", "operator");
	reopen(w);
	assert_true(accounts_wait_ms(w->accounts, "10.0.0.9", "operator") > 0);
	assert_int_equal(accounts_wait_ms(w->accounts, "10.0.0.9", "other"), 0);
	accounts_forget_attempts(w->accounts, "10.0.0.1", "operator");
	reopen(w);
	assert_int_equal(accounts_wait_ms(w->accounts, "10.0.0.1", "operator"), 0);
}

/* Everything that anybody could log in with, searched for in the files. */
static void test_no_secret_is_on_the_disk(void **state)
{
	struct world *w = *state;
	char session[SESSION_SECRET_SIZE], secret[TOKEN_SECRET_SIZE];
	_cleanup_(freep) char *password = read_initial(w);
	_cleanup_(freep) char *path = xasprintf("%s/gateway.db", w->dir);
	_cleanup_(freep) char *data = xcalloc(1, 1 << 20);
	const struct token *token;
	FILE *file;
	size_t n;

	assert_int_equal(accounts_begin_session(w->accounts, operator(w)->id, session), 0);
	assert_int_equal(accounts_add_token(w->accounts, "findme", SCOPE_READ, w->wall_ms + HOUR,
					    secret, &token),
			 0);
	accounts_free(w->accounts);
	w->accounts = NULL;
	file = fopen(path, "r");
	assert_non_null(file);
	n = fread(data, 1, 1 << 20, file);
	(void)fclose(file);
	assert_non_null(memmem(data, n, "findme", 6));
	assert_null(memmem(data, n, session, strlen(session)));
	assert_null(memmem(data, n, secret + 17, 20));
	assert_null(memmem(data, n, password, strlen(password)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_first_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_new_password, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions_survive_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle_sessions_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions_end_at_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_logout_that_cannot_be_written_is_made_up_for,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_logout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_sessions_cost_the_oldest, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoking_a_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attempts_survive_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_secret_is_on_the_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
