#include "promotion/users.h"

#include "base/crypto.h"
#include "promotion/audit.h"
#include "promotion/lockout.h"

#define PERSON                                                                                                        \
    "u.id, u.email, u.display_name, u.role, u.status, u.created_at, u.last_sign_in_at, "                              \
    "sign_in_locked_until(u.email), u.has_password "

DB_STATEMENT(users_list, 2,
             "SELECT " PERSON ", lower(u.email) FROM users u WHERE u.partner_id = current_partner() "
             "AND lower(u.email) > $2 ORDER BY lower(u.email) LIMIT $1::int");
DB_STATEMENT(users_total, 0,
             "SELECT count(*) FROM (SELECT FROM users WHERE partner_id = current_partner() LIMIT 10001) AS matches");
DB_STATEMENT(user_lock, 2,
             "SELECT " PERSON "FROM users u WHERE u.id = $1::uuid AND u.partner_id = $2::uuid FOR UPDATE");
/* Taken before any admin is changed, always in this order: whoever comes second sees what the first has done. */
DB_STATEMENT(user_lock_admins, 1,
             "SELECT id FROM users WHERE partner_id = $1::uuid AND role = 'admin' AND status = 'active' "
             "ORDER BY id FOR UPDATE");
DB_STATEMENT(user_insert, 4,
             "INSERT INTO users AS u (partner_id, email, display_name, role, status) "
             "VALUES ($1::uuid, $2, left($3, 200), $4, 'invited') ON CONFLICT ((lower(email))) DO NOTHING RETURNING " PERSON);
DB_STATEMENT(user_update_profile, 3,
             "UPDATE users u SET role = $2, display_name = $3 WHERE u.id = $1::uuid RETURNING " PERSON);
DB_STATEMENT(user_update_status, 2, "UPDATE users u SET status = $2 WHERE u.id = $1::uuid RETURNING " PERSON);
DB_STATEMENT(user_link, 4,
             "INSERT INTO password_links AS l (user_id, partner_id, token_hash, created_at, expires_at) "
             "VALUES ($1::uuid, $2::uuid, $3::bytea, now(), now() + make_interval(hours => $4::int)) "
             "ON CONFLICT (user_id) DO UPDATE SET token_hash = $3::bytea, created_at = now(), "
             "expires_at = now() + make_interval(hours => $4::int) RETURNING l.expires_at");

/* ---- the list ------------------------------------------------------------------------------------------- */

