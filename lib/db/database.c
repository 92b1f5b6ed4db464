#include "db/database.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "db/connection.h"

enum { WRITE_ATTEMPTS = 5, RECONNECT_MIN_MS = 50, RECONNECT_MAX_MS = 1000 };

/* What is known of a database that could not be reached. Requests must not queue up behind it: while one tries again,
 * and between the tries, the others are told at once. */
struct absence {
    bool away, trying;
    int64_t delay_ms;      /* before the next try */
    int64_t not_before_ms; /* monotonic */
};

struct database {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    unsigned idle_count;
    unsigned total;
    struct absence absence;
    struct connection **idle; /* newest last: a warm connection is used again first */
    struct connection **all;
};

struct db_transaction {
    struct connection *connection;
    struct arena *arena;
    bool begun;
    enum outcome outcome; /* of the last round trip */
};

struct database *database_new(const char *conninfo, const char *program, unsigned connections)
{
    struct database *database = calloc(1, sizeof *database);
    if (database == NULL)
        abort();
    database->idle = calloc(connections, sizeof(struct connection *));
    database->all = calloc(connections, sizeof(struct connection *));
    if (database->idle == NULL || database->all == NULL)
        abort();
    pthread_mutex_init(&database->lock, NULL);
    pthread_cond_init(&database->returned, NULL);
    for (unsigned i = 0; i < connections; i++)
        database->all[i] = database->idle[i] = connection_new(conninfo, program);
    database->idle_count = database->total = connections;
    return database;
}

void database_free(struct database *database)
{
    if (database == NULL)
        return;
    for (unsigned i = 0; i < database->total; i++)
        connection_free(database->all[i]);
    pthread_cond_destroy(&database->returned);
    pthread_mutex_destroy(&database->lock);
    free(database->idle);
    free(database->all);
    free(database);
}

static struct connection *borrow(struct database *database)
{
    pthread_mutex_lock(&database->lock);
    while (database->idle_count == 0)
        pthread_cond_wait(&database->returned, &database->lock);
    struct connection *connection = database->idle[--database->idle_count];
    pthread_mutex_unlock(&database->lock);
    return connection;
}

