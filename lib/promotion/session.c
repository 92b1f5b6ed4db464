#include "promotion/session.h"

DB_STATEMENT(session_authenticate,
             3,
             "SELECT outcome, kind, actor_id, actor, user_id, partner_id, can_read, can_decide, can_admin, role, "
             "key_id, site_id, appliance_id FROM authenticate($1::bytea, $2::bytea, $3::bytea)");

DB_STATEMENT(session_clock, 0, "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");

DB_STATEMENT(idempotency_forget, 2,
             "DELETE FROM idempotency_keys WHERE caller = $1::uuid AND key = $2 "
             "AND created_at < now() - interval '24 hours'");
DB_STATEMENT(idempotency_claim, 4,
             "INSERT INTO idempotency_keys (caller, key, partner_id, request_hash) "
             "VALUES ($1::uuid, $2, $3::uuid, $4::bytea) ON CONFLICT DO NOTHING");
DB_STATEMENT(idempotency_find, 3,
             "SELECT request_hash = $3::bytea, status, content_type, body, sealed FROM idempotency_keys "
             "WHERE caller = $1::uuid AND key = $2");
DB_STATEMENT(idempotency_store, 6,
             "UPDATE idempotency_keys SET status = $3::integer, content_type = $4, body = $5, sealed = $6::boolean "
             "WHERE caller = $1::uuid AND key = $2");
DB_STATEMENT(change_savepoint, 0, "SAVEPOINT before_work");
DB_STATEMENT(change_back_to_savepoint, 0, "ROLLBACK TO SAVEPOINT before_work");

static struct db_call sign_in(const struct session *session)
{
    const char **values = arena_array(session->arena, 3, sizeof *values);
    values[0] = session->key_hash;
    values[1] = session->session_hash;
    values[2] = session->token_hash;
    return (struct db_call){&session_authenticate, values};
}

static bool refuse_outcome(struct slice outcome, struct error *error)
{
    if (slice_is(outcome, "mismatch"))
        return error_set(error, ERROR_UNAUTHENTICATED, "credentials-mismatch",
                         "The API key and the session belong to different partners; send one of them.");
    if (slice_is(outcome, "none"))
        return error_set(error, ERROR_UNAUTHENTICATED, "sign-in-needed",
                         "Sign in, or send a valid key in the header X-API-Key.");
    return error_set(error, ERROR_UNAUTHENTICATED, "credentials-refused",
                     "These credentials are unknown, expired or revoked; sign in again or use another key.");
}

static bool check_scope(const struct session *session, struct error *error)
{
    const struct principal *principal = &session->principal;
    bool appliance = slice_is(principal->kind, "appliance");
    if (session->needed == SCOPE_AGENT)
        return appliance || error_set(error, ERROR_FORBIDDEN, "appliance-needed",
                                      "This call is for appliances; send an appliance's token.");
    if (appliance)
        return error_set(error, ERROR_FORBIDDEN, "person-needed",
                         "An appliance's token does not open this; a person or a partner's key is needed.");
    if (session->needed == SCOPE_SESSION && session->key_hash != NULL)
        return error_set(error, ERROR_FORBIDDEN, "person-needed",
                         "This is for a person who has signed in; a key does not open it.");
    if (session->needed == SCOPE_USER || session->needed == SCOPE_SESSION)
        return slice_present(principal->user_id) ||
               error_set(error, ERROR_FORBIDDEN, "person-needed", "This call is for a signed-in person.");
    if (session->needed == SCOPE_ADMIN)
        return principal->can_admin ||
               error_set(error, ERROR_FORBIDDEN, "missing-scope",
                         "People and keys are for admins: the role admin is needed, and for a key the scope 'admin'.");
    if (session->needed == SCOPE_DECIDE)
        return principal->can_decide ||
               error_set(error, ERROR_FORBIDDEN, "missing-scope",
                         "Deciding needs the role approver or admin, and for a key the scope 'decide'.");
    return principal->can_read || error_set(error, ERROR_FORBIDDEN, "missing-scope", "The scope 'read' is needed.");
}

/* Takes the database's word for who is calling, and checks it against what is needed. */
static bool accept_caller(struct session *session, const struct db_rows *rows, struct error *error)
{
    if (db_count(rows) != 1 || !slice_is(db_value(rows, 0, 0), "ok"))
        return refuse_outcome(db_count(rows) == 1 ? db_value(rows, 0, 0) : SLICE_ABSENT, error);
    session->principal = (struct principal){
        .kind = db_value(rows, 0, 1),
        .actor_id = db_value(rows, 0, 2),
        .actor = db_value(rows, 0, 3),
        .user_id = db_value(rows, 0, 4),
        .partner_id = db_value(rows, 0, 5),
        .can_read = db_bool(rows, 0, 6),
        .can_decide = db_bool(rows, 0, 7),
        .can_admin = db_bool(rows, 0, 8),
        .role = db_value(rows, 0, 9),
        .key_id = db_value(rows, 0, 10),
        .site_id = db_value(rows, 0, 11),
        .appliance_id = db_value(rows, 0, 12),
    };
    return check_scope(session, error);
}

bool session_read(struct session *session, const struct db_call *calls, size_t count, const struct db_rows **rows,
                  struct error *error)
{
    struct db_call all[SESSION_CALLS_MAX + 1] = {sign_in(session)};
    const struct db_rows *all_rows[SESSION_CALLS_MAX + 1] = {NULL};
    for (size_t i = 0; i < count; i++)
        all[i + 1] = calls[i];
    if (!db_read(session->database, session->arena, all, count + 1, all_rows, error))
        return false;
    for (size_t i = 0; i < count; i++)
        rows[i] = all_rows[i + 1];
    return accept_caller(session, all_rows[0], error);
}