bool users_page(struct session *session, const struct page *page, struct list *list, struct error *error)
{
    const char *values[] = {list_limit(session->arena, page), list_after(session->arena, page, 0, "")};
    const struct db_call calls[] = {{&users_list, values}, {&users_total, NULL}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

struct person person_at(const struct db_rows *rows, size_t row)
{
    return (struct person){
        .id = db_value(rows, row, 0),
        .email = db_value(rows, row, 1),
        .display_name = db_value(rows, row, 2),
        .role = db_value(rows, row, 3),
        .status = db_value(rows, row, 4),
        .created_at = db_value(rows, row, 5),
        .last_sign_in_at = db_value(rows, row, 6),
        .locked_until = db_value(rows, row, 7),
        .has_password = db_bool(rows, row, 8),
    };
}

void person_keys(const struct list *list, size_t row, struct slice *keys)
{
    keys[0] = db_value(list->rows, row, 9);
}

/* ---- parts of changes ----------------------------------------------------------------------------------- */

/* Locks the person, whom nobody else can change then until the transaction ends. */
static bool lock_person(struct change *change, struct slice id, struct person *person, struct error *error)
{
    struct arena *arena = change->session->arena;
    const struct db_rows *rows = NULL;
    if (is_uuid(id)) {
        const char *values[] = {arena_text(arena, id), arena_text(arena, change->session->principal.partner_id)};
        if (!db_query(change->transaction, &user_lock, values, &rows, error))
            return false;
    }
    if (rows == NULL || db_count(rows) == 0)
        return error_set(error, ERROR_NOT_FOUND, "user-not-found", "There is no person with this id.");
    *person = person_at(rows, 0);
    return true;
}

static struct db_call event_call(struct change *change, const char *action, struct slice user_id, const char *before,
                                 const char *after)
{
    const struct audit_event event = {.action = action, .entity = "user", .entity_id = user_id, .before = before,
                                      .after = after};
    return audit_call(change->session, &event);
}

/* Makes the person's link; whatever link there was is worth nothing then. */
static bool make_link(struct change *change, const struct person *person, int hours, struct password_link *link,
                      struct error *error)
{
    struct arena *arena = change->session->arena;
    link->token = secret_text(arena, "fwl_");
    struct sha256 hash = sha256_of(slice_of(link->token));
    const char *values[] = {arena_text(arena, person->id), arena_text(arena, change->session->principal.partner_id),
                            bytea_text(arena, &hash), arena_printf(arena, "%d", hours)};
    const struct db_rows *rows;
    if (!db_query(change->transaction, &user_link, values, &rows, error))
        return false;
    link->expires_at = db_value(rows, 0, 0);
    return true;
}

/* ---- inviting ------------------------------------------------------------------------------------------- */

bool address_is_good(struct slice email)
{
    const char *at = memchr(email.ptr, '@', email.len);
    return at != NULL && at != email.ptr && at + 1 != email.ptr + email.len && email.len <= 254 &&
           memchr(email.ptr, ' ', email.len) == NULL && !slice_has_control(email, false);
}

bool user_invite(struct change *change, struct slice email, struct slice display_name, struct slice role,
                 struct person *person, struct password_link *link, struct error *error)
{
    static const char *const names[] = {"email", "display_name", "role", NULL};
    struct arena *arena = change->session->arena;
    if (!address_is_good(email))
        return error_add(error, "/email", "must have the form name@domain");
    struct slice name = slice_present(display_name) ? display_name : email;
    const char *values[] = {arena_text(arena, change->session->principal.partner_id), arena_text(arena, email),
                            arena_text(arena, name), arena_text(arena, role)};
    const struct db_rows *rows;
    if (!db_query(change->transaction, &user_insert, values, &rows, error))
        return false;
    if (db_count(rows) == 0)
        return error_set(error, ERROR_CONFLICT, "address-taken",
                         "Somebody has this e-mail address already; one address belongs to one person.");
    *person = person_at(rows, 0);
    const struct slice made[] = {email, person->display_name, role};
    struct db_call log = event_call(change, "user.invited", person->id, NULL, audit_details(arena, names, made));
    return make_link(change, person, INVITATION_HOURS, link, error) &&
           db_run(change->transaction, &log, 1, &rows, error);
}

/* ---- changing ------------------------------------------------------------------------------------------- */

static const char *const PROFILE[] = {"email", "role", "display_name", NULL};
static const char *const STATUS[] = {"email", "status", NULL};

static bool is_active_admin(struct slice role, struct slice status)
{
    return slice_is(role, "admin") && slice_is(status, "active");
}

/* What the status becomes when `wanted` is asked for. */
static struct slice next_status(const struct person *person, struct slice wanted)
{
    if (!slice_present(wanted))
        return person->status;
    if (slice_is(wanted, "disabled"))
        return wanted;
    if (!slice_is(person->status, "disabled"))
        return person->status;
    return person->has_password ? SLICE("active") : SLICE("invited");
}

static bool apply_profile(struct change *change, struct slice role, struct slice display_name, struct person *person,
                          struct error *error)
{
    struct arena *arena = change->session->arena;
    const struct slice before[] = {person->email, person->role, person->display_name};
    const struct slice after[] = {person->email, role, display_name};
    const char *values[] = {arena_text(arena, person->id), arena_text(arena, role), arena_text(arena, display_name)};
    const struct db_call calls[] = {
        {&user_update_profile, values},
        event_call(change, "user.changed", person->id, audit_details(arena, PROFILE, before),
                   audit_details(arena, PROFILE, after)),
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    *person = person_at(rows[0], 0);
    return true;
}

static bool apply_status(struct change *change, struct slice status, struct person *person, struct error *error)
{
    struct arena *arena = change->session->arena;
    const char *action = slice_is(status, "disabled") ? "user.disabled" : "user.enabled";
    const struct slice before[] = {person->email, person->status}, after[] = {person->email, status};
    const char *values[] = {arena_text(arena, person->id), arena_text(arena, status)};
    const struct db_call calls[] = {
        {&user_update_status, values},
        event_call(change, action, person->id, audit_details(arena, STATUS, before),
                   audit_details(arena, STATUS, after)),
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    *person = person_at(rows[0], 0);
    return true;
}

/* The partner's active admins, locked. */
struct admins {
    size_t count;
    bool caller_is_one; /* true also for a key that acts for the partner */
};

static bool lock_admins(struct change *change, struct admins *admins, struct error *error)
{
    const struct principal *caller = &change->session->principal;
    const char *partner_id = arena_text(change->session->arena, caller->partner_id);
    const struct db_rows *rows;
    if (!db_query(change->transaction, &user_lock_admins, &partner_id, &rows, error))
        return false;
    admins->count = db_count(rows);
    admins->caller_is_one = !slice_present(caller->user_id);
    for (size_t i = 0; i < admins->count; i++)
        admins->caller_is_one |= slice_equal(db_value(rows, i, 0), caller->user_id);
    return true;
}

/* Whether the caller may give this person that role and that status. */
static bool may_change(const struct change *change, const struct admins *admins, const struct person *person,
                       struct slice role, struct slice status, struct error *error)
{
    if (slice_equal(role, person->role) && slice_equal(status, person->status))
        return true;
    if (slice_equal(person->id, change->session->principal.user_id))
        return error_set(error, ERROR_CONFLICT, "own-account",
                         "Another admin must change your role or status; nobody does that alone.");
    if (!admins->caller_is_one)
        return error_set(error, ERROR_FORBIDDEN, "missing-scope",
                         "You are no admin any more; somebody has changed your role or status meanwhile.");
    if (is_active_admin(person->role, person->status) && !is_active_admin(role, status) && admins->count == 1)
        return error_set(error, ERROR_CONFLICT, "last-admin",
                         "This is the last active admin; make somebody else an admin first.");
    return true;
}

bool user_change(struct change *change, struct slice id, const struct person_change *wanted, struct person *person,
                 struct error *error)
{
    struct admins admins;
    if (!lock_admins(change, &admins, error) || !lock_person(change, id, person, error))
        return false;
    struct slice role = slice_present(wanted->role) ? wanted->role : person->role;
    struct slice name = slice_present(wanted->display_name) ? wanted->display_name : person->display_name;
    struct slice status = next_status(person, wanted->status);
    if (!may_change(change, &admins, person, role, status, error))
        return false;
    bool same_profile = slice_equal(role, person->role) && slice_equal(name, person->display_name);
    if (!same_profile && !apply_profile(change, role, name, person, error))
        return false;
    return slice_equal(status, person->status) || apply_status(change, status, person, error);
}

bool user_set_status(struct change *change, struct slice id, struct slice status, struct person *person,
                     struct error *error)
{
    if (!lock_person(change, id, person, error))
        return false;
    struct slice next = next_status(person, status);
    return slice_equal(next, person->status) || apply_status(change, next, person, error);
}

/* ---- passwords and lock-outs ---------------------------------------------------------------------------- */

static bool unlock(struct change *change, struct person *person, bool *was_locked, struct error *error)
{
    struct arena *arena = change->session->arena;
    struct db_call forget = lockout_forget_call(arena, arena_text(arena, person->email));
    struct db_call log = event_call(change, "user.unlocked", person->id, NULL, audit_address(arena, person->email));
    const struct db_rows *rows;
    if (!db_run(change->transaction, &forget, 1, &rows, error))
        return false;
    *was_locked = db_bool(rows, 0, 0);
    person->locked_until = SLICE_ABSENT;
    return !*was_locked || db_run(change->transaction, &log, 1, &rows, error);
}

bool user_unlock(struct change *change, struct slice id, struct person *person, bool *was_locked, struct error *error)
{
    return lock_person(change, id, person, error) && unlock(change, person, was_locked, error);
}

bool user_reset_password(struct change *change, struct slice id, struct person *person, struct password_link *link,
                         struct error *error)
{
    bool was_locked;
    if (!lock_person(change, id, person, error))
        return false;
    if (slice_is(person->status, "disabled"))
        return error_set(error, ERROR_CONFLICT, "user-disabled", "This person is disabled; enable the person first.");
    int hours = person->has_password ? RESET_HOURS : INVITATION_HOURS;
    const char *whose = audit_address(change->session->arena, person->email);
    struct db_call log = event_call(change, "user.password_reset", person->id, NULL, whose);
    const struct db_rows *rows;
    return make_link(change, person, hours, link, error) && db_run(change->transaction, &log, 1, &rows, error) &&
           unlock(change, person, &was_locked, error);
}