static void give_back(struct database *database, struct connection *connection)
{
    connection_slim(connection);
    pthread_mutex_lock(&database->lock);
    database->idle[database->idle_count++] = connection;
    pthread_cond_signal(&database->returned);
    pthread_mutex_unlock(&database->lock);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether the caller may try to connect now. */
static bool may_try(struct database *database)
{
    struct absence *absence = &database->absence;
    pthread_mutex_lock(&database->lock);
    bool may = !absence->away || (!absence->trying && now_ms() >= absence->not_before_ms);
    absence->trying |= may;
    pthread_mutex_unlock(&database->lock);
    return may;
}

static void note_try(struct database *database, bool up)
{
    struct absence *absence = &database->absence;
    pthread_mutex_lock(&database->lock);
    if (up) {
        *absence = (struct absence){0};
    } else {
        int64_t delay = absence->away ? absence->delay_ms * 2 : RECONNECT_MIN_MS;
        delay = delay < RECONNECT_MAX_MS ? delay : RECONNECT_MAX_MS;
        *absence = (struct absence){.away = true, .delay_ms = delay, .not_before_ms = now_ms() + delay};
    }
    pthread_mutex_unlock(&database->lock);
}

static bool make_open(struct database *database, struct connection *connection)
{
    if (connection_is_open(connection))
        return true;
    if (!may_try(database))
        return false;
    bool up = connection_open(connection);
    note_try(database, up);
    return up;
}

/* What a caller is told of an outcome that stays. */
static bool fail(struct error *error, enum outcome outcome)
{
    if (outcome == OUTCOME_REFUSED)
        return error_set(error, ERROR_INTERNAL, "internal",
                         "Something went wrong on our side; the log has the details under this request id.");
    return error_set(error, ERROR_UNAVAILABLE, "database-unavailable",
                     "The database is not available at the moment; try again in a few seconds.");
}

bool db_read(struct database *database, struct arena *arena, const struct db_call *calls, size_t count,
             const struct db_rows **rows, struct error *error)
{
    enum outcome outcome = OUTCOME_LOST;
    struct connection *connection = borrow(database);
    /* A second try, because reading twice harms nobody: the first may have met a restarted server. */
    for (int attempt = 0; attempt < 2; attempt++) {
        outcome = OUTCOME_LOST;
        if (make_open(database, connection))
            outcome = connection_run(connection, arena, NULL, calls, count, rows);
        if (outcome != OUTCOME_LOST && outcome != OUTCOME_RETRY)
            break;
    }
    give_back(database, connection);
    return outcome == OUTCOME_OK || fail(error, outcome);
}

bool db_run(struct db_transaction *transaction, const struct db_call *calls, size_t count,
            const struct db_rows **rows, struct error *error)
{
    if (transaction->outcome != OUTCOME_OK)
        return fail(error, transaction->outcome);
    transaction->outcome = connection_run(transaction->connection, transaction->arena,
                                          transaction->begun ? NULL : "BEGIN", calls, count, rows);
    transaction->begun = true;
    return transaction->outcome == OUTCOME_OK || fail(error, transaction->outcome);
}

bool db_query(struct db_transaction *transaction, const struct db_statement *statement, const char *const *values,
              const struct db_rows **rows, struct error *error)
{
    const struct db_rows *ignored;
    struct db_call call = {statement, values};
    return db_run(transaction, &call, 1, rows != NULL ? rows : &ignored, error);
}

/* Ends a transaction whose work failed. A rollback that fails too leaves a connection nobody should use. */
static void roll_back(struct db_transaction *transaction)
{
    if (!transaction->begun || transaction->outcome == OUTCOME_LOST)
        return;
    if (connection_run(transaction->connection, transaction->arena, "ROLLBACK", NULL, 0, NULL) != OUTCOME_OK)
        connection_close(transaction->connection);
}

/* One run of the work. OUTCOME_OK with `*done` false: the work itself said no. */
static enum outcome attempt_write(struct connection *connection, struct arena *arena, db_work *work, void *argument,
                                  bool *done, bool *commit_sent, struct error *error)
{
    struct db_transaction transaction = {.connection = connection, .arena = arena, .outcome = OUTCOME_OK};
    *done = work(&transaction, argument, error);
    if (!*done || transaction.outcome != OUTCOME_OK) {
        roll_back(&transaction);
        return transaction.outcome;
    }
    if (!transaction.begun)
        return OUTCOME_OK;
    *commit_sent = true;
    return connection_run(connection, arena, "COMMIT", NULL, 0, NULL);
}

/* May be run again: nothing was committed, and another run may end differently. */
static bool worth_retrying(enum outcome outcome, bool commit_sent, int attempt)
{
    if (outcome == OUTCOME_RETRY)
        return attempt < WRITE_ATTEMPTS;
    return outcome == OUTCOME_LOST && !commit_sent && attempt < 2;
}

bool db_write(struct database *database, struct arena *arena, db_work *work, void *argument, struct error *error)
{
    struct connection *connection = borrow(database);
    enum outcome outcome;
    bool done = false, commit_sent;
    int attempt = 0;
    do {
        error_clear(error);
        commit_sent = false;
        outcome = OUTCOME_LOST;
        if (make_open(database, connection))
            outcome = attempt_write(connection, arena, work, argument, &done, &commit_sent, error);
        attempt++;
    } while (worth_retrying(outcome, commit_sent, attempt));
    give_back(database, connection);
    if (outcome != OUTCOME_OK)
        return fail(error, outcome);
    return done;
}

/* The linker gathers what DB_STATEMENT declares between these two. */
// NOLINTBEGIN(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp): it is the linker that names them so
extern const struct db_statement *const __start_db_statements[] __attribute__((visibility("hidden"), weak));
extern const struct db_statement *const __stop_db_statements[] __attribute__((visibility("hidden"), weak));
// NOLINTEND(bugprone-reserved-identifier, cert-dcl37-c, cert-dcl51-cpp)

const struct db_statement *const *db_statements(size_t *count)
{
    // cppcheck-suppress comparePointers ; both are marks in the one array that the linker has made
    *count = (size_t)(__stop_db_statements - __start_db_statements);
    return __start_db_statements;
}

bool db_check(struct database *database, struct error *error)
{
    size_t count;
    const struct db_statement *const *statements = db_statements(&count);
    struct connection *connection = borrow(database);
    enum outcome outcome = make_open(database, connection) ? OUTCOME_OK : OUTCOME_LOST;
    for (size_t i = 0; outcome == OUTCOME_OK && i < count; i++)
        outcome = connection_prepare(connection, statements[i]);
    give_back(database, connection);
    return outcome == OUTCOME_OK || fail(error, outcome);
}
