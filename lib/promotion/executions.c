#include "promotion/executions.h"

#define EXECUTION_COLUMNS                                                                                             \
    "SELECT e.execution_id, e.incident_id, e.site_id, s.clinic_name, e.appliance_id, e.runbook_id, e.rule_id, "       \
    "e.pattern_signature, e.hostname, e.incident_type, e.check_type, e.success, e.status, e.resolution_level, "       \
    "e.duration_seconds, e.failure_type, e.created_at, e.id "                                                         \
    "FROM execution_telemetry e JOIN sites s ON s.site_id = e.site_id "
#define EXECUTION_FILTER                                                                                              \
    "e.partner_id = current_partner() AND ($1::text IS NULL OR e.site_id = $1) "                                      \
    "AND ($2::text IS NULL OR e.resolution_level = $2) AND ($3::text IS NULL OR e.success = $3::boolean) "            \
    "AND ($4::text IS NULL OR e.runbook_id = $4) AND ($5::text IS NULL OR e.pattern_signature = $5) "

DB_STATEMENT(executions_list, 8,
             EXECUTION_COLUMNS "WHERE " EXECUTION_FILTER
                               "AND (e.created_at, e.id) < ($7::timestamptz, $8::bigint) "
                               "ORDER BY e.created_at DESC, e.id DESC LIMIT $6::int");
DB_STATEMENT(executions_total, 5,
             "SELECT count(*) FROM (SELECT FROM execution_telemetry e WHERE " EXECUTION_FILTER
             "LIMIT 10001) AS matches");
DB_STATEMENT(executions_of_pattern, 3,
             EXECUTION_COLUMNS "WHERE e.partner_id = current_partner() AND e.site_id = $1 "
                               "AND e.pattern_signature = $2 ORDER BY e.created_at DESC, e.id DESC LIMIT $3::int");

bool executions_page(struct session *session, const struct execution_filter *filter, const struct page *page,
                     struct list *list, struct error *error)
{
    struct arena *arena = session->arena;
    const char *values[] = {
        arena_text(arena, filter->site_id),
        arena_text(arena, filter->level),
        arena_text(arena, filter->success),
        arena_text(arena, filter->runbook_id),
        arena_text(arena, filter->pattern_signature),
        list_limit(arena, page),
        list_after(arena, page, 0, "infinity"),
        list_after(arena, page, 1, BIGINT_LAST),
    };
    const struct db_call calls[] = {{&executions_list, values}, {&executions_total, values}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

struct db_call executions_of_pattern_call(struct arena *arena, const char *site_id, const char *pattern_signature,
                                          const char *limit)
{
    const char **values = arena_array(arena, 3, sizeof *values);
    values[0] = site_id;
    values[1] = pattern_signature;
    values[2] = limit;
    return (struct db_call){&executions_of_pattern, values};
}

struct execution execution_at(const struct db_rows *rows, size_t row)
{
    return (struct execution){
        .execution_id = db_value(rows, row, 0),
        .incident_id = db_value(rows, row, 1),
        .site_id = db_value(rows, row, 2),
        .site_name = db_value(rows, row, 3),
        .appliance_id = db_value(rows, row, 4),
        .runbook_id = db_value(rows, row, 5),
        .rule_id = db_value(rows, row, 6),
        .pattern_signature = db_value(rows, row, 7),
        .hostname = db_value(rows, row, 8),
        .incident_type = db_value(rows, row, 9),
        .check_type = db_value(rows, row, 10),
        .success = db_value(rows, row, 11),
        .status = db_value(rows, row, 12),
        .resolution_level = db_value(rows, row, 13),
        .duration_seconds = db_value(rows, row, 14),
        .failure_type = db_value(rows, row, 15),
        .created_at = db_value(rows, row, 16),
    };
}

void execution_keys(const struct db_rows *rows, size_t row, struct slice *keys)
{
    keys[0] = db_value(rows, row, 16);
    keys[1] = db_value(rows, row, 17);
}
