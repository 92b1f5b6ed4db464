#include "db/connection.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

enum {
    ROUND_TRIP_MS = 15000, /* longer than the server's own statement_timeout, which should strike first */
    PREPARED_MAX = 256,
    KEPT_BYTES = 512 * 1024,
};

static const char SESSION_OPTIONS[] =
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c client_encoding=UTF8 "
    "-c statement_timeout=12s -c lock_timeout=4s -c idle_in_transaction_session_timeout=20s";

struct connection {
    const char *conninfo;
    const char *program;
    PGconn *pg;
    size_t sent_at_once; /* bytes of the largest batch of values */
    size_t prepared_count;
    const struct db_statement *prepared[PREPARED_MAX];
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct connection *connection_new(const char *conninfo, const char *program)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL)
        abort();
    connection->conninfo = conninfo;
    connection->program = program;
    return connection;
}

void connection_close(struct connection *connection)
{
    if (connection->pg != NULL)
        PQfinish(connection->pg);
    connection->pg = NULL;
    connection->prepared_count = 0;
    connection->sent_at_once = 0;
}

void connection_slim(struct connection *connection)
{
    if (connection->sent_at_once > KEPT_BYTES)
        connection_close(connection);
}

void connection_free(struct connection *connection)
{
    connection_close(connection);
    free(connection);
}

/* libpq's notices (a partition that exists already, …) are nobody's business. */
static void ignore_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

/* The first line of a message, without its line feed. */
static void log_failure(const char *event, const char *what, const char *message)
{
    log_event(LOG_WARNING, event, "%s: %.*s", what, (int)strcspn(message, "\n"), message);
}

static bool connect_now(struct connection *connection)
{
    const char *keywords[] = {"dbname", "application_name", "options", "connect_timeout", NULL};
    const char *values[] = {connection->conninfo, connection->program, SESSION_OPTIONS, "4", NULL};
    connection->pg = PQconnectdbParams(keywords, values, 1);
    bool up = PQstatus(connection->pg) == CONNECTION_OK && PQsetnonblocking(connection->pg, 1) == 0 &&
              PQenterPipelineMode(connection->pg) == 1;
    if (!up) {
        log_failure("database-away", "cannot connect", PQerrorMessage(connection->pg));
        connection_close(connection);
        return false;
    }
    PQsetNoticeReceiver(connection->pg, ignore_notice, NULL);
    return true;
}

bool connection_open(struct connection *connection)
{
    return connection->pg != NULL || connect_now(connection);
}

bool connection_is_open(const struct connection *connection)
{
    return connection->pg != NULL;
}