bool session_begin(struct session *session, int64_t *now, struct error *error)
{
    const struct db_call clock = {&session_clock, NULL};
    const struct db_rows *rows;
    if (!session_read(session, &clock, 1, &rows, error))
        return false;
    *now = db_integer(rows, 0, 0);
    return true;
}

/* ---- changes -------------------------------------------------------------------------------------- */

struct change_task {
    struct session *session;
    const struct idempotency *idempotency;
    change_work *work;
    void *argument;
    change_refusal *refusal;
    struct answer *answer;
};

/* `slice` as the NUL-terminated text that a statement wants. */
static const char *text_of(const struct session *session, struct slice slice)
{
    return arena_text(session->arena, slice);
}

/* The body of an answer that was kept; absent when it is sealed and this caller has not got what opens it. */
static struct slice kept_body(const struct change_task *task, const struct db_rows *rows)
{
    struct slice body = db_value(rows, 0, 3);
    return db_bool(rows, 0, 4) ? secret_open(task->session->arena, &task->idempotency->seal, body) : body;
}

/* Somebody used this key before: the same request gets the same answer. */
static bool replay(const struct change_task *task, const struct db_rows *rows, struct error *error)
{
    struct answer *answer = task->answer;
    if (!db_bool(rows, 0, 0))
        return error_set(error, ERROR_INVALID, "idempotency-key-reused",
                         "This Idempotency-Key was sent before with another request; use a new one.");
    if (!slice_present(db_value(rows, 0, 1)))
        return error_set(error, ERROR_CONFLICT, "idempotency-key-in-use",
                         "A request with this Idempotency-Key is under way; try again in a moment.");
    struct slice body = kept_body(task, rows);
    if (!slice_present(body))
        return error_set(error, ERROR_CONFLICT, "answer-sealed",
                         "This request was answered before, and its answer holds a secret that only the same key or session "
                         "gets again. Look at the list for what was made, and make another.");
    answer->status = (int)db_integer(rows, 0, 1);
    answer->content_type = db_text(rows, 0, 2);
    answer->replayed = true;
    buffer_append(answer->body, body);
    return true;
}

/* Claims the key; `*first` tells whether the work is to be done. The insert waits for a request with the same key
 * that is under way. */
static bool claim_key(struct change *change, const struct change_task *task, bool *first, struct error *error)
{
    struct session *session = task->session;
    const char *caller = text_of(session, session->principal.actor_id);
    const char *key = text_of(session, task->idempotency->key);
    const char *partner = text_of(session, session->principal.partner_id);
    const char *hash = task->idempotency->request_hash;
    const struct db_call calls[] = {
        {&idempotency_forget, (const char *const[]){caller, key}},
        {&idempotency_claim, (const char *const[]){caller, key, partner, hash}},
        {&idempotency_find, (const char *const[]){caller, key, hash}},
        {&change_savepoint, NULL},
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    *first = db_affected(rows[1]) == 1;
    return *first || replay(task, rows[2], error);
}

static bool store_answer(struct change *change, const struct change_task *task, struct error *error)
{
    struct session *session = task->session;
    struct slice body = buffer_slice(task->answer->body);
    const char *values[] = {
        text_of(session, session->principal.actor_id),
        text_of(session, task->idempotency->key),
        arena_printf(session->arena, "%d", task->answer->status),
        task->answer->content_type,
        task->answer->secret ? secret_seal(session->arena, &task->idempotency->seal, body) : text_of(session, body),
        task->answer->secret ? "t" : "f",
    };
    return db_query(change->transaction, &idempotency_store, values, NULL, error);
}

/* A refusal that will stay the same if the request is sent again. */
static bool is_final_refusal(enum error_kind kind)
{
    return kind == ERROR_NOT_FOUND || kind == ERROR_CONFLICT || kind == ERROR_INVALID;
}

/* Undoes the work, keeps the refusal. */
static bool keep_refusal(struct change *change, const struct change_task *task, struct error *error)
{
    struct error refused = *error;
    if (!db_query(change->transaction, &change_back_to_savepoint, NULL, NULL, error))
        return false;
    buffer_clear(task->answer->body);
    task->answer->secret = false;
    task->refusal(&refused, task->session->request_id, task->answer);
    return store_answer(change, task, error);
}

static void reset_answer(struct answer *answer)
{
    answer->status = 200;
    answer->content_type = "application/json";
    answer->replayed = answer->secret = false;
    buffer_clear(answer->body);
}

static bool in_transaction(struct db_transaction *transaction, void *argument, struct error *error)
{
    struct change_task *task = argument;
    struct change change = {task->session, transaction};
    struct db_call caller = sign_in(task->session);
    const struct db_rows *rows;
    bool keyed = slice_present(task->idempotency->key), first = true;
    reset_answer(task->answer);
    if (!db_run(transaction, &caller, 1, &rows, error) || !accept_caller(task->session, rows, error))
        return false;
    if (keyed && !claim_key(&change, task, &first, error))
        return false;
    if (!first)
        return true;
    if (task->work(&change, task->argument, task->answer, error))
        return !keyed || store_answer(&change, task, error);
    return keyed && is_final_refusal(error->kind) && keep_refusal(&change, task, error);
}

bool change_run(struct session *session, const struct idempotency *idempotency, change_work *work, void *argument,
                change_refusal *refusal, struct answer *answer, struct error *error)
{
    struct change_task task = {session, idempotency, work, argument, refusal, answer};
    return db_write(session->database, session->arena, in_transaction, &task, error);
}
