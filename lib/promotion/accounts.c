#include "promotion/accounts.h"

#include <pthread.h>

#include "base/crypto.h"

DB_STATEMENT(account_find, 1,
             "SELECT u.id, u.partner_id, u.password_hash, u.email FROM users u JOIN partners p ON p.id = u.partner_id "
             "WHERE lower(u.email) = lower($1) AND u.status = 'active' AND p.status = 'active'");
DB_STATEMENT(account_open_session, 4,
             "INSERT INTO sessions (token_hash, user_id, partner_id, expires_at) "
             "VALUES ($1::bytea, $2::uuid, $3::uuid, now() + make_interval(hours => $4::int))");
DB_STATEMENT(account_forget_old_sessions, 1, "DELETE FROM sessions WHERE user_id = $1::uuid AND expires_at < now()");
DB_STATEMENT(account_note_sign_in, 1, "UPDATE users SET last_sign_in_at = now() WHERE id = $1::uuid");
DB_STATEMENT(account_log, 5,
             "INSERT INTO promotion_audit_log (partner_id, actor_kind, actor_id, actor, action, entity, entity_id, "
             "request_id) VALUES ($1::uuid, 'user', $2::uuid, $3, $4, 'user', $2, $5)");
DB_STATEMENT(account_sign_in_as, 1, "SELECT user_id, partner_id, actor FROM authenticate(NULL, $1::bytea, NULL) "
                                    "WHERE outcome = 'ok'");
DB_STATEMENT(account_close_session, 1, "DELETE FROM sessions WHERE token_hash = $1::bytea");
DB_STATEMENT(account_partner, 0,
             "SELECT p.id, p.name, p.slug, p.brand_name, p.contact_email, p.status, p.created_at, "
             "(SELECT count(*) FROM sites s WHERE s.partner_id = p.id), "
             "(SELECT count(*) FROM site_appliances a WHERE a.partner_id = p.id AND a.status = 'active') "
             "FROM partners p WHERE p.id = current_partner()");
DB_STATEMENT(account_user, 1,
             "SELECT u.id, u.email, u.display_name, u.role, u.last_sign_in_at FROM users u "
             "JOIN authenticate(NULL, $1::bytea, NULL) a ON a.user_id = u.id");
DB_STATEMENT(account_user_of_key, 1,
             "SELECT u.id, u.email, u.display_name, u.role, u.last_sign_in_at FROM users u "
             "JOIN authenticate($1::bytea, NULL, NULL) a ON a.user_id = u.id");
DB_STATEMENT(account_sites, 0,
             "SELECT s.site_id, s.clinic_name, "
             "(SELECT count(*) FROM site_appliances a WHERE a.site_id = s.site_id AND a.status = 'active'), "
             "p.patterns, p.pending, "
             "(SELECT count(*) FROM promoted_rules r WHERE r.site_id = s.site_id AND r.status = 'active'), "
             "(SELECT coalesce(sum(d.executions), 0) FROM site_daily_executions d WHERE d.site_id = s.site_id "
             "AND d.day > (now() AT TIME ZONE 'UTC')::date - 30), "
             "(SELECT max(y.synced_at) FROM appliance_pattern_sync y WHERE y.site_id = s.site_id) "
             "FROM sites s LEFT JOIN LATERAL (SELECT count(*) AS patterns, "
             "count(*) FILTER (WHERE promotion_eligible AND is_undecided) AS pending "
             "FROM aggregated_pattern_stats WHERE site_id = s.site_id) p ON true "
             "WHERE s.partner_id = current_partner() ORDER BY s.clinic_name, s.site_id");

/* ---- signing in ------------------------------------------------------------------------------------------- */

/* A hash of nothing anybody knows: checked when there is no such account, so that both cases take as long. */
static const char *decoy_hash(struct arena *arena)
{
    return password_hash(arena, slice_of(secret_text(arena, "")));
}

static bool wrong_sign_in(struct error *error)
{
    return error_set(error, ERROR_UNAUTHENTICATED, "sign-in-failed",
                     "The e-mail address or the password is wrong; check both and try again.");
}

/* The account, or a decoy when there is none. */
struct account {
    struct slice id, partner_id, password_hash, email;
};

static bool find_account(struct database *database, struct arena *arena, struct slice email, struct account *account,
                         struct error *error)
{
    const char *value = arena_text(arena, email);
    const struct db_call call = {&account_find, &value};
    const struct db_rows *rows;
    if (!db_read(database, arena, &call, 1, &rows, error))
        return false;
    *account = (struct account){0};
    if (db_count(rows) == 1)
        *account = (struct account){db_value(rows, 0, 0), db_value(rows, 0, 1), db_value(rows, 0, 2),
                                    db_value(rows, 0, 3)};
    return true;
}

static bool password_fits(struct arena *arena, const struct account *account, struct slice password)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&one_at_a_time);
    bool known = slice_present(account->id);
    const char *hash = known ? arena_text(arena, account->password_hash) : decoy_hash(arena);
    bool fits = known && hash != NULL && password_verify(hash, password);
    pthread_mutex_unlock(&one_at_a_time);
    return fits;
}

struct sign_in_task {
    struct session *session;
    const struct account *account;
    bool succeeded;
};

static struct db_call log_call(struct arena *arena, struct slice partner_id, struct slice user_id, struct slice email,
                               const char *action, const char *request_id)
{
    const char **values = arena_array(arena, 5, sizeof *values);
    values[0] = arena_text(arena, partner_id);
    values[1] = arena_text(arena, user_id);
    values[2] = arena_text(arena, email);
    values[3] = action;
    values[4] = request_id;
    return (struct db_call){&account_log, values};
}

