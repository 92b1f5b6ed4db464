#include "promotion/sign_in.h"

#include "base/crypto.h"
#include "promotion/audit.h"
#include "promotion/lockout.h"
#include "promotion/passwords.h"

DB_STATEMENT(sign_in_find, 1,
             "SELECT u.id, u.partner_id, u.password_hash, u.email FROM users u JOIN partners p ON p.id = u.partner_id "
             "WHERE lower(u.email) = lower($1) AND u.status = 'active' AND p.status = 'active'");
DB_STATEMENT(sign_in_open, 4,
             "INSERT INTO sessions (token_hash, user_id, partner_id, expires_at) "
             "VALUES ($1::bytea, $2::uuid, $3::uuid, now() + make_interval(hours => $4::int))");
DB_STATEMENT(sign_in_note, 1, "UPDATE users SET last_sign_in_at = now() WHERE id = $1::uuid");
DB_STATEMENT(sign_out_who, 1, "SELECT user_id, partner_id, actor FROM authenticate(NULL, $1::bytea, NULL) "
                              "WHERE outcome = 'ok'");
DB_STATEMENT(sign_out_close, 1, "DELETE FROM sessions WHERE token_hash = $1::bytea");

/* The person as the audit log names who acts. */
static struct principal person(struct slice user_id, struct slice partner_id, struct slice email)
{
    return (struct principal){.kind = SLICE("user"), .actor_id = user_id, .actor = email, .user_id = user_id,
                              .partner_id = partner_id};
}

/* ---- in --------------------------------------------------------------------------------------------------- */

struct sign_in_task {
    struct session *session; /* its principal is the person, if there is one */
    const char *email;
    struct attempt attempt;
};

/* Takes the account of that address into the session's principal, and its password's hash; none is no error. */
static bool find_account(struct sign_in_task *task, const char **stored, struct error *error)
{
    struct session *session = task->session;
    const struct db_call call = {&sign_in_find, &task->email};
    const struct db_rows *rows;
    if (!db_read(session->database, session->arena, &call, 1, &rows, error))
        return false;
    *stored = NULL;
    if (db_count(rows) == 0)
        return true;
    session->principal = person(db_value(rows, 0, 0), db_value(rows, 0, 1), db_value(rows, 0, 3));
    *stored = db_text(rows, 0, 2);
    return true;
}

static bool open_session(struct db_transaction *transaction, void *argument, struct error *error)
{
    const struct sign_in_task *task = argument;
    struct session *session = task->session;
    const char *user_id = arena_text(session->arena, session->principal.user_id);
    const char *partner_id = arena_text(session->arena, session->principal.partner_id);
    const char *hours = arena_printf(session->arena, "%d", SESSION_HOURS);
    const struct audit_event event = {.action = "user.signed_in", .entity = "user", .entity_id = slice_of(user_id)};
    const char *opened[] = {session->session_hash, user_id, partner_id, hours};
    const struct db_call calls[] = {
        {&sign_in_open, opened},
        {&sign_in_note, &user_id},
        lockout_forget_call(session->arena, task->email),
        audit_call(session, &event),
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    return db_run(transaction, calls, COUNT_OF(calls), rows, error);
}

static bool refuse(const struct sign_in_task *task, struct error *error)
{
    bool known = slice_present(task->session->principal.user_id);
    if (known && !lockout_record(task->session, &task->attempt, error))
        return false;
    return error_set(error, ERROR_UNAUTHENTICATED, "sign-in-failed",
                     "The e-mail address or the password is wrong; check both and try again.");
}

bool account_sign_in(struct database *database, struct arena *arena, const char *request_id, struct slice email,
                     struct slice password, const char **secret, struct partner_profile *partner,
                     struct user_profile *user, struct error *error)
{
    *secret = secret_text(arena, "fws_");
    struct sha256 hash = sha256_of(slice_of(*secret));
    struct session session = {.database = database, .arena = arena, .request_id = request_id, .needed = SCOPE_USER,
                              .session_hash = bytea_text(arena, &hash)};
    struct sign_in_task task = {.session = &session, .email = arena_text(arena, email)};
    const char *stored;
    if (!lockout_begin(database, arena, task.email, &task.attempt, error) || !find_account(&task, &stored, error))
        return false;
    if (!password_fits(arena, stored, password))
        return refuse(&task, error);
    return db_write(database, arena, open_session, &task, error) && account_read(&session, partner, user, error);
}

/* ---- out -------------------------------------------------------------------------------------------------- */

static bool close_session(struct db_transaction *transaction, void *argument, struct error *error)
{
    struct session *session = argument;
    const struct db_rows *rows[2];
    if (!db_query(transaction, &sign_out_who, &session->session_hash, rows, error))
        return false;
    if (db_count(rows[0]) == 0)
        return true;
    session->principal = person(db_value(rows[0], 0, 0), db_value(rows[0], 0, 1), db_value(rows[0], 0, 2));
    const struct audit_event event = {.action = "user.signed_out", .entity = "user",
                                      .entity_id = session->principal.user_id};
    const struct db_call calls[] = {{&sign_out_close, &session->session_hash}, audit_call(session, &event)};
    return db_run(transaction, calls, COUNT_OF(calls), rows, error);
}

bool account_sign_out(struct database *database, struct arena *arena, const char *request_id, const char *session_hash,
                      struct error *error)
{
    struct session session = {.database = database, .arena = arena, .request_id = request_id,
                              .session_hash = session_hash};
    return session_hash == NULL || db_write(database, arena, close_session, &session, error);
}
