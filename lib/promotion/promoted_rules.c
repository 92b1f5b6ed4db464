#include "promotion/promoted_rules.h"

#include <stdio.h>

#include "base/crypto.h"
#include "promotion/audit.h"

/* ---- the list ------------------------------------------------------------------------------------------- */

#define RULE_COLUMNS                                                                                                  \
    "SELECT r.id, r.rule_id, r.pattern_signature, r.site_id, s.clinic_name, r.name, r.status, r.version, "            \
    "r.deployment_count, d.acknowledged, d.failed, r.promoted_by, r.promoted_at, r.last_deployed_at, r.released_at, " \
    "r.notes, r.rule_yaml, r.rule_digest FROM promoted_rules r JOIN sites s ON s.site_id = r.site_id "                \
    "LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE deployment_status = 'applied') AS acknowledged, "               \
    "count(*) FILTER (WHERE deployment_status = 'failed') AS failed FROM promoted_rule_deployments "                  \
    "WHERE site_id = r.site_id AND rule_id = r.rule_id) d ON true "
#define RULE_FILTER                                                                                                   \
    "r.partner_id = current_partner() AND ($1::text IS NULL OR r.status = $1) "                                       \
    "AND ($2::text IS NULL OR r.site_id = $2) AND ($3::text IS NULL OR r.rule_id ILIKE $3 OR r.name ILIKE $3 "        \
    "OR r.pattern_signature ILIKE $3 OR r.site_id ILIKE $3 OR s.clinic_name ILIKE $3) "
#define RULES_SORTED(column, type, comparison, direction)                                                             \
    RULE_COLUMNS "WHERE " RULE_FILTER "AND (r." column ", r.id) " comparison " ($5::" type ", $6::uuid) "             \
                 "ORDER BY r." column " " direction ", r.id " direction " LIMIT $4::int"

DB_STATEMENT(rules_by_promoted_at, 6, RULES_SORTED("promoted_at", "timestamptz", ">", "ASC"));
DB_STATEMENT(rules_by_promoted_at_desc, 6, RULES_SORTED("promoted_at", "timestamptz", "<", "DESC"));
DB_STATEMENT(rules_by_rule_id, 6, RULES_SORTED("rule_id", "text", ">", "ASC"));
DB_STATEMENT(rules_by_rule_id_desc, 6, RULES_SORTED("rule_id", "text", "<", "DESC"));
DB_STATEMENT(rules_total, 3,
             "SELECT count(*) FROM (SELECT FROM promoted_rules r JOIN sites s ON s.site_id = r.site_id "
             "WHERE " RULE_FILTER "LIMIT 10001) AS matches");

static const struct db_statement *statement_for(const struct rule_filter *filter)
{
    static const struct db_statement *const statements[][2] = {
        [RULES_BY_PROMOTED_AT] = {&rules_by_promoted_at, &rules_by_promoted_at_desc},
        [RULES_BY_RULE_ID] = {&rules_by_rule_id, &rules_by_rule_id_desc},
    };
    return statements[filter->sort][filter->descending];
}

/* The first sort value of the first page: it precedes every row. Rule ids are ASCII, `~` comes after all of them. */
static const char *before_all(const struct rule_filter *filter)
{
    if (filter->sort == RULES_BY_RULE_ID)
        return filter->descending ? "~" : "";
    return filter->descending ? "infinity" : "-infinity";
}