static bool record_sign_in(struct db_transaction *transaction, void *argument, struct error *error)
{
    struct sign_in_task *task = argument;
    struct arena *arena = task->session->arena;
    const struct account *account = task->account;
    const char *user_id = arena_text(arena, account->id);
    const char *partner_id = arena_text(arena, account->partner_id);
    const char *hours = arena_printf(arena, "%d", SESSION_HOURS);
    struct db_call log = log_call(arena, account->partner_id, account->id, account->email,
                                  task->succeeded ? "user.signed_in" : "user.sign_in_failed",
                                  task->session->request_id);
    if (!task->succeeded)
        return db_run(transaction, &log, 1, &(const struct db_rows *){NULL}, error);
    const struct db_call calls[] = {
        {&account_open_session, (const char *const[]){task->session->session_hash, user_id, partner_id, hours}},
        {&account_forget_old_sessions, &user_id},
        {&account_note_sign_in, &user_id},
        log,
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    return db_run(transaction, calls, COUNT_OF(calls), rows, error);
}

bool account_sign_in(struct database *database, struct arena *arena, const char *request_id, struct slice email,
                     struct slice password, const char **secret, struct partner_profile *partner,
                     struct user_profile *user, struct error *error)
{
    struct account account;
    if (!find_account(database, arena, email, &account, error))
        return false;
    *secret = secret_text(arena, "fws_");
    struct sha256 hash = sha256_of(slice_of(*secret));
    struct session session = {.database = database, .arena = arena, .request_id = request_id, .needed = SCOPE_USER,
                              .session_hash = bytea_text(arena, &hash)};
    struct sign_in_task task = {.session = &session, .account = &account};
    task.succeeded = password_fits(arena, &account, password);
    if (slice_present(account.id) && !db_write(database, arena, record_sign_in, &task, error))
        return false;
    if (!task.succeeded)
        return wrong_sign_in(error);
    return account_read(&session, partner, user, error);
}

/* ---- signing out ------------------------------------------------------------------------------------------ */

static bool record_sign_out(struct db_transaction *transaction, void *argument, struct error *error)
{
    const struct session *session = argument;
    struct arena *arena = session->arena;
    const struct db_rows *rows[2];
    if (!db_query(transaction, &account_sign_in_as, &session->session_hash, rows, error))
        return false;
    if (db_count(rows[0]) == 0)
        return true;
    const struct db_call calls[] = {
        {&account_close_session, &session->session_hash},
        log_call(arena, db_value(rows[0], 0, 1), db_value(rows[0], 0, 0), db_value(rows[0], 0, 2), "user.signed_out",
                 session->request_id),
    };
    return db_run(transaction, calls, COUNT_OF(calls), rows, error);
}

bool account_sign_out(struct database *database, struct arena *arena, const char *request_id, const char *session_hash,
                      struct error *error)
{
    struct session session = {.database = database, .arena = arena, .request_id = request_id,
                              .session_hash = session_hash};
    return session_hash == NULL || db_write(database, arena, record_sign_out, &session, error);
}

/* ---- reading ---------------------------------------------------------------------------------------------- */

static struct partner_profile partner_at(const struct db_rows *rows)
{
    return (struct partner_profile){
        .id = db_value(rows, 0, 0),         .name = db_value(rows, 0, 1),
        .slug = db_value(rows, 0, 2),       .brand_name = db_value(rows, 0, 3),
        .contact_email = db_value(rows, 0, 4), .status = db_value(rows, 0, 5),
        .created_at = db_value(rows, 0, 6), .site_count = db_value(rows, 0, 7),
        .appliance_count = db_value(rows, 0, 8),
    };
}

bool account_read(struct session *session, struct partner_profile *partner, struct user_profile *user,
                  struct error *error)
{
    bool by_key = session->key_hash != NULL;
    const struct db_call calls[] = {
        {&account_partner, NULL},
        {by_key ? &account_user_of_key : &account_user, by_key ? &session->key_hash : &session->session_hash},
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *partner = partner_at(rows[0]);
    *user = (struct user_profile){db_value(rows[1], 0, 0), db_value(rows[1], 0, 1), db_value(rows[1], 0, 2),
                                  db_value(rows[1], 0, 3), db_value(rows[1], 0, 4)};
    return true;
}

bool partner_read(struct session *session, struct partner_profile *partner, struct error *error)
{
    const struct db_call call = {&account_partner, NULL};
    const struct db_rows *rows;
    if (!session_read(session, &call, 1, &rows, error))
        return false;
    *partner = partner_at(rows);
    return true;
}

bool sites_read(struct session *session, const struct db_rows **rows, struct error *error)
{
    const struct db_call call = {&account_sites, NULL};
    return session_read(session, &call, 1, rows, error);
}

struct site_summary site_at(const struct db_rows *rows, size_t row)
{
    return (struct site_summary){
        .site_id = db_value(rows, row, 0),
        .clinic_name = db_value(rows, row, 1),
        .appliance_count = db_value(rows, row, 2),
        .pattern_count = db_value(rows, row, 3),
        .pending_candidates = db_value(rows, row, 4),
        .active_rules = db_value(rows, row, 5),
        .executions_30d = db_value(rows, row, 6),
        .last_synced_at = db_value(rows, row, 7),
    };
}
