/* SPDX-License-Identifier: MIT */
/*
 * The gate's tables.
 */
#include "services/safety-gate/store.h"

#include "common/codec.h"
#include "common/log.h"

#include <errno.h>
#include <string.h>

const char store_schema[] =
	"CREATE TABLE action (id TEXT PRIMARY KEY, record TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE request (principal TEXT NOT NULL, actor TEXT NOT NULL, request_id TEXT NOT NULL,"
	" digest TEXT NOT NULL, action TEXT, reply TEXT, wall_ms INTEGER NOT NULL,"
	" kept_ms INTEGER NOT NULL) STRICT;"
	"CREATE INDEX request_wall ON request (wall_ms);"
	"CREATE TABLE settings (one INTEGER PRIMARY KEY CHECK (one = 1), autonomy TEXT NOT NULL,"
	" epoch INTEGER NOT NULL) STRICT;"
	"CREATE TABLE code (person TEXT PRIMARY KEY, step INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

int store_action(struct db *db, const struct msg_action_record *record)
{
	_cleanup_(str_done) struct str text = { 0 };

	codec_encode(&message_action_record, record, &text);
	return db_exec(db, "INSERT OR REPLACE INTO action (id, record) VALUES (?, ?)",
		       DB_TEXT(record->state->id), DB_TEXT(str_get(&text)));
}

int store_forget(struct db *db, const char *id)
{
	return db_exec(db, "DELETE FROM action WHERE id = ?", DB_TEXT(id));
}

int store_request(struct db *db, const struct effect_request *request)
{
	/* A press counts for seconds, and not after a restart. */
	if (!request->request_id[0])
		return 0;
	return db_exec(db,
		       "INSERT INTO request (principal, actor, request_id, digest, action, reply,"
		       " wall_ms, kept_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		       DB_TEXT(request->principal), DB_TEXT(request->actor),
		       DB_TEXT(request->request_id), DB_TEXT(request->digest),
		       DB_TEXT(request->action), DB_TEXT(request->reply), DB_I64(request->wall_ms),
		       DB_I64(request->kept_ms));
}

int store_settings(struct db *db, const struct msg_autonomy_state *settings, int64_t epoch)
{
	_cleanup_(str_done) struct str text = { 0 };

	codec_encode(&message_autonomy_state, settings, &text);
	return db_exec(db,
		       "INSERT OR REPLACE INTO settings (one, autonomy, epoch) VALUES (1, ?, ?)",
		       DB_TEXT(str_get(&text)), DB_I64(epoch));
}

int store_code_used(struct db *db, const char *person, int64_t step)
{
	return db_exec(db, "INSERT OR REPLACE INTO code (person, step) VALUES (?, ?)",
		       DB_TEXT(person), DB_I64(step));
}

int store_code_last(struct db *db, const char *person, int64_t *ret)
{
	int r = db_find_i64(db, ret, "SELECT step FROM code WHERE person = ?", DB_TEXT(person));

	if (r != -ENOENT)
		return r;
	*ret = -1;
	return 0;
}

int store_drop_old(struct db *db, int64_t wall_ms)
{
	return db_exec(db, "DELETE FROM request WHERE wall_ms + kept_ms < ?", DB_I64(wall_ms));
}

/* ── loading ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int decode(const struct message_def *message, const char *text, struct arena *arena,
		  void **ret)
{
	struct codec_error error;

	if (codec_decode(message, text, strlen(text), JSON_FOREIGN, CODEC_LENIENT, arena, ret,
			 &error) == 0)
		return 0;
	log_error("what the database keeps as %s cannot be read: %s", message->name, error.text);
	return -EBADMSG;
}

static int load_actions(struct db *db, struct core *core, struct core_now now)
{
	_cleanup_(db_rows_freep) struct db_rows *rows =
		db_query(db, "SELECT record FROM action ORDER BY id");
	int r;

	while ((r = db_next(rows)) > 0) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		void *record;

		r = decode(&message_action_record, db_text(rows, 0), arena, &record);
		if (r < 0)
			return r;
		core_load_action(core, record, now);
	}
	return r;
}

static int load_requests(struct db *db, struct core *core, struct core_now now)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(
		db, "SELECT principal, actor, request_id, digest, action, reply, wall_ms, kept_ms"
		    " FROM request ORDER BY wall_ms");
	int r;

	while ((r = db_next(rows)) > 0) {
		struct effect_request request = {
			.principal = db_text(rows, 0),
			.actor = db_text(rows, 1),
			.request_id = db_text(rows, 2),
			.action = db_text(rows, 4),
			.reply = db_text(rows, 5),
			.wall_ms = db_i64(rows, 6),
			.kept_ms = db_i64(rows, 7),
		};

		memcpy(request.digest, db_text(rows, 3),
		       min_of(strlen(db_text(rows, 3)) + 1, sizeof(request.digest)));
		request.digest[sizeof(request.digest) - 1] = '\0';
		core_load_request(core, &request, now);
	}
	return r;
}

static int load_settings(struct db *db, struct core *core)
{
	_cleanup_(db_rows_freep) struct db_rows *rows =
		db_query(db, "SELECT autonomy, epoch FROM settings");
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	void *settings;
	int r = db_next(rows);

	if (r <= 0)
		return r;
	r = decode(&message_autonomy_state, db_text(rows, 0), arena, &settings);
	if (r == 0)
		core_load_settings(core, settings, db_i64(rows, 1));
	return r;
}

int store_load(struct db *db, struct core *core, struct core_now now)
{
	int r = load_settings(db, core);

	if (r == 0)
		r = load_actions(db, core, now);
	return r == 0 ? load_requests(db, core, now) : r;
}
