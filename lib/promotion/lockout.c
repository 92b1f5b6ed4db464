#include "promotion/lockout.h"

#include <stdio.h>

#include "promotion/audit.h"

DB_STATEMENT(lockout_count, 1, "SELECT locked_for, is_last FROM begin_sign_in($1)");
DB_STATEMENT(lockout_forget, 1, "SELECT forget_sign_in_failures($1)");

struct counting {
    const char *address;
    const struct db_rows *rows;
};

static bool count(struct db_transaction *transaction, void *argument, struct error *error)
{
    struct counting *counting = argument;
    return db_query(transaction, &lockout_count, &counting->address, &counting->rows, error);
}

bool lockout_begin(struct database *database, struct arena *arena, const char *address, struct attempt *attempt,
                   struct error *error)
{
    struct counting counting = {address, NULL};
    if (!db_write(database, arena, count, &counting, error))
        return false;
    const char *seconds = db_text(counting.rows, 0, 0);
    attempt->locks = db_bool(counting.rows, 0, 1);
    if (seconds == NULL)
        return true;
    snprintf(error->retry_after, sizeof error->retry_after, "%s", seconds);
    return error_set(error, ERROR_TOO_MANY, "sign-in-locked",
                     "There were too many failed attempts for this address. Wait as long as Retry-After says, or ask an "
                     "admin for a new link.");
}

struct failure {
    struct session *session;
    bool locks;
};

static bool write_failure(struct db_transaction *transaction, void *argument, struct error *error)
{
    const struct failure *failure = argument;
    struct session lock = *failure->session;
    lock.principal = (struct principal){.kind = SLICE("system"), .actor = SLICE("lock-out"),
                                        .partner_id = lock.principal.partner_id};
    struct slice user_id = failure->session->principal.user_id;
    const struct audit_event failed = {.action = "user.sign_in_failed", .entity = "user", .entity_id = user_id};
    const struct audit_event locked = {.action = "user.locked", .entity = "user", .entity_id = user_id,
                                       .after = audit_address(lock.arena, failure->session->principal.actor)};
    const struct db_call calls[] = {audit_call(failure->session, &failed), audit_call(&lock, &locked)};
    const struct db_rows *rows[COUNT_OF(calls)];
    return db_run(transaction, calls, failure->locks ? 2 : 1, rows, error);
}

bool lockout_record(struct session *session, const struct attempt *attempt, struct error *error)
{
    struct failure failure = {session, attempt->locks};
    return db_write(session->database, session->arena, write_failure, &failure, error);
}

struct db_call lockout_forget_call(struct arena *arena, const char *address)
{
    const char **values = arena_array(arena, 1, sizeof *values);
    values[0] = address;
    return (struct db_call){&lockout_forget, values};
}
