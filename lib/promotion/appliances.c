#include "promotion/appliances.h"

#include "base/crypto.h"

#define APPLIANCE_FILTER                                                                                              \
    "v.partner_id = current_partner() AND ($1::text IS NULL OR v.site_id = $1) "                                      \
    "AND CASE $2::text WHEN 'silent' THEN v.silent WHEN 'failing' THEN v.failing "                                    \
    "WHEN 'behind' THEN v.status = 'active' AND v.revisions_behind > 0 WHEN 'revoked' THEN v.status = 'revoked' "     \
    "ELSE true END "                                                                                                  \
    "AND ($3::text IS NULL OR v.appliance_id ILIKE $3 OR v.site_id ILIKE $3 OR s.clinic_name ILIKE $3) "

DB_STATEMENT(appliances_list, 6,
             "SELECT v.appliance_id, v.site_id, s.clinic_name, v.status, v.created_at, v.last_seen_at, v.silent, v.failing, "
             "v.acknowledged_revision, v.acknowledged_at, v.site_revision, v.revisions_behind, v.agent, v.last_error, "
             "v.last_error_at, v.engine_errors, v.dropped_executions, v.rules_applied, v.rules_pending, v.rules_failed, "
             "v.rules_to_withdraw FROM v_appliances v JOIN sites s ON s.site_id = v.site_id WHERE " APPLIANCE_FILTER
             "AND (s.clinic_name, v.appliance_id) > ($5::text, $6::text) "
             "ORDER BY s.clinic_name, v.appliance_id LIMIT $4::int");
DB_STATEMENT(appliances_total, 3,
             "SELECT count(*) FROM (SELECT FROM v_appliances v JOIN sites s ON s.site_id = v.site_id "
             "WHERE " APPLIANCE_FILTER "LIMIT 10001) AS matches");

