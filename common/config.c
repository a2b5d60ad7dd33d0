/* SPDX-License-Identifier: MIT */
/*
 * Loading jarvis.yaml: bytes → YAML tree → structs → checks, with all errors in one pass. A configuration is one
 * arena, the tree it was made from included, so that texts need no copy.
 */
#include "common/config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/config_parts.h"

#define FILE_MAX_BYTES ((size_t)1024 * 1024)

static void yaml_error_cb(void *ctx, size_t line, size_t column, const char *text)
{
	config_error_add(ctx, line, column, NULL, "%s", text);
}

static struct config *config_new(const char *text, size_t length)
{
	struct config *config = xnew(struct config);
	unsigned char hash[crypto_hash_sha256_BYTES];

	config->owned = arena_new();
	(void)crypto_hash_sha256(hash, (const unsigned char *)text, length);
	hex_build(hash, CONFIG_DIGEST_LENGTH / 2, config->digest);
	return config;
}

int config_parse(const char *name, const char *text, size_t length, struct config **ret,
		 struct str *errors)
{
	_cleanup_(config_freep) struct config *config = config_new(text, length);
	struct config_errors found = { .file = name };
	struct ynode *root;
	bool is_read;

	if (length > FILE_MAX_BYTES) {
		str_printf(errors, "%s: larger than 1 MiB\n", name);
		return -EINVAL;
	}
	root = yaml_tree_parse(config->owned, text, length, yaml_error_cb, &found);
	/* A file that is not YAML has nothing else to be reported. */
	is_read = root || !found.n;
	if (is_read) {
		config_walk(config, root, &found);
		config_check_whole(config, root, &found);
	}
	if (found.n) {
		config_errors_take(&found, errors);
		return -EINVAL;
	}
	*ret = take(config);
	return 0;
}

/* All of FD, but not more than LIMIT + 1 bytes. */
static int read_all(int fd, size_t limit, struct str *ret)
{
	char buffer[16384];

	while (ret->len <= limit) {
		ssize_t n = read(fd, buffer, min_of(sizeof(buffer), limit + 1 - ret->len));

		if (n == 0)
			return 0;
		if (n > 0)
			str_add_n(ret, buffer, (size_t)n);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

static int read_file(const char *path, struct str *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r;

	if (fd < 0)
		return -errno;
	r = read_all(fd, FILE_MAX_BYTES, ret);
	(void)close(fd);
	return r;
}

int config_load(const char *path, struct config **ret, struct str *errors)
{
	_cleanup_(str_done) struct str text = { 0 };
	int r = read_file(path, &text);

	if (r < 0) {
		str_printf(errors,
			   "%s: cannot be read: %s; `jarvisctl config --print` prints a sample\n",
			   path, strerror(-r));
		return r;
	}
	return config_parse(path, str_get(&text), text.len, ret, errors);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_free(config->owned);
	free(config);
}

const char *config_digest(const struct config *config)
{
	return config->digest;
}

const struct config_cluster *config_find_cluster(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->clusters_n; i++) {
		if (str_eq(config->clusters[i].name, name))
			return &config->clusters[i];
	}
	return NULL;
}
