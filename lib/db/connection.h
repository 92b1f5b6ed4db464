/* One connection, in libpq's pipeline mode. Only lib/db uses this.
 *
 * All sending and receiving is non-blocking with one deadline, so that a database that hangs costs a bounded
 * time. After a failure that leaves the state of the protocol unclear the connection is closed; the next use opens
 * a new one.
 *
 * Not thread-safe: the pool hands a connection to one thread at a time. */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include "db/database.h"

struct connection;

enum outcome {
    OUTCOME_OK,
    OUTCOME_LOST,    /* the connection broke, or the deadline passed: what was sent may or may not have run */
    OUTCOME_RETRY,   /* the transaction must be run again: 40001, 40P01, 23505, or a primary that moved */
    OUTCOME_BUSY,    /* the server gave up: a time-out, a lock not granted, too many connections */
    OUTCOME_REFUSED, /* any other error from the server; logged */
};

struct connection *connection_new(const char *conninfo, const char *program) MUST_USE;
void connection_free(struct connection *connection);

/* True when connected. Otherwise connects, which takes some seconds when the server does not answer. */
bool connection_open(struct connection *connection) MUST_USE;

bool connection_is_open(const struct connection *connection);

/* Closes a connection that is not to be trusted any more. */
void connection_close(struct connection *connection);

/* Between two uses: closes a connection that has carried so much at once that libpq would keep megabytes for it. */
void connection_slim(struct connection *connection);

/* Sends `before` (SQL without values, NULL for none) and the calls, and waits for every result. `rows`
 * (NULL: not wanted) gets those of the calls, owned by the arena. */
enum outcome connection_run(struct connection *connection, struct arena *arena, const char *before,
                            const struct db_call *calls, size_t count, const struct db_rows **rows) MUST_USE;

/* Prepares a statement without running it. */
enum outcome connection_prepare(struct connection *connection, const struct db_statement *statement) MUST_USE;

#endif