bool appliances_page(struct session *session, const struct appliance_filter *filter, const struct page *page,
                     struct list *list, struct error *error)
{
    struct arena *arena = session->arena;
    const char *values[] = {
        arena_text(arena, filter->site_id),
        arena_text(arena, filter->state),
        list_like(arena, filter->q),
        list_limit(arena, page),
        list_after(arena, page, 0, ""),
        list_after(arena, page, 1, ""),
    };
    const struct db_call calls[] = {{&appliances_list, values}, {&appliances_total, values}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

struct appliance appliance_at(const struct list *list, size_t row)
{
    const struct db_rows *rows = list->rows;
    return (struct appliance){
        .appliance_id = db_value(rows, row, 0),
        .site_id = db_value(rows, row, 1),
        .site_name = db_value(rows, row, 2),
        .status = db_value(rows, row, 3),
        .created_at = db_value(rows, row, 4),
        .last_seen_at = db_value(rows, row, 5),
        .silent = db_value(rows, row, 6),
        .failing = db_value(rows, row, 7),
        .acknowledged_revision = db_value(rows, row, 8),
        .acknowledged_at = db_value(rows, row, 9),
        .site_revision = db_value(rows, row, 10),
        .revisions_behind = db_value(rows, row, 11),
        .agent = db_value(rows, row, 12),
        .last_error = db_value(rows, row, 13),
        .last_error_at = db_value(rows, row, 14),
        .engine_errors = db_value(rows, row, 15),
        .dropped_executions = db_value(rows, row, 16),
        .rules_applied = db_value(rows, row, 17),
        .rules_pending = db_value(rows, row, 18),
        .rules_failed = db_value(rows, row, 19),
        .rules_to_withdraw = db_value(rows, row, 20),
    };
}

void appliance_keys(const struct list *list, size_t row, struct slice *keys)
{
    keys[0] = db_value(list->rows, row, 2);
    keys[1] = db_value(list->rows, row, 0);
}

/* ---- one rule on the appliances of its site -------------------------------------------------------------- */

#define DEPLOYED_RULE                                                                                                 \
    "SELECT r.id, r.rule_id, r.site_id, s.clinic_name, r.status, r.version, r.revision, r.released_at "               \
    "FROM promoted_rules r JOIN sites s ON s.site_id = r.site_id WHERE r.partner_id = current_partner() "
/* An agent that has the rule and never acknowledged anything is one of those that do not know how to. */
#define RULE_DEPLOYMENTS                                                                                              \
    "SELECT a.appliance_id, a.status, d.rule_version, d.deployment_status, d.deployed_at, d.delivered_at, "           \
    "d.acknowledged_at, d.proven_at, d.error, CASE WHEN y.appliance_id IS NOT NULL THEN 'acknowledging' "             \
    "WHEN d.delivered_at IS NOT NULL OR d.proven_at IS NOT NULL THEN 'old' ELSE 'unknown' END, a.last_seen_at, "      \
    "appliance_is_silent(a.status, a.last_seen_at) "                                                                  \
    "FROM promoted_rules r JOIN site_appliances a ON a.site_id = r.site_id "                                          \
    "LEFT JOIN promoted_rule_deployments d ON d.site_id = r.site_id AND d.rule_id = r.rule_id "                       \
    "AND d.appliance_id = a.appliance_id LEFT JOIN appliance_rule_sync y ON y.appliance_id = a.appliance_id "         \
    "WHERE r.partner_id = current_partner() "
DB_STATEMENT(deployed_rule_by_row, 1, DEPLOYED_RULE "AND r.id = $1::uuid");
DB_STATEMENT(deployed_rule_by_rule_id, 1, DEPLOYED_RULE "AND r.rule_id = $1");
DB_STATEMENT(rule_deployments_by_row, 1, RULE_DEPLOYMENTS "AND r.id = $1::uuid ORDER BY a.appliance_id");
DB_STATEMENT(rule_deployments_by_rule_id, 1, RULE_DEPLOYMENTS "AND r.rule_id = $1 ORDER BY a.appliance_id");

static struct deployed_rule deployed_rule_at(const struct db_rows *rows)
{
    return (struct deployed_rule){
        .id = db_value(rows, 0, 0),
        .rule_id = db_value(rows, 0, 1),
        .site_id = db_value(rows, 0, 2),
        .site_name = db_value(rows, 0, 3),
        .status = db_value(rows, 0, 4),
        .version = db_value(rows, 0, 5),
        .revision = db_value(rows, 0, 6),
        .released_at = db_value(rows, 0, 7),
    };
}

bool rule_deployments_read(struct session *session, struct slice id, struct deployed_rule *rule,
                           const struct db_rows **rows, struct error *error)
{
    /* What comes from a path need not be text; such an id names nothing. */
    const char *value = slice_is_utf8(id) ? arena_text(session->arena, id) : NULL;
    bool by_row = is_uuid(id);
    const struct db_call calls[] = {
        {by_row ? &deployed_rule_by_row : &deployed_rule_by_rule_id, &value},
        {by_row ? &rule_deployments_by_row : &rule_deployments_by_rule_id, &value},
    };
    const struct db_rows *found[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), found, error))
        return false;
    if (db_count(found[0]) == 0)
        return error_set(error, ERROR_NOT_FOUND, "rule-not-found", "There is no promoted rule with this id.");
    *rule = deployed_rule_at(found[0]);
    *rows = found[1];
    return true;
}

struct rule_deployment rule_deployment_at(const struct db_rows *rows, size_t row)
{
    return (struct rule_deployment){
        .appliance_id = db_value(rows, row, 0),
        .appliance_status = db_value(rows, row, 1),
        .rule_version = db_value(rows, row, 2),
        .deployment_status = db_value(rows, row, 3),
        .deployed_at = db_value(rows, row, 4),
        .delivered_at = db_value(rows, row, 5),
        .acknowledged_at = db_value(rows, row, 6),
        .proven_at = db_value(rows, row, 7),
        .error = db_value(rows, row, 8),
        .agent = db_value(rows, row, 9),
        .last_seen_at = db_value(rows, row, 10),
        .silent = db_value(rows, row, 11),
    };
}
