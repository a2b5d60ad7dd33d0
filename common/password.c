/* SPDX-License-Identifier: MIT */
/*
 * Password jobs: a short queue in front of the thread pool.
 */
#include "common/password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/alloc.h"
#include "common/work.h"

#define RUNNING_MAX 2
#define WAITING_MAX 16
#define HASH_BYTES 32 /* in what libsodium makes of a password */

/* Of nobody's password; with the same cost as a real one. */
static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$"
			     "RdescudvJCsgt3ub+b2dWRWJTmaaJObGRdescudvJCs";

struct password_job {
	struct password_jobs *jobs;
	struct password_job *next;
	bool verify;
	char hash[PASSWORD_HASH_SIZE];
	char password[PASSWORD_MAX_BYTES + 1];
	enum password_result result;
	password_done_fn done;
	void *ctx;
};

struct password_jobs {
	uv_loop_t *loop;
	size_t running, waiting;
	struct password_job *first, **last;
};

struct password_jobs *password_jobs_new(uv_loop_t *loop)
{
	struct password_jobs *jobs = xnew(struct password_jobs);

	jobs->loop = loop;
	jobs->last = &jobs->first;
	return jobs;
}

void password_jobs_free(struct password_jobs *jobs)
{
	free(jobs);
}

size_t password_jobs_n(const struct password_jobs *jobs)
{
	return jobs->running + jobs->waiting;
}

int password_hash_now(const char *password, char ret[PASSWORD_HASH_SIZE])
{
	_Static_assert(PASSWORD_HASH_SIZE == crypto_pwhash_STRBYTES, "as libsodium has it");

	return crypto_pwhash_str(ret, password, strlen(password),
				 crypto_pwhash_OPSLIMIT_INTERACTIVE,
				 crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0 ?
		       0 :
		       -ENOMEM;
}

bool password_is_hash(const char *hash)
{
	return strlen(hash) < PASSWORD_HASH_SIZE &&
	       strncmp(hash, crypto_pwhash_STRPREFIX, strlen(crypto_pwhash_STRPREFIX)) == 0 &&
	       crypto_pwhash_str_needs_rehash(hash, crypto_pwhash_OPSLIMIT_INTERACTIVE,
					      crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0;
}

/* One field of a hash, which ends at END. */
static bool read_field(const char *text, const char *end, unsigned char *ret, size_t n)
{
	size_t length = 0;

	return sodium_base642bin(ret, n, text, (size_t)(end - text), NULL, &length, NULL,
				 sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	       length == n;
}

/* As crypto_pwhash_str_verify(), which calls it wrong when there was no memory to tell. */
static enum password_result compare(const char *hash, const char *password)
{
	unsigned char salt[crypto_pwhash_SALTBYTES], wanted[HASH_BYTES], is[HASH_BYTES];
	const char *last = strrchr(hash, '$'), *before = last;
	bool is_same;

	/* Of another cost than ours: it is not known how to make it again. */
	if (!password_is_hash(hash))
		return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0 ?
			       PASSWORD_RIGHT :
			       PASSWORD_WRONG;
	while (before && before > hash && *--before != '$')
		;
	if (!before || before == hash || !read_field(before + 1, last, salt, sizeof(salt)) ||
	    !read_field(last + 1, last + strlen(last), wanted, sizeof(wanted)))
		return PASSWORD_WRONG;
	if (crypto_pwhash(is, sizeof(is), password, strlen(password), salt,
			  crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
			  crypto_pwhash_ALG_ARGON2ID13) < 0)
		return PASSWORD_FAILED;
	is_same = sodium_memcmp(is, wanted, sizeof(is)) == 0;
	sodium_memzero(is, sizeof(is));
	return is_same ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

/* On the thread pool. */
static void run(void *ctx)
{
	struct password_job *job = ctx;
	int r;

	if (job->verify) {
		job->result = compare(job->hash, job->password);
		return;
	}
	r = password_hash_now(job->password, job->hash);
	job->result = r == 0 ? PASSWORD_RIGHT : PASSWORD_FAILED;
}

static void start_next(struct password_jobs *jobs);

static void finish(struct password_job *job)
{
	job->done(job->ctx, job->result, job->hash);
	sodium_memzero(job, sizeof(*job));
	free(job);
}

static void done(void *ctx, bool cancelled)
{
	struct password_job *job = ctx;
	struct password_jobs *jobs = job->jobs;

	if (cancelled)
		job->result = PASSWORD_FAILED;
	jobs->running--;
	start_next(jobs);
	finish(job);
}

static void start_next(struct password_jobs *jobs)
{
	while (jobs->first && jobs->running < RUNNING_MAX) {
		struct password_job *job = jobs->first;

		jobs->first = job->next;
		if (!jobs->first)
			jobs->last = &jobs->first;
		jobs->waiting--;
		jobs->running++;
		if (work_run(jobs->loop, run, done, job) < 0)
			done(job, true);
	}
}

static bool add(struct password_jobs *jobs, const char *hash, const char *password,
		password_done_fn fn, void *ctx)
{
	struct password_job *job;

	if (jobs->waiting >= WAITING_MAX || strlen(password) > PASSWORD_MAX_BYTES)
		return false;
	job = xnew(struct password_job);
	job->jobs = jobs;
	job->verify = hash != NULL;
	(void)snprintf(job->hash, sizeof(job->hash), "%s", hash ? hash : "");
	(void)snprintf(job->password, sizeof(job->password), "%s", password);
	job->done = fn;
	job->ctx = ctx;
	*jobs->last = job;
	jobs->last = &job->next;
	jobs->waiting++;
	start_next(jobs);
	return true;
}

bool password_verify(struct password_jobs *jobs, const char *hash, const char *password,
		     password_done_fn fn, void *ctx)
{
	return add(jobs, hash ? hash : nobody, password, fn, ctx);
}

bool password_hash(struct password_jobs *jobs, const char *password, password_done_fn fn, void *ctx)
{
	return add(jobs, NULL, password, fn, ctx);
}
