#include "promotion/keys.h"

#include "base/crypto.h"
#include "base/json.h"
#include "promotion/audit.h"

#define KEY                                                                                                           \
    "k.id, k.name, k.prefix, array_to_string(k.scopes, ','), (SELECT u.email FROM users u WHERE u.id = k.user_id), "  \
    "CASE WHEN k.revoked_at <= now() THEN 'revoked' WHEN k.expires_at <= now() THEN 'expired' ELSE 'active' END, "    \
    "k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.replaced_by, k.user_id "

DB_STATEMENT(keys_list, 3,
             "SELECT " KEY "FROM api_keys k WHERE k.partner_id = current_partner() "
             "AND (k.created_at, k.id) < ($2::timestamptz, $3::uuid) ORDER BY k.created_at DESC, k.id DESC LIMIT $1::int");
DB_STATEMENT(keys_total, 0,
             "SELECT count(*) FROM (SELECT FROM api_keys WHERE partner_id = current_partner() LIMIT 10001) AS matches");
DB_STATEMENT(keys_of_partner, 1,
             "SELECT " KEY "FROM api_keys k JOIN partners p ON p.id = k.partner_id WHERE p.slug = $1 "
             "ORDER BY k.created_at DESC, k.id DESC LIMIT 1000");
DB_STATEMENT(key_lock, 2,
             "SELECT " KEY "FROM api_keys k WHERE k.id = $1::uuid AND k.partner_id = $2::uuid FOR UPDATE OF k");
DB_STATEMENT(key_insert, 7,
             "INSERT INTO api_keys AS k (partner_id, user_id, name, prefix, key_hash, scopes, expires_at) "
             "VALUES ($1::uuid, $2::uuid, $3, $4, $5::bytea, string_to_array($6, ','), "
             "now() + make_interval(secs => $7::float8)) RETURNING " KEY);
DB_STATEMENT(key_retire, 3,
             "UPDATE api_keys k SET replaced_by = $2::uuid, "
             "expires_at = least(k.expires_at, now() + make_interval(secs => $3::float8)) WHERE k.id = $1::uuid "
             "RETURNING " KEY);
DB_STATEMENT(key_end, 1, "UPDATE api_keys k SET revoked_at = now() WHERE k.id = $1::uuid RETURNING " KEY);

enum { PREFIX_LENGTH = 12, DETAILS_CEILING = 8 * 1024 };

/* ---- the list ------------------------------------------------------------------------------------------- */

