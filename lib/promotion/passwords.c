#include "promotion/passwords.h"

#include <pthread.h>
#include <strings.h>

#include "base/crypto.h"
#include "promotion/audit.h"
#include "promotion/lockout.h"

DB_STATEMENT(password_link_find, 1,
             "SELECT u.id, u.partner_id, u.email FROM password_links l JOIN users u ON u.id = l.user_id "
             "JOIN partners p ON p.id = u.partner_id WHERE l.token_hash = $1::bytea AND l.expires_at > now() "
             "AND u.status <> 'disabled' AND p.status = 'active'");
/* Of two that send the same link at once, the second finds it gone. */
DB_STATEMENT(password_link_use, 2,
             "WITH used AS (DELETE FROM password_links WHERE token_hash = $1::bytea AND expires_at > now() "
             "RETURNING user_id) UPDATE users u SET password_hash = $2, status = 'active' FROM used "
             "WHERE u.id = used.user_id AND u.status <> 'disabled'");
DB_STATEMENT(password_own, 1,
             "SELECT u.password_hash, u.email FROM users u JOIN authenticate(NULL, $1::bytea, NULL) a ON a.user_id = u.id");
DB_STATEMENT(password_replace, 3,
             "UPDATE users SET password_hash = $2 WHERE id = $1::uuid AND password_hash = $3 AND status = 'active'");
DB_STATEMENT(password_end_sessions, 2,
             "DELETE FROM sessions WHERE user_id = $1::uuid AND ($2::bytea IS NULL OR token_hash <> $2::bytea)");

/* ---- hashes ----------------------------------------------------------------------------------------------- */

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* A hash of nothing anybody knows takes the place of one that is not there. */
bool password_fits(struct arena *arena, const char *hash, struct slice password)
{
    pthread_mutex_lock(&one_at_a_time);
    const char *decoy = hash == NULL ? password_hash(arena, slice_of(secret_text(arena, ""))) : NULL;
    bool fits = hash != NULL && password_verify(hash, password);
    pthread_mutex_unlock(&one_at_a_time);
    (void)decoy;
    return fits;
}

static const char *hash_of(struct arena *arena, struct slice password, struct error *error)
{
    pthread_mutex_lock(&one_at_a_time);
    const char *hash = password_hash(arena, password);
    pthread_mutex_unlock(&one_at_a_time);
    if (hash == NULL)
        error_fill(error, ERROR_INTERNAL, "internal", "Something went wrong here; tell the operator the request_id.");
    return hash;
}

static bool is_address(struct slice password, struct slice email)
{
    return password.len == email.len && strncasecmp(password.ptr, email.ptr, email.len) == 0;
}

static bool refuse_address(const char *pointer, struct error *error)
{
    return error_add(error, pointer, "must not be the e-mail address");
}

/* ---- by a link -------------------------------------------------------------------------------------------- */

struct choice {
    struct session *session; /* its principal is the person */
    const char *token_hash;
    const char *password_hash;
};

static bool refuse_link(struct error *error)
{
    return error_add(error, "/token", "is unknown, used or expired; ask an admin for a new link");
}

static struct audit_event password_event(const struct session *session)
{
    return (struct audit_event){.action = "user.password_set", .entity = "user",
                                .entity_id = session->principal.user_id,
                                .after = audit_address(session->arena, session->principal.actor)};
}

static bool use_link(struct db_transaction *transaction, void *argument, struct error *error)
{
    const struct choice *choice = argument;
    struct session *session = choice->session;
    struct arena *arena = session->arena;
    const struct audit_event event = password_event(session);
    const char *used[] = {choice->token_hash, choice->password_hash};
    const char *ended[] = {arena_text(arena, session->principal.user_id), NULL};
    const struct db_call calls[] = {
        {&password_link_use, used},
        {&password_end_sessions, ended},
        lockout_forget_call(arena, arena_text(arena, session->principal.actor)),
        audit_call(session, &event),
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    return db_affected(rows[0]) == 1 || refuse_link(error);
}

bool password_set_by_link(struct database *database, struct arena *arena, const char *request_id, struct slice token,
                          struct slice password, const char **email, struct error *error)
{
    struct session session = {.database = database, .arena = arena, .request_id = request_id};
    struct sha256 hash = sha256_of(token);
    struct choice choice = {.session = &session, .token_hash = bytea_text(arena, &hash)};
    const struct db_call find = {&password_link_find, &choice.token_hash};
    const struct db_rows *rows;
    if (!db_read(database, arena, &find, 1, &rows, error))
        return false;
    if (db_count(rows) == 0)
        return refuse_link(error);
    session.principal = (struct principal){.kind = SLICE("user"), .actor_id = db_value(rows, 0, 0),
                                           .actor = db_value(rows, 0, 2), .user_id = db_value(rows, 0, 0),
                                           .partner_id = db_value(rows, 0, 1)};
    *email = db_text(rows, 0, 2);
    if (is_address(password, session.principal.actor))
        return refuse_address("/password", error);
    choice.password_hash = hash_of(arena, password, error);
    return choice.password_hash != NULL && db_write(database, arena, use_link, &choice, error);
}

/* ---- by oneself ------------------------------------------------------------------------------------------- */

struct replacement {
    const char *email, *old_hash, *new_hash;
};

static bool refuse_current(struct error *error)
{
    return error_add(error, "/current_password", "is wrong");
}

static bool replace(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct replacement *replacement = argument;
    struct session *session = change->session;
    const char *user_id = arena_text(session->arena, session->principal.user_id);
    const struct audit_event event = password_event(session);
    const char *replaced[] = {user_id, replacement->new_hash, replacement->old_hash};
    const char *ended[] = {user_id, session->session_hash};
    const struct db_call calls[] = {
        {&password_replace, replaced},
        {&password_end_sessions, ended},
        lockout_forget_call(session->arena, replacement->email),
        audit_call(session, &event),
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    (void)answer;
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    return db_affected(rows[0]) == 1 || refuse_current(error); /* changed meanwhile */
}

/* Signs in, and takes the person's address and hash. */
static bool read_own(struct session *session, struct replacement *replacement, struct error *error)
{
    const struct db_call call = {&password_own, &session->session_hash};
    const struct db_rows *rows;
    if (!session_read(session, &call, 1, &rows, error))
        return false;
    replacement->old_hash = db_text(rows, 0, 0);
    replacement->email = db_text(rows, 0, 1);
    return true;
}

bool password_change(struct session *session, struct slice current, struct slice chosen, struct error *error)
{
    static const struct idempotency no_key = {0};
    struct arena *arena = session->arena;
    struct replacement replacement;
    struct attempt attempt;
    if (!read_own(session, &replacement, error))
        return false;
    if (is_address(chosen, slice_of(replacement.email)))
        return refuse_address("/new_password", error);
    if (!lockout_begin(session->database, arena, replacement.email, &attempt, error))
        return false;
    if (!password_fits(arena, replacement.old_hash, current))
        return lockout_record(session, &attempt, error) && refuse_current(error);
    replacement.new_hash = hash_of(arena, chosen, error);
    if (replacement.new_hash == NULL)
        return false;
    struct buffer nothing = buffer_make(1);
    struct answer answer = {.body = &nothing};
    return change_run(session, &no_key, replace, &replacement, NULL, &answer, error);
}
