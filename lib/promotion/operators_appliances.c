#include "promotion/operators.h"

#include "base/crypto.h"

/* Tokens that end before the overlap does keep their end. */
DB_STATEMENT(operator_token_rotate, 5,
             "WITH box AS (SELECT appliance_id, site_id, partner_id, now() + $4 * interval '1 second' AS until "
             "FROM site_appliances WHERE appliance_id = $2 AND status = 'active' AND ($5::text IS NULL OR site_id = $5)), "
             "old AS (UPDATE appliance_tokens t SET expires_at = least(t.expires_at, box.until) FROM box "
             "WHERE t.appliance_id = box.appliance_id AND t.revoked_at IS NULL AND "
             "(t.expires_at IS NULL OR t.expires_at > now()) RETURNING t.expires_at), "
             "made AS (INSERT INTO appliance_tokens (appliance_id, partner_id, token_hash) "
             "SELECT appliance_id, partner_id, $3::bytea FROM box), "
             "ended AS (SELECT count(*) AS tokens, max(expires_at) AS until FROM old), "
             "logged AS (INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id, site_id, "
             "after) SELECT partner_id, 'operator', $1, 'appliance.token_rotated', 'appliance', appliance_id, site_id, "
             "jsonb_build_object('old_tokens', ended.tokens, 'old_tokens_until', ended.until) FROM box, ended) "
             "SELECT box.site_id, ended.tokens, ended.until FROM box, ended");
/* A row for each token that is good, one without for an appliance that has none. */
DB_STATEMENT(operator_appliances, 2,
             "SELECT a.appliance_id, a.site_id, p.slug, a.status, a.last_seen_at, t.created_at, t.expires_at "
             "FROM site_appliances a JOIN partners p ON p.id = a.partner_id "
             "LEFT JOIN appliance_tokens t ON t.appliance_id = a.appliance_id AND t.revoked_at IS NULL "
             "AND (t.expires_at IS NULL OR t.expires_at > now()) "
             "WHERE ($1::text IS NULL OR p.slug = $1) AND ($2::text IS NULL OR a.site_id = $2) "
             "ORDER BY p.slug, a.site_id, a.appliance_id, t.created_at, t.id");

struct single {
    struct db_call call;
    const struct db_rows *rows;
};

static bool run_single(struct db_transaction *transaction, void *argument, struct error *error)
{
    struct single *single = argument;
    return db_query(transaction, single->call.statement, single->call.values, &single->rows, error);
}

bool operator_rotate_token(const struct operation *operation, const char *appliance_id, const char *site_id,
                           long overlap_s, struct token_rotation *rotation, struct error *error)
{
    struct arena *arena = operation->arena;
    if (overlap_s < 0)
        return error_set(error, ERROR_INVALID, "invalid",
                         "The overlap is a number of days, hours, minutes or seconds, e.g. 7d, or 0s for none.");
    rotation->token = secret_text(arena, "fwa_");
    struct sha256 hash = sha256_of(slice_of(rotation->token));
    const char *values[] = {operation->operator_name, appliance_id, bytea_text(arena, &hash),
                            arena_printf(arena, "%ld", overlap_s), site_id};
    struct single single = {.call = {&operator_token_rotate, values}};
    if (!db_write(operation->database, arena, run_single, &single, error))
        return false;
    if (db_count(single.rows) == 0)
        return error_set(error, ERROR_NOT_FOUND, "not-found", "There is no active appliance '%s'%s%s.", appliance_id,
                         site_id != NULL ? " at the site " : "", site_id != NULL ? site_id : "");
    rotation->site_id = db_value(single.rows, 0, 0);
    rotation->old_tokens = db_integer(single.rows, 0, 1);
    rotation->old_tokens_until = db_value(single.rows, 0, 2);
    return true;
}

bool operator_list_appliances(const struct operation *operation, const char *partner_slug, const char *site_id,
                              const struct db_rows **rows, struct error *error)
{
    const struct db_call call = {&operator_appliances, (const char *const[]){partner_slug, site_id}};
    return db_read(operation->database, operation->arena, &call, 1, rows, error);
}

struct appliance_token appliance_token_at(const struct db_rows *rows, size_t row)
{
    return (struct appliance_token){
        .appliance_id = db_value(rows, row, 0),
        .site_id = db_value(rows, row, 1),
        .partner_slug = db_value(rows, row, 2),
        .status = db_value(rows, row, 3),
        .last_seen_at = db_value(rows, row, 4),
        .created_at = db_value(rows, row, 5),
        .expires_at = db_value(rows, row, 6),
    };
}