/* Waits until the socket is ready for `events`; false when the deadline passes first. */
static bool wait_for(struct connection *connection, short events, int64_t deadline)
{
    struct pollfd fd = {.fd = PQsocket(connection->pg), .events = events};
    for (;;) {
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return false;
        int ready = poll(&fd, 1, (int)left);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* Sends what is queued. While the server is not reading, what it has written is taken in: both sides
 * writing and nobody reading would be a standstill. */
static bool flush_out(struct connection *connection, int64_t deadline)
{
    for (;;) {
        int left = PQflush(connection->pg);
        if (left <= 0)
            return left == 0;
        if (!wait_for(connection, POLLIN | POLLOUT, deadline) || PQconsumeInput(connection->pg) != 1)
            return false;
    }
}

static PGresult *next_result(struct connection *connection, int64_t deadline)
{
    while (PQisBusy(connection->pg)) {
        if (!wait_for(connection, POLLIN, deadline) || PQconsumeInput(connection->pg) != 1)
            return NULL;
    }
    return PQgetResult(connection->pg);
}

static bool is_prepared(const struct connection *connection, const struct db_statement *statement)
{
    for (size_t i = 0; i < connection->prepared_count; i++)
        if (connection->prepared[i] == statement)
            return true;
    return false;
}

/* Queues the preparation where it is needed. Remembered at once: when it fails, the whole connection is
 * given up, so that a wrong memory cannot stay. */
static bool queue_prepare(struct connection *connection, const struct db_statement *statement, size_t *expected)
{
    if (is_prepared(connection, statement))
        return true;
    if (connection->prepared_count == PREPARED_MAX ||
        PQsendPrepare(connection->pg, statement->name, statement->sql, statement->params, NULL) != 1)
        return false;
    connection->prepared[connection->prepared_count++] = statement;
    (*expected)++;
    return true;
}

static size_t bytes_of(const struct db_call *call)
{
    size_t bytes = 0;
    for (int i = 0; i < call->statement->params; i++)
        bytes += call->values[i] != NULL ? strlen(call->values[i]) : 0;
    return bytes;
}

static bool queue_call(struct connection *connection, const struct db_call *call)
{
    return PQsendQueryPrepared(connection->pg, call->statement->name, call->statement->params, call->values, NULL,
                               NULL, 0) == 1;
}

static bool starts_with_class(const char *sqlstate, const char *class_code)
{
    return strncmp(sqlstate, class_code, 2) == 0;
}

static enum outcome classify(const char *sqlstate)
{
    static const char *const again[] = {"40001", "40P01", "23505"};
    static const char *const busy[] = {"57014", "55P03", "25P03"};
    for (size_t i = 0; i < COUNT_OF(again); i++)
        if (strcmp(sqlstate, again[i]) == 0)
            return OUTCOME_RETRY;
    for (size_t i = 0; i < COUNT_OF(busy); i++)
        if (strcmp(sqlstate, busy[i]) == 0)
            return OUTCOME_BUSY;
    if (starts_with_class(sqlstate, "53")) /* insufficient resources: disk, memory, connections */
        return OUTCOME_BUSY;
    if (strcmp(sqlstate, "25006") == 0) /* read-only: the primary has moved; another connection may lead to it */
        return OUTCOME_LOST;
    if (starts_with_class(sqlstate, "57") || starts_with_class(sqlstate, "08")) /* shut down, crash, broken */
        return OUTCOME_LOST;
    return OUTCOME_REFUSED;
}

/* Never the server's DETAIL: it quotes values, and values may be a patient's. */
static enum outcome judge(const PGresult *result, const char *statement)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum outcome outcome = sqlstate != NULL ? classify(sqlstate) : OUTCOME_LOST;
    enum log_level level = outcome == OUTCOME_REFUSED ? LOG_ERROR : LOG_WARNING;
    log_event(level, "database-error", "%s: SQLSTATE %s: %s", statement, sqlstate != NULL ? sqlstate : "none",
              outcome == OUTCOME_RETRY || message == NULL ? "will be tried again" : message);
    return outcome;
}

static void clear_result(void *result)
{
    PQclear(result);
}

/* Where the results of a batch go, in the order in which they arrive. */
struct receipt {
    struct arena *arena;
    const struct db_rows **rows;
    const struct db_call *calls;
    size_t calls_seen;
    bool preparation_failed;
    enum outcome outcome;
};

/* A result that carries rows or a command's tag; preparations and BEGIN come as COMMAND_OK too, and are told
 * apart by `is_call`. */
static void receive(struct receipt *receipt, PGresult *result, bool is_call)
{
    ExecStatusType status = PQresultStatus(result);
    bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!good && status != PGRES_PIPELINE_ABORTED && receipt->outcome == OUTCOME_OK)
        receipt->outcome = judge(result, is_call ? receipt->calls[receipt->calls_seen].statement->name : "preparation");
    receipt->preparation_failed |= !is_call && !good;
    if (is_call && good && receipt->rows != NULL) {
        receipt->rows[receipt->calls_seen] = (const struct db_rows *)result;
        arena_on_reset(receipt->arena, clear_result, result);
    } else {
        PQclear(result);
    }
    receipt->calls_seen += is_call;
}

/* Reads up to the end of the pipeline. `is_call[i]` tells what the i-th result belongs to. */
static enum outcome receive_all(struct connection *connection, struct receipt *receipt, const bool *is_call,
                                size_t expected, int64_t deadline)
{
    for (size_t i = 0; i < expected; i++) {
        PGresult *result = next_result(connection, deadline);
        if (result == NULL)
            return OUTCOME_LOST;
        receive(receipt, result, is_call[i]);
        PGresult *end = next_result(connection, deadline); /* the NULL between two results */
        if (end != NULL) {
            PQclear(end);
            return OUTCOME_LOST;
        }
        if (PQstatus(connection->pg) != CONNECTION_OK)
            return OUTCOME_LOST;
    }
    PGresult *sync = next_result(connection, deadline);
    bool whole = sync != NULL && PQresultStatus(sync) == PGRES_PIPELINE_SYNC;
    PQclear(sync);
    return whole ? receipt->outcome : OUTCOME_LOST;
}

