/* SPDX-License-Identifier: MIT */
/*
 * The session is bound to the URL that it was made for: its cookie is sent nowhere else. Files that hold or decide
 * whom we trust must be ours alone.
 */
#include "jarvisctl/client_settings.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include <sodium.h>

#include "common/yaml_tree.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/secret_file.h"

static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";

/* ── where the files are ───────────────────────────────────────────────────────────────────────────────────── */

static const char *home(void)
{
	const char *path = getenv("HOME");
	const struct passwd *user = path && *path ? NULL : getpwuid(getuid());

	return path && *path ? path : user ? user->pw_dir : "/";
}

static char *folder(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");

	return config && config[0] == '/' ? xasprintf("%s/jarvis", config) :
					    xasprintf("%s/.config/jarvis", home());
}

static char *file(const char *name)
{
	_cleanup_(freep) char *in = folder();

	return xasprintf("%s/%s", in, name);
}

/* ── the three sources ─────────────────────────────────────────────────────────────────────────────────────── */

/* What one source says; text of ours. */
struct source {
	char *url, *ca, *fingerprint, *token_file, *user, *cookie;
};

static void wipe(char **text)
{
	if (*text)
		sodium_memzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void source_done(struct source *s)
{
	free(s->url);
	free(s->ca);
	free(s->fingerprint);
	free(s->token_file);
	free(s->user);
	wipe(&s->cookie);
}

static char *text_of(const cJSON *tree, const char *key)
{
	return xstrdup_null(cJSON_GetStringValue(json_get(tree, key)));
}

static int read_session(struct source *ret, struct str *error)
{
	_cleanup_(freep) char *path = file("session.json");
	_cleanup_(str_wipe) struct str text = { 0 };
	_cleanup_(json_secret_treep) cJSON *tree = NULL;
	int r = private_file_read(path, &text, error);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (json_parse(text.data, text.len, JSON_COMMAND, &tree, NULL) < 0) {
		str_printf(error, "%s: is damaged; jarvisctl login makes a new one", path);
		return -EINVAL;
	}
	*ret = (struct source){ text_of(tree, "url"),	      text_of(tree, "ca"),
				text_of(tree, "fingerprint"), NULL,
				text_of(tree, "user"),	      text_of(tree, "cookie") };
	return 0;
}

struct yaml_errors {
	const char *path;
	struct str *error;
};

static void on_yaml_error(void *ctx, size_t line, size_t column, const char *text)
{
	struct yaml_errors *e = ctx;

	if (e->error->len == 0)
		str_printf(e->error, "%s:%zu:%zu: %s", e->path, line, column, text);
}

static int take_key(const struct ynode *value, struct source *ret, struct yaml_errors *e)
{
	const struct {
		const char *name;
		char **text;
	} keys[] = { { "url", &ret->url },
		     { "ca", &ret->ca },
		     { "fingerprint", &ret->fingerprint },
		     { "token_file", &ret->token_file } };
	const char *name = value->key->kind == YNODE_TEXT ? value->key->text : "";

	for (size_t i = 0; i < countof(keys); i++) {
		if (!str_eq(keys[i].name, name) || value->kind != YNODE_TEXT || *keys[i].text)
			continue;
		*keys[i].text = value->null ? NULL : xstrdup(value->text);
		return 0;
	}
	on_yaml_error(e, value->key->line, value->key->column,
		      "must be url, ca, fingerprint or token_file, each once, with a text");
	return -EINVAL;
}

static int read_yaml(struct source *ret, struct str *error)
{
	_cleanup_(freep) char *path = file("client.yaml");
	_cleanup_(str_done) struct str text = { 0 };
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct yaml_errors errors = { path, error };
	const struct ynode *tree;
	int r = private_file_read(path, &text, error);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	tree = yaml_tree_parse(arena, text.data, text.len, on_yaml_error, &errors);
	if (tree && tree->kind != YNODE_MAP)
		on_yaml_error(&errors, tree->line, tree->column, "must be lines of `key: value`");
	for (const struct ynode *n = tree && !error->len ? tree->first : NULL; n; n = n->next)
		(void)take_key(n, ret, &errors);
	return error->len ? -EINVAL : 0;
}

/* ── together ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* scheme://host[:port], as a browser would say where it is. */
static int take_url(const char *text, char **ret, struct str *error)
{
	size_t length = strlen(text);
	const char *host = strstr(text, "://");

	while (length && text[length - 1] == '/')
		length--;
	if ((str_starts(text, "https://") || str_starts(text, "http://")) &&
	    host + 3 < text + length &&
	    !memchr(host + 3, '/', length - (size_t)(host + 3 - text)) &&
	    !strpbrk(text, "@?# \t\r\n")) {
		*ret = xstrndup(text, length);
		return EXIT_OK;
	}
	str_printf(error, "%s: is not the address of a gateway; write https://HOST:PORT", text);
	return EXIT_USAGE_TOLD;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
	return a ? a : b ? b : c;
}

static int read_token(const char *path, char **ret, struct str *error)
{
	_cleanup_(str_wipe) struct str text = { 0 };
	int r = private_file_read(path, &text, error);

	if (r == -ENOENT)
		str_printf(error,
			   "%s: is not there; a token is made in the dashboard's operator menu",
			   path);
	if (r < 0)
		return EXIT_UNREADABLE;
	*ret = xstrndup(text.data, strcspn(text.data, "\r\n"));
	if (**ret &&
	    strspn(*ret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
		    strlen(*ret))
		return EXIT_OK;
	str_printf(error, "%s: its first line is not a token", path);
	return EXIT_UNREADABLE;
}

static int take_credential(const struct client_options *o, struct source *session,
			   const struct source *yaml, struct client_settings *ret,
			   struct str *error)
{
	bool is_for_here = session->url && session->cookie && str_eq(session->url, ret->url);

	if (o->token_file)
		return read_token(o->token_file, &ret->token, error);
	if (is_for_here) {
		ret->cookie = take(session->cookie);
		ret->user = take(session->user);
		return EXIT_OK;
	}
	if (yaml->token_file)
		return read_token(yaml->token_file, &ret->token, error);
	str_printf(error, "not logged in at %s: jarvisctl login --url %s, or --token-file FILE",
		   ret->url, ret->url);
	return EXIT_NOT_LOGGED_IN;
}

/* How the certificate is judged belongs to the address: it is taken from where that comes from. */
static void take_trust(const struct client_options *o, const struct source *session,
		       const struct source *yaml, struct client_settings *ret)
{
	const struct source *s = session->url && str_eq(session->url, ret->url) ? session : yaml;
	const char *pin = o->fingerprint ? o->fingerprint : o->ca ? NULL : s->fingerprint;
	const char *ca = o->ca ? o->ca : s->ca;

	ret->fingerprint = xstrdup_null(pin);
	/* An absolute path: the next command may be called elsewhere. */
	if (!pin && ca)
		ret->ca = realpath(ca, NULL);
	if (!pin && ca && !ret->ca)
		ret->ca = xstrdup(ca);
	if (!pin && !ca)
		ret->ca = xstrdup(system_ca);
}

int client_settings_load(const struct client_options *o, bool with_credential,
			 struct client_settings *ret, struct str *error)
{
	_cleanup_(source_done) struct source session = { 0 }, yaml = { 0 };
	int code;

	if (read_yaml(&yaml, error) < 0)
		return EXIT_BAD_CONFIG;
	if (read_session(&session, error) < 0 && with_credential && !o->token_file)
		return EXIT_NOT_LOGGED_IN;
	str_clear(error);
	code = take_url(first_of(o->url, session.url, yaml.url ? yaml.url : CLIENT_URL), &ret->url,
			error);
	if (code != EXIT_OK)
		return code;
	take_trust(o, &session, &yaml, ret);
	return with_credential ? take_credential(o, &session, &yaml, ret, error) : EXIT_OK;
}

void client_settings_done(struct client_settings *settings)
{
	free(settings->url);
	free(settings->ca);
	free(settings->fingerprint);
	wipe(&settings->token);
	wipe(&settings->cookie);
	free(settings->user);
}

/* ── the session's file ────────────────────────────────────────────────────────────────────────────────────── */

int client_session_write(const struct client_settings *settings, struct str *error)
{
	_cleanup_(freep) char *path = file("session.json"), *in = folder();
	_cleanup_(str_wipe) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	char *slash = strrchr(in, '/');
	int r;

	*slash = '\0';
	r = secret_folder_make(in, 0700, error);
	*slash = '/';
	if (r == 0)
		r = secret_folder_make(in, 0700, error);
	if (r < 0)
		return r;
	str_reserve(&text, SECRET_MAX_BYTES);
	json_object_begin(&w, NULL);
	json_add_str(&w, "url", settings->url);
	json_add_str(&w, "ca", settings->ca);
	json_add_str(&w, "fingerprint", settings->fingerprint);
	json_add_str(&w, "user", settings->user);
	json_add_str(&w, "cookie", settings->cookie);
	json_object_end(&w);
	str_add_char(&text, '\n');
	return private_file_write(path, str_get(&text), error);
}

int client_session_remove(struct str *error)
{
	_cleanup_(freep) char *path = file("session.json");

	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	str_printf(error, "%s: cannot be removed: %s", path, strerror(errno));
	return -errno;
}
