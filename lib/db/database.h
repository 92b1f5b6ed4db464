/* The database, as the rest of the house sees it: statements by name, values as text, one round trip.
 *
 * A statement is a constant with a name; a connection prepares it when it first needs it, in the same
 * round trip, and again after each reconnect. Values go in as text (NULL for SQL NULL) and come out as
 * slices of PostgreSQL's text that live as long as the request's arena. No SQL is built at run time.
 *
 * Reads and writes have different shapes. A read is a list of statements sent at once and run in one
 * implicit transaction: a whole request is one round trip. A write is a function that runs inside a transaction
 * and may be run again from its start, so it must keep no state of its own between runs.
 *
 * Nothing here promises a connection per thread or per request: callers see neither connections nor
 * waiting, so that connections can be shared without touching them.
 *
 * What fails: a lost connection is made again and the work tried once more when nothing can have been
 * committed; serialisation failures (40001), deadlocks (40P01) and unique keys that somebody else took
 * meanwhile (23505) run a write again from its start; when the database stays away, is over its
 * limits or takes too long, the error is ERROR_UNAVAILABLE; any other refusal is logged and is
 * ERROR_INTERNAL.
 *
 * Thread-safe throughout; a transaction belongs to the thread that runs its work. */
#ifndef DB_DATABASE_H
#define DB_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

/* A statement. `name` is unique in the program; `params` is the number of $n in `sql`. */
struct db_statement {
    const char *name;
    const char *sql;
    int params;
};

/* Declares a file-local statement and enters it into the list that db_check prepares. */
#define DB_STATEMENT(identifier, parameter_count, sql_text)                                                  \
    static const struct db_statement identifier = {#identifier, sql_text, parameter_count};                   \
    static const struct db_statement *const identifier##_entry                                               \
        __attribute__((section("db_statements"), used)) = &identifier

/* A statement with its values: an array of `statement->params` texts. */
struct db_call {
    const struct db_statement *statement;
    const char *const *values;
};

/* All statements of the library, as an array of `*count` pointers. */
const struct db_statement *const *db_statements(size_t *count);

struct database;
struct db_rows;
struct db_transaction;

/* A pool of at most `connections` connections to `conninfo` (libpq's text form), opened when first
 * needed. `program` is shown as application_name. Never fails: whether the database answers shows when it
 * is used. The strings must outlive the pool. */
struct database *database_new(const char *conninfo, const char *program, unsigned connections) MUST_USE;

/* Closes the connections. No call may be under way. NULL is allowed. */
void database_free(struct database *database);

/* Connects and prepares every statement of the library, so that a program that does not fit the schema finds
 * out before it serves. */
bool db_check(struct database *database, struct error *error) MUST_USE;

/* Sends all calls at once and runs them in order in one transaction. `rows[i]` gets the result of calls[i]. */
bool db_read(struct database *database, struct arena *arena, const struct db_call *calls, size_t count,
             const struct db_rows **rows, struct error *error) MUST_USE;

/* Work inside a transaction. True commits; false, with `error` filled, rolls back. */
typedef bool db_work(struct db_transaction *transaction, void *argument, struct error *error);

bool db_write(struct database *database, struct arena *arena, db_work *work, void *argument,
              struct error *error) MUST_USE;

/* Inside a transaction: sends the calls in one round trip and waits for all results. On false the work
 * must return false. */
bool db_run(struct db_transaction *transaction, const struct db_call *calls, size_t count,
            const struct db_rows **rows, struct error *error) MUST_USE;

/* db_run for one statement. */
bool db_query(struct db_transaction *transaction, const struct db_statement *statement,
              const char *const *values, const struct db_rows **rows, struct error *error) MUST_USE;

/* ---- results ---------------------------------------------------------------------------------- */

size_t db_count(const struct db_rows *rows);

/* Rows that an INSERT, UPDATE or DELETE touched. */
size_t db_affected(const struct db_rows *rows);

/* A value as PostgreSQL prints it (booleans `t`/`f`, time stamps ISO in UTC); absent for NULL.
 * `row` and `column` count from 0 and must be in range. */
struct slice db_value(const struct db_rows *rows, size_t row, int column);

/* The same, NUL-terminated; NULL for NULL. */
const char *db_text(const struct db_rows *rows, size_t row, int column);

/* False for NULL. */
bool db_bool(const struct db_rows *rows, size_t row, int column);

/* 0 for NULL. */
long long db_integer(const struct db_rows *rows, size_t row, int column);

/* NaN for NULL. */
double db_number(const struct db_rows *rows, size_t row, int column);

#endif
