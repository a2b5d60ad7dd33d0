/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Secrets come from files alone: never from the configuration, the environment or arguments. A file counts only
 * when nobody but its owner can read it.
 */
#include "common/str.h"

#define SECRETS_DIR "/etc/jarvis/secrets"
#define SECRET_MAX_BYTES 16384

struct secret {
	char *value; /* NUL-terminated text, without the newline at its end */
	size_t len;
};

/*
 * Reads the secret NAME of SERVICE from the first of these that is there:
 *   SECRETS_DIR/SERVICE/NAME, /run/secrets/SERVICE_NAME (compose), $CREDENTIALS_DIRECTORY/NAME (systemd),
 *   $CREDENTIALS_DIRECTORY/SERVICE_NAME (systemd, from LoadCredential=SERVICE:FOLDER)
 * It must be a regular file (no link) of this user or root, without rights for others, of at most 16 KiB of text.
 * 0, or -errno with a sentence appended to ERROR: the path, what is wrong, and the command that mends it; never
 * anything of the secret. -ENOENT when there is none. The caller frees *ret with secret_done().
 */
int secret_read(const char *secrets_dir, const char *service, const char *name, struct secret *ret,
		struct str *error) _nodiscard_;

/* Wipes and frees; a zeroed secret is fine. */
void secret_done(struct secret *secret);