bool promoted_rules_page(struct session *session, const struct rule_filter *filter, const struct page *page,
                         struct list *list, struct error *error)
{
    struct arena *arena = session->arena;
    const char *values[] = {
        arena_text(arena, filter->status),
        arena_text(arena, filter->site_id),
        list_like(arena, filter->q),
        list_limit(arena, page),
        list_after(arena, page, 0, before_all(filter)),
        list_after(arena, page, 1, filter->descending ? LAST_UUID : FIRST_UUID),
    };
    const struct db_call calls[] = {{statement_for(filter), values}, {&rules_total, values}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

struct promoted_rule promoted_rule_at(const struct list *list, size_t row)
{
    const struct db_rows *rows = list->rows;
    return (struct promoted_rule){
        .id = db_value(rows, row, 0),
        .rule_id = db_value(rows, row, 1),
        .pattern_signature = db_value(rows, row, 2),
        .site_id = db_value(rows, row, 3),
        .site_name = db_value(rows, row, 4),
        .name = db_value(rows, row, 5),
        .status = db_value(rows, row, 6),
        .version = db_value(rows, row, 7),
        .deployment_count = db_value(rows, row, 8),
        .acknowledged_count = db_value(rows, row, 9),
        .failed_count = db_value(rows, row, 10),
        .promoted_by = db_value(rows, row, 11),
        .promoted_at = db_value(rows, row, 12),
        .last_deployed_at = db_value(rows, row, 13),
        .released_at = db_value(rows, row, 14),
        .notes = db_value(rows, row, 15),
        .rule_yaml = db_value(rows, row, 16),
        .rule_digest = db_value(rows, row, 17),
    };
}

void promoted_rule_keys(const struct list *list, size_t row, enum rule_sort sort, struct slice *keys)
{
    keys[0] = db_value(list->rows, row, sort == RULES_BY_RULE_ID ? 1 : 12);
    keys[1] = db_value(list->rows, row, 0);
}

/* ---- parts of changes ----------------------------------------------------------------------------------- */

DB_STATEMENT(rules_move_revision, 1,
             "UPDATE sites SET rules_revision = rules_revision + 1 "
             "WHERE site_id = $1 AND partner_id = current_partner()");
/* What an appliance has of this version, or is about to get, is left as it is: sending twice is not a new delivery. */
DB_STATEMENT(rules_dispatch, 1,
             "WITH target AS (SELECT r.rule_id, r.site_id, a.appliance_id, r.partner_id, r.version "
             "FROM promoted_rules r JOIN site_appliances a ON a.site_id = r.site_id AND a.status = 'active' "
             "WHERE r.id = $1::uuid AND r.status = 'active' AND r.released_at IS NOT NULL), "
             "sent AS (INSERT INTO promoted_rule_deployments AS d "
             "(rule_id, site_id, appliance_id, partner_id, rule_version) "
             "SELECT rule_id, site_id, appliance_id, partner_id, version FROM target ORDER BY appliance_id "
             "ON CONFLICT (site_id, rule_id, appliance_id) DO UPDATE SET rule_version = EXCLUDED.rule_version, "
             "deployment_status = 'pending', deployed_at = now(), delivered_at = NULL, acknowledged_at = NULL, "
             "error = NULL WHERE d.rule_version <> EXCLUDED.rule_version "
             "OR d.deployment_status IN ('failed', 'removed') RETURNING 1), "
             "counted AS (UPDATE promoted_rules SET deployment_count = (SELECT count(*) FROM target), "
             "last_deployed_at = CASE WHEN EXISTS (SELECT FROM sent) THEN now() ELSE last_deployed_at END "
             "WHERE id = $1::uuid AND status = 'active' AND released_at IS NOT NULL) "
             "SELECT count(*) FROM target");

struct db_call rules_revision_call(struct arena *arena, const char *site_id)
{
    const char **values = arena_array(arena, 1, sizeof *values);
    values[0] = site_id;
    return (struct db_call){&rules_move_revision, values};
}

struct db_call rules_dispatch_call(struct arena *arena, const char *row_id)
{
    const char **values = arena_array(arena, 1, sizeof *values);
    values[0] = row_id;
    return (struct db_call){&rules_dispatch, values};
}

/* ---- one rule ------------------------------------------------------------------------------------------- */

#define LOCKED_RULE                                                                                                   \
    "SELECT r.id, r.rule_id, r.site_id, r.pattern_signature, r.status, r.version, r.released_at IS NOT NULL, "        \
    "s.clinic_name FROM promoted_rules r JOIN sites s ON s.site_id = r.site_id WHERE r.partner_id = current_partner() "
DB_STATEMENT(rule_lock_by_row, 1, LOCKED_RULE "AND r.id = $1::uuid FOR UPDATE OF r");
DB_STATEMENT(rule_lock_by_rule_id, 1, LOCKED_RULE "AND r.rule_id = $1 FOR UPDATE OF r");
DB_STATEMENT(rule_set_status, 2,
             "UPDATE promoted_rules r SET status = $2, updated_at = now(), revision = s.rules_revision "
             "FROM sites s WHERE r.id = $1::uuid AND s.site_id = r.site_id");
/* How many appliances shall have the rule, and how many of them neither have it nor are about to. */
DB_STATEMENT(rule_reach, 1,
             "SELECT count(*), count(*) FILTER (WHERE d.id IS NULL OR d.deployment_status IN ('failed', 'removed')) "
             "FROM promoted_rules r JOIN site_appliances a ON a.site_id = r.site_id AND a.status = 'active' "
             "LEFT JOIN promoted_rule_deployments d ON d.site_id = r.site_id AND d.rule_id = r.rule_id "
             "AND d.appliance_id = a.appliance_id AND d.rule_version = r.version WHERE r.id = $1::uuid");
DB_STATEMENT(rule_release, 1,
             "UPDATE promoted_rules r SET released_at = coalesce(r.released_at, now()), updated_at = now(), "
             "revision = s.rules_revision FROM sites s WHERE r.id = $1::uuid AND s.site_id = r.site_id");

struct locked_rule {
    struct slice id, rule_id, site_id, pattern_signature, status, version, site_name;
    bool released;
};

static bool lock_rule(struct change *change, struct slice id, struct locked_rule *rule, struct error *error)
{
    /* What comes from a path need not be text; such an id names nothing. */
    const char *value = slice_is_utf8(id) ? arena_text(change->session->arena, id) : NULL;
    const struct db_rows *rows;
    if (!db_query(change->transaction, is_uuid(id) ? &rule_lock_by_row : &rule_lock_by_rule_id, &value, &rows, error))
        return false;
    if (db_count(rows) == 0)
        return error_set(error, ERROR_NOT_FOUND, "rule-not-found", "There is no promoted rule with this id.");
    *rule = (struct locked_rule){
        .id = db_value(rows, 0, 0),
        .rule_id = db_value(rows, 0, 1),
        .site_id = db_value(rows, 0, 2),
        .pattern_signature = db_value(rows, 0, 3),
        .status = db_value(rows, 0, 4),
        .version = db_value(rows, 0, 5),
        .released = db_bool(rows, 0, 6),
        .site_name = db_value(rows, 0, 7),
    };
    return true;
}

static bool refuse(const struct locked_rule *rule, const char *slug, const char *advice, struct error *error)
{
    error_fill(error, ERROR_CONFLICT, slug, "Rule %s is %s. %s", rule->rule_id.ptr, rule->status.ptr, advice);
    snprintf(error->rule_id, sizeof error->rule_id, "%s", rule->rule_id.ptr);
    snprintf(error->rule_status, sizeof error->rule_status, "%s", rule->status.ptr);
    return false;
}

static const char *status_json(struct arena *arena, const struct locked_rule *rule, struct slice status)
{
    return arena_printf(arena, "{\"status\": \"%.*s\", \"version\": %s}", (int)status.len, status.ptr,
                        arena_text(arena, rule->version));
}

static struct audit_event rule_event(struct arena *arena, const struct locked_rule *rule, const char *action,
                                     struct slice status, struct slice reason)
{
    return (struct audit_event){
        .action = action,
        .entity = "rule",
        .entity_id = rule->rule_id,
        .site_id = rule->site_id,
        .pattern_signature = rule->pattern_signature,
        .rule_id = rule->rule_id,
        .before = status_json(arena, rule, rule->status),
        .after = status_json(arena, rule, status),
        .reason = reason,
    };
}

static const char *action_for(struct slice status)
{
    if (slice_is(status, "active"))
        return "rule.enabled";
    return slice_is(status, "disabled") ? "rule.disabled" : "rule.archived";
}

/* Moves the site's revision, runs `change_call`, queues the rule if it is now to be sent, and tells the log. */
static bool apply(struct change *change, const struct locked_rule *rule, struct db_call change_call,
                  const struct audit_event *event, struct rule_change *result, struct error *error)
{
    struct arena *arena = change->session->arena;
    const struct db_call calls[] = {
        rules_revision_call(arena, arena_text(arena, rule->site_id)),
        change_call,
        rules_dispatch_call(arena, arena_text(arena, rule->id)),
        audit_call(change->session, event),
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    result->deployed_to = (long)db_integer(rows[2], 0, 0);
    return true;
}

bool promoted_rule_set_status(struct change *change, struct slice id, struct slice status, struct slice reason,
                              struct rule_change *result, struct error *error)
{
    struct arena *arena = change->session->arena;
    struct locked_rule rule;
    if (!lock_rule(change, id, &rule, error))
        return false;
    *result = (struct rule_change){rule.rule_id, rule.site_name, status, !slice_equal(rule.status, status), 0};
    if (!result->changed)
        return true;
    if (slice_is(rule.status, "archived"))
        return refuse(&rule, "rule-archived", "That is final; approve the pattern again for its next version.", error);
    const char *values[] = {arena_text(arena, rule.id), arena_text(arena, status)};
    const struct audit_event event = rule_event(arena, &rule, action_for(status), status, reason);
    return apply(change, &rule, (struct db_call){&rule_set_status, values}, &event, result, error);
}

bool promoted_rule_deploy(struct change *change, struct slice id, struct rule_change *result, struct error *error)
{
    struct arena *arena = change->session->arena;
    struct locked_rule rule;
    if (!lock_rule(change, id, &rule, error))
        return false;
    if (!slice_is(rule.status, "active"))
        return refuse(&rule, "rule-not-active", "Only an active rule can be sent.", error);
    const char *row_id = arena_text(arena, rule.id);
    const struct db_rows *reach;
    if (!db_query(change->transaction, &rule_reach, &row_id, &reach, error))
        return false;
    bool is_out = rule.released && db_integer(reach, 0, 1) == 0;
    *result = (struct rule_change){rule.rule_id, rule.site_name, rule.status, !is_out, (long)db_integer(reach, 0, 0)};
    if (is_out)
        return true;
    const struct audit_event event = rule_event(arena, &rule, "rule.deployed", rule.status, SLICE_ABSENT);
    return apply(change, &rule, (struct db_call){&rule_release, &row_id}, &event, result, error);
}
