/* What the agent must not forget, in one SQLite file. The file is the truth; rules_dir/promoted/ is made to agree with
 * it.
 *
 *   meta       single values by name, see the list META_… below
 *   installed  the rules that the server sent and that were accepted, with the verified YAML to the byte; `written` once
 *              the file says the same: what differs then was changed by somebody else
 *   removed    rules taken away and refused  rules not accepted: until the server has been told
 *   cooldown   until when a rule rests for a host, by `rule_id:host`
 *   pattern    counters of each pattern since this file was made; `dirty` counts the changes that were not pushed yet
 *   recorded   ids of executions that were counted, so that none counts twice
 *   queue      executions that wait for being sent, oldest first
 *
 * Moments are microseconds since 1970 (base/timestamp.h), but cooldown.until_ms.
 *
 * Each process opens the file for itself: several may read while one writes, and writers wait for each other up to ten
 * seconds. What a transaction wrote survives a crash of the process and of the machine. A store and its queries belong to
 * one thread.
 *
 * A statement is a constant text. Whoever works with the store writes its own:
 *
 *     struct query *query = query_begin(store, "SELECT body FROM queue WHERE id > ?1");
 *     query_integer(query, last);
 *     while (query_next(query))
 *         use(query_get_text(query, 0));
 *     if (!query_end(query))
 *         return tell_false("%s", store_why(store));
 */
#ifndef APPLIANCE_STORE_H
#define APPLIANCE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/slice.h"

struct store;
struct query;

/* Names in `meta`. Integers, but those marked as text. */
#define META_OWNER "owner"                                 /* text: the appliance and site that this is of */
#define META_REVISION "revision"                           /* of the rules that are installed; absent before the first */
#define META_ACKNOWLEDGED_REVISION "acknowledged_revision" /* what the server knows of */
#define META_ETAG "etag"                                   /* text: of the last answer with rules */
#define META_SIGNED_UNTIL "signed_until"                   /* when its signature expires */
#define META_FINDINGS "findings"                           /* text: what was wrong with rule files, until the server knows */
#define META_TOLD "told"                                   /* text: digest of what the server was told last */
#define META_LAST_SUCCESS "last_success"                   /* end of the last cycle that went well in all */
#define META_LAST_ERROR "last_error"                       /* text: why one did not; absent after one that did */
#define META_LAST_ERROR_AT "last_error_at"
#define META_DROPPED_EXECUTIONS "dropped_executions" /* never sent, because they were too many, too old or refused */

/* Opens the file, makes it with all tables where there is none (readable by its owner only, which is the folder's owner
 * when root does so); `:memory:` is a store that
 * ends with the process. NULL with a sentence in `why`: it cannot be made or read, is no SQLite file, or was made by a
 * newer agent. */
struct store *store_open(const char *path, char *why, size_t why_size) MUST_USE;
void store_close(struct store *store);

/* Why the last statement failed, one clause. */
const char *store_why(const struct store *store);

/* A transaction; it has the only right to write from its begin. Rolling back what was never begun does nothing. */
bool store_begin(struct store *store) MUST_USE;
bool store_commit(struct store *store) MUST_USE;
void store_rollback(struct store *store);

/* Begins a statement; `sql` is a literal with ?1, ?2 … Never NULL: what fails shows in query_end. A statement is
 * prepared once; it must have ended before the same one begins again. */
struct query *query_begin(struct store *store, const char *sql);

/* Its values, in the order of the numbers. They are borrowed until query_end. An absent slice is NULL. */
void query_integer(struct query *query, int64_t value);
void query_text(struct query *query, struct slice value);
void query_bytes(struct query *query, struct slice value);

/* The next row; false when there is none or something failed. */
bool query_next(struct query *query);

/* Columns of the row, from 0; texts live until the next row. NULL is 0 and the absent slice. */
int64_t query_get_integer(struct query *query, int column);
struct slice query_get_text(struct query *query, int column);
bool query_is_null(struct query *query, int column);

/* Ends the statement; false when anything about it failed (store_why). */
bool query_end(struct query *query) MUST_USE;

/* For statements without rows: runs and ends it. */
bool query_run(struct query *query) MUST_USE;

/* How many rows the last INSERT, UPDATE or DELETE changed. */
int64_t store_changes(const struct store *store);

/* Single values. Reading: false when it failed; a value that is not there is `otherwise`, or the absent slice (in the
 * arena). An absent text removes the value. */
bool meta_get_integer(struct store *store, const char *key, int64_t otherwise, int64_t *value) MUST_USE;
bool meta_get_text(struct store *store, struct arena *arena, const char *key, struct slice *value) MUST_USE;
bool meta_set_integer(struct store *store, const char *key, int64_t value) MUST_USE;
bool meta_set_text(struct store *store, const char *key, struct slice value) MUST_USE;

#endif
