#include "store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/timestamp.h"
#include "owner.h"

enum { SCHEMA_VERSION = 1, BUSY_MS = 10000, STATEMENTS = 64, WHY_SIZE = 256 };

/* Journal, durability and memory: 256 KiB of pages are plenty for look-ups by key. */
static const char SETUP[] = "PRAGMA journal_mode = WAL;"
                            "PRAGMA synchronous = FULL;"
                            "PRAGMA cache_size = -256;"
                            "PRAGMA temp_store = MEMORY;"
                            "PRAGMA foreign_keys = ON";

static const char SCHEMA[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE installed (rule_id TEXT PRIMARY KEY, version INTEGER NOT NULL, digest TEXT NOT NULL,"
    " pattern_signature TEXT, yaml BLOB NOT NULL, installed_at INTEGER NOT NULL,"
    " written INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE removed (rule_id TEXT PRIMARY KEY, removed_at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE refused (rule_id TEXT PRIMARY KEY, error TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cooldown (key TEXT PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE pattern (signature TEXT PRIMARY KEY, total_occurrences INTEGER NOT NULL DEFAULT 0,"
    " l1_resolutions INTEGER NOT NULL DEFAULT 0, l2_resolutions INTEGER NOT NULL DEFAULT 0,"
    " l3_resolutions INTEGER NOT NULL DEFAULT 0, success_count INTEGER NOT NULL DEFAULT 0,"
    " total_resolution_time_ms INTEGER NOT NULL DEFAULT 0, last_seen INTEGER NOT NULL, recommended_action TEXT,"
    " check_type TEXT, incident_type TEXT, dirty INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE INDEX pattern_dirty ON pattern (signature) WHERE dirty > 0;"
    "CREATE TABLE recorded (execution_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX recorded_at ON recorded (at);"
    "CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, execution_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL,"
    " queued_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);"
    "PRAGMA user_version = 1";

struct query {
    struct store *store;
    const char *sql; /* a literal: known by its address */
    sqlite3_stmt *statement;
    int bound;
    bool failed;
};

struct store {
    sqlite3 *database;
    struct query queries[STATEMENTS];
    size_t query_count;
    char why[WHY_SIZE];
};

/* ---- opening ------------------------------------------------------------------------------------- */

static void keep_why(struct store *store)
{
    snprintf(store->why, sizeof store->why, "%s", sqlite3_errmsg(store->database));
}

static bool execute(struct store *store, const char *sql)
{
    if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    keep_why(store);
    return false;
}

static bool read_version(struct store *store, int64_t *version)
{
    struct query *query = query_begin(store, "PRAGMA user_version");
    *version = query_next(query) ? query_get_integer(query, 0) : 0;
    return query_end(query);
}

/* Looks again inside a transaction: another process may be making the same file. */
static bool make_tables(struct store *store)
{
    int64_t version;
    if (!store_begin(store))
        return false;
    if (read_version(store, &version) && (version != 0 || execute(store, SCHEMA)) && store_commit(store))
        return true;
    store_rollback(store);
    return false;
}

/* Changing the journal of a new file does not wait for others that do the same: SQLite says at once that it is locked. */
static bool prepare(struct store *store)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int64_t give_up = timestamp_now() + BUSY_MS * INT64_C(1000);
    while (!execute(store, SETUP)) {
        if (sqlite3_errcode(store->database) != SQLITE_BUSY || timestamp_now() >= give_up)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static bool set_up(struct store *store)
{
    int64_t version;
    if (!prepare(store) || !read_version(store, &version) || (version == 0 && !make_tables(store)))
        return false;
    if (version <= SCHEMA_VERSION)
        return true;
    snprintf(store->why, sizeof store->why, "it was made by a newer version of the agent");
    return false;
}

struct store *store_open(const char *path, char *why, size_t why_size)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        abort();
    mode_t mask = umask(S_IRWXG | S_IRWXO);
    if (strcmp(path, ":memory:") != 0)
        owner_make_file(path);
    int opened = sqlite3_open_v2(path, &store->database,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (opened == SQLITE_OK)
        sqlite3_busy_timeout(store->database, BUSY_MS);
    else
        keep_why(store);
    bool usable = opened == SQLITE_OK && set_up(store);
    umask(mask);
    if (usable)
        return store;
    snprintf(why, why_size, "cannot use the state file %s: %s", path, store->why);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->query_count; i++)
        sqlite3_finalize(store->queries[i].statement);
    sqlite3_close(store->database);
    free(store);
}

const char *store_why(const struct store *store)
{
    return store->why;
}

/* ---- transactions -------------------------------------------------------------------------------- */

bool store_begin(struct store *store)
{
    return query_run(query_begin(store, "BEGIN IMMEDIATE"));
}

bool store_commit(struct store *store)
{
    return query_run(query_begin(store, "COMMIT"));
}

void store_rollback(struct store *store)
{
    if (sqlite3_get_autocommit(store->database) == 0)
        sqlite3_exec(store->database, "ROLLBACK", NULL, NULL, NULL); /* fails only where it has happened already */
}

/* ---- statements ---------------------------------------------------------------------------------- */

static struct query *find_query(struct store *store, const char *sql)
{
    for (size_t i = 0; i < store->query_count; i++)
        if (store->queries[i].sql == sql)
            return &store->queries[i];
    if (store->query_count == STATEMENTS)
        abort(); /* more different statements than the program has: they are literals */
    struct query *query = &store->queries[store->query_count++];
    *query = (struct query){.store = store, .sql = sql};
    return query;
}

static void note(struct query *query, int result)
{
    if (result == SQLITE_OK || query->failed)
        return;
    query->failed = true;
    keep_why(query->store);
}

struct query *query_begin(struct store *store, const char *sql)
{
    struct query *query = find_query(store, sql);
    query->bound = 0;
    query->failed = false;
    if (query->statement == NULL)
        note(query, sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &query->statement, NULL));
    return query;
}

void query_integer(struct query *query, int64_t value)
{
    note(query, sqlite3_bind_int64(query->statement, ++query->bound, value));
}

void query_text(struct query *query, struct slice value)
{
    note(query, sqlite3_bind_text64(query->statement, ++query->bound, value.ptr, value.len, SQLITE_STATIC, SQLITE_UTF8));
}

void query_bytes(struct query *query, struct slice value)
{
    note(query, sqlite3_bind_blob64(query->statement, ++query->bound, value.ptr, value.len, SQLITE_STATIC));
}

bool query_next(struct query *query)
{
    if (query->failed)
        return false;
    int result = sqlite3_step(query->statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        note(query, result);
    return result == SQLITE_ROW;
}

int64_t query_get_integer(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

struct slice query_get_text(struct query *query, int column)
{
    if (query_is_null(query, column))
        return SLICE_ABSENT;
    const void *bytes = sqlite3_column_blob(query->statement, column);
    return (struct slice){bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(query->statement, column)};
}

bool query_is_null(struct query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

bool query_end(struct query *query)
{
    if (query->statement != NULL) {
        sqlite3_reset(query->statement); /* repeats what the last step said, which was noted */
        sqlite3_clear_bindings(query->statement);
    }
    return !query->failed;
}

bool query_run(struct query *query)
{
    bool more = true;
    while (more)
        more = query_next(query);
    return query_end(query);
}

int64_t store_changes(const struct store *store)
{
    return sqlite3_changes64(store->database);
}

/* ---- single values ------------------------------------------------------------------------------- */

static struct query *begin_look_up(struct store *store, const char *key)
{
    struct query *query = query_begin(store, "SELECT value FROM meta WHERE key = ?1");
    query_text(query, slice_of(key));
    return query;
}

bool meta_get_integer(struct store *store, const char *key, int64_t otherwise, int64_t *value)
{
    struct query *query = begin_look_up(store, key);
    *value = query_next(query) ? query_get_integer(query, 0) : otherwise;
    return query_end(query);
}

bool meta_get_text(struct store *store, struct arena *arena, const char *key, struct slice *value)
{
    struct query *query = begin_look_up(store, key);
    *value = query_next(query) ? arena_copy(arena, query_get_text(query, 0)) : SLICE_ABSENT;
    return query_end(query);
}

/* A literal in one place, so that both setters share the statement. */
static struct query *begin_set(struct store *store, const char *key)
{
    struct query *query = query_begin(store, "INSERT INTO meta (key, value) VALUES (?1, ?2) "
                                             "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    query_text(query, slice_of(key));
    return query;
}

bool meta_set_integer(struct store *store, const char *key, int64_t value)
{
    struct query *query = begin_set(store, key);
    query_integer(query, value);
    return query_run(query);
}

bool meta_set_text(struct store *store, const char *key, struct slice value)
{
    struct query *query = NULL;
    if (slice_present(value)) {
        query = begin_set(store, key);
        query_text(query, value);
    } else {
        query = query_begin(store, "DELETE FROM meta WHERE key = ?1");
        query_text(query, slice_of(key));
    }
    return query_run(query);
}