/* Queues everything; false when libpq refuses. */
static bool queue_all(struct connection *connection, const char *before, const struct db_call *calls, size_t count,
                      bool *is_call, size_t *expected)
{
    if (before != NULL) {
        if (PQsendQueryParams(connection->pg, before, 0, NULL, NULL, NULL, NULL, 0) != 1)
            return false;
        (*expected)++;
    }
    for (size_t i = 0; i < count; i++) {
        if (!queue_prepare(connection, calls[i].statement, expected) || !queue_call(connection, &calls[i]))
            return false;
        is_call[(*expected)++] = true;
    }
    return PQpipelineSync(connection->pg) == 1;
}

enum outcome connection_run(struct connection *connection, struct arena *arena, const char *before,
                            const struct db_call *calls, size_t count, const struct db_rows **rows)
{
    int64_t deadline = now_ms() + ROUND_TRIP_MS;
    struct receipt receipt = {.arena = arena, .rows = rows, .calls = calls, .outcome = OUTCOME_OK};
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += bytes_of(&calls[i]);
    if (bytes > connection->sent_at_once)
        connection->sent_at_once = bytes;
    bool *is_call = arena_array(arena, 2 * count + 1, sizeof *is_call);
    size_t expected = 0;
    enum outcome outcome = OUTCOME_LOST;
    if (queue_all(connection, before, calls, count, is_call, &expected) && flush_out(connection, deadline))
        outcome = receive_all(connection, &receipt, is_call, expected, deadline);
    /* A failed preparation must not be remembered, and a broken stream must not be used. */
    if (outcome == OUTCOME_LOST || receipt.preparation_failed)
        connection_close(connection);
    return outcome;
}

enum outcome connection_prepare(struct connection *connection, const struct db_statement *statement)
{
    int64_t deadline = now_ms() + ROUND_TRIP_MS;
    struct receipt receipt = {.outcome = OUTCOME_OK};
    bool is_call[1] = {false};
    size_t expected = 0;
    enum outcome outcome = OUTCOME_LOST;
    if (!queue_prepare(connection, statement, &expected))
        return OUTCOME_LOST;
    if (PQpipelineSync(connection->pg) == 1 && flush_out(connection, deadline))
        outcome = receive_all(connection, &receipt, is_call, expected, deadline);
    if (outcome != OUTCOME_OK) {
        log_event(LOG_ERROR, "statement-refused", "%s cannot be prepared", statement->name);
        connection_close(connection);
    }
    return outcome;
}

/* ---- results: a struct db_rows is a PGresult --------------------------------------------------- */

static const PGresult *result_of(const struct db_rows *rows)
{
    return (const PGresult *)rows;
}

size_t db_count(const struct db_rows *rows)
{
    return (size_t)PQntuples(result_of(rows));
}

size_t db_affected(const struct db_rows *rows)
{
    /* PQcmdTuples takes a non-const pointer but changes nothing. */
    return (size_t)strtoul(PQcmdTuples((PGresult *)(uintptr_t)rows), NULL, 10);
}

const char *db_text(const struct db_rows *rows, size_t row, int column)
{
    if (PQgetisnull(result_of(rows), (int)row, column))
        return NULL;
    return PQgetvalue(result_of(rows), (int)row, column);
}

struct slice db_value(const struct db_rows *rows, size_t row, int column)
{
    if (PQgetisnull(result_of(rows), (int)row, column))
        return SLICE_ABSENT;
    return (struct slice){PQgetvalue(result_of(rows), (int)row, column),
                          (size_t)PQgetlength(result_of(rows), (int)row, column)};
}

bool db_bool(const struct db_rows *rows, size_t row, int column)
{
    return slice_is(db_value(rows, row, column), "t");
}

long long db_integer(const struct db_rows *rows, size_t row, int column)
{
    const char *text = db_text(rows, row, column);
    return text != NULL ? strtoll(text, NULL, 10) : 0;
}

double db_number(const struct db_rows *rows, size_t row, int column)
{
    const char *text = db_text(rows, row, column);
    return text != NULL ? strtod(text, NULL) : (double)__builtin_nanf("");
}