bool keys_page(struct session *session, const struct page *page, struct list *list, struct error *error)
{
    const char *values[] = {list_limit(session->arena, page), list_after(session->arena, page, 0, "infinity"),
                            list_after(session->arena, page, 1, LAST_UUID)};
    const struct db_call calls[] = {{&keys_list, values}, {&keys_total, NULL}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

bool keys_of(struct database *database, struct arena *arena, const char *partner_slug, const struct db_rows **rows,
             struct error *error)
{
    const struct db_call call = {&keys_of_partner, &partner_slug};
    return db_read(database, arena, &call, 1, rows, error);
}

struct api_key api_key_at(const struct db_rows *rows, size_t row)
{
    return (struct api_key){
        .id = db_value(rows, row, 0),
        .name = db_value(rows, row, 1),
        .prefix = db_value(rows, row, 2),
        .scopes = db_value(rows, row, 3),
        .acts_as = db_value(rows, row, 4),
        .status = db_value(rows, row, 5),
        .created_at = db_value(rows, row, 6),
        .expires_at = db_value(rows, row, 7),
        .last_used_at = db_value(rows, row, 8),
        .revoked_at = db_value(rows, row, 9),
        .replaced_by = db_value(rows, row, 10),
        .user_id = db_value(rows, row, 11),
    };
}

void api_key_keys(const struct list *list, size_t row, struct slice *keys)
{
    keys[0] = db_value(list->rows, row, 6);
    keys[1] = db_value(list->rows, row, 0);
}

/* ---- changes -------------------------------------------------------------------------------------------- */

static bool lock_key(struct change *change, struct slice id, struct api_key *key, struct error *error)
{
    struct arena *arena = change->session->arena;
    const struct db_rows *rows = NULL;
    if (is_uuid(id)) {
        const char *values[] = {arena_text(arena, id), arena_text(arena, change->session->principal.partner_id)};
        if (!db_query(change->transaction, &key_lock, values, &rows, error))
            return false;
    }
    if (rows == NULL || db_count(rows) == 0)
        return error_set(error, ERROR_NOT_FOUND, "key-not-found", "There is no key with this id.");
    *key = api_key_at(rows, 0);
    return true;
}

/* A key as the log tells of it. */
static const char *details(struct arena *arena, const struct api_key *key)
{
    struct buffer text = buffer_make(DETAILS_CEILING);
    struct json_writer json = json_writer_make(&text);
    json_open_object(&json, NULL);
    json_string(&json, "id", key->id);
    json_string(&json, "name", key->name);
    json_string(&json, "prefix", key->prefix);
    json_string(&json, "scopes", key->scopes);
    json_string(&json, "acts_as", key->acts_as);
    json_string(&json, "status", key->status);
    json_pg_time(&json, "expires_at", key->expires_at);
    json_writer_end(&json);
    const char *copy = arena_text(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

static bool record(struct change *change, const char *action, const struct api_key *before, const struct api_key *after,
                   struct error *error)
{
    struct arena *arena = change->session->arena;
    const struct audit_event event = {.action = action, .entity = "key", .entity_id = after->id,
                                      .before = before != NULL ? details(arena, before) : NULL,
                                      .after = details(arena, after)};
    struct db_call call = audit_call(change->session, &event);
    const struct db_rows *rows;
    return db_run(change->transaction, &call, 1, &rows, error);
}

static bool insert(struct change *change, const struct key_wish *wish, struct api_key *key, const char **secret,
                   struct error *error)
{
    struct arena *arena = change->session->arena;
    *secret = secret_text(arena, "fwk_");
    struct sha256 hash = sha256_of(slice_of(*secret));
    const char *values[] = {
        arena_text(arena, change->session->principal.partner_id), arena_text(arena, wish->user_id),
        arena_text(arena, wish->name),                            arena_printf(arena, "%.*s", PREFIX_LENGTH, *secret),
        bytea_text(arena, &hash),                                 wish->scopes,
        arena_printf(arena, "%ld", wish->expires_s),
    };
    const struct db_rows *rows;
    if (!db_query(change->transaction, &key_insert, values, &rows, error))
        return false;
    *key = api_key_at(rows, 0);
    return true;
}

bool key_create(struct change *change, const struct key_wish *wish, struct api_key *key, const char **secret,
                struct error *error)
{
    return insert(change, wish, key, secret, error) && record(change, "key.created", NULL, key, error);
}

static bool may_rotate(const struct principal *caller, const struct api_key *key, struct error *error)
{
    if (!slice_is(key->status, "active"))
        return error_set(error, ERROR_CONFLICT, "key-not-active", "This key is %.*s; make a new one.",
                         (int)key->status.len, key->status.ptr);
    if (slice_present(key->replaced_by))
        return error_set(error, ERROR_CONFLICT, "key-replaced",
                         "This key has been rotated before; rotate the one that took over.");
    if (slice_is(caller->kind, "operator") || !slice_present(key->user_id) || slice_equal(key->user_id, caller->user_id))
        return true;
    return error_set(error, ERROR_CONFLICT, "key-of-another-person",
                     "This key acts as %.*s, who alone may rotate it; revoke it instead.", (int)key->acts_as.len,
                     key->acts_as.ptr);
}

bool key_rotate(struct change *change, struct slice id, long expires_s, long overlap_s, struct rotation *rotation,
                struct error *error)
{
    struct arena *arena = change->session->arena;
    struct api_key old;
    if (!lock_key(change, id, &old, error) || !may_rotate(&change->session->principal, &old, error))
        return false;
    const struct key_wish wish = {old.name, old.user_id, arena_text(arena, old.scopes), expires_s};
    if (!insert(change, &wish, &rotation->key, &rotation->secret, error))
        return false;
    const char *values[] = {arena_text(arena, old.id), arena_text(arena, rotation->key.id),
                            arena_printf(arena, "%ld", overlap_s)};
    const struct db_rows *rows;
    if (!db_query(change->transaction, &key_retire, values, &rows, error))
        return false;
    rotation->previous = api_key_at(rows, 0);
    return record(change, "key.rotated", &rotation->previous, &rotation->key, error);
}

bool key_revoke(struct change *change, struct slice id, struct api_key *key, struct error *error)
{
    struct api_key before;
    if (!lock_key(change, id, &before, error))
        return false;
    *key = before;
    if (slice_is(before.status, "revoked"))
        return true;
    const char *key_id = arena_text(change->session->arena, before.id);
    const struct db_rows *rows;
    if (!db_query(change->transaction, &key_end, &key_id, &rows, error))
        return false;
    *key = api_key_at(rows, 0);
    return record(change, "key.revoked", &before, key, error);
}
