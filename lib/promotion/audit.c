#include "promotion/audit.h"

#include "base/json.h"

DB_STATEMENT(audit_record, 14,
             "INSERT INTO promotion_audit_log (partner_id, actor_kind, actor_id, actor, request_id, action, entity, "
             "entity_id, site_id, pattern_signature, rule_id, before, after, reason) "
             "VALUES ($1::uuid, $2, $3::uuid, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13::jsonb, $14)");
#define LIST(subject)                                                                                                 \
    "SELECT l.id, l.at, l.actor, l.actor_kind, l.action, l.entity, l.site_id, s.clinic_name, "                    \
    "l.pattern_signature, l.rule_id, l.before, l.after, l.reason, l.request_id "                                           \
    "FROM promotion_audit_log l LEFT JOIN sites s ON s.site_id = l.site_id "                                          \
    "WHERE l.partner_id = current_partner() " subject "AND l.id < $2::bigint ORDER BY l.id DESC LIMIT $1::int"
#define TOTAL(subject)                                                                                                \
    "SELECT count(*) FROM (SELECT FROM promotion_audit_log l WHERE l.partner_id = current_partner() " subject         \
    "LIMIT 10001) AS matches"
/* In the words of the indexes that are there for them. */
#define DECISIONS "AND l.entity IN ('candidate', 'rule', 'thresholds') "
#define ACCESS "AND l.entity IN ('user', 'key') "

DB_STATEMENT(audit_list, 2, LIST(""));
DB_STATEMENT(audit_list_decisions, 2, LIST(DECISIONS));
DB_STATEMENT(audit_list_access, 2, LIST(ACCESS));
DB_STATEMENT(audit_total, 0, TOTAL(""));
DB_STATEMENT(audit_total_decisions, 0, TOTAL(DECISIONS));
DB_STATEMENT(audit_total_access, 0, TOTAL(ACCESS));

enum { DETAILS_CEILING = 8 * 1024 };

const char *audit_details(struct arena *arena, const char *const *names, const struct slice *values)
{
    struct buffer text = buffer_make(DETAILS_CEILING);
    struct json_writer json = json_writer_make(&text);
    json_open_object(&json, NULL);
    for (size_t i = 0; names[i] != NULL; i++)
        json_string(&json, names[i], values[i]);
    json_writer_end(&json);
    const char *copy = arena_text(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

const char *audit_address(struct arena *arena, struct slice email)
{
    static const char *const names[] = {"email", NULL};
    return audit_details(arena, names, &email);
}

struct db_call audit_call(const struct session *session, const struct audit_event *event)
{
    struct arena *arena = session->arena;
    const struct principal *who = &session->principal;
    const char **values = arena_array(arena, 14, sizeof *values);
    const char *all[] = {
        arena_text(arena, who->partner_id), arena_text(arena, who->kind),
        arena_text(arena, who->actor_id),   arena_text(arena, who->actor),
        session->request_id,                event->action,
        event->entity,                      arena_text(arena, event->entity_id),
        arena_text(arena, event->site_id),  arena_text(arena, event->pattern_signature),
        arena_text(arena, event->rule_id),  event->before,
        event->after,                       arena_text(arena, event->reason),
    };
    memcpy(values, all, sizeof all);
    return (struct db_call){&audit_record, values};
}

bool audit_page(struct session *session, enum audit_subject subject, const struct page *page, struct list *list,
                struct error *error)
{
    static const struct db_statement *const lists[] = {&audit_list, &audit_list_decisions, &audit_list_access};
    static const struct db_statement *const totals[] = {&audit_total, &audit_total_decisions, &audit_total_access};
    const char *values[] = {list_limit(session->arena, page),
                            list_after(session->arena, page, 0, BIGINT_LAST)};
    const struct db_call calls[] = {{lists[subject], values}, {totals[subject], NULL}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!session_read(session, calls, COUNT_OF(calls), rows, error))
        return false;
    *list = list_make(rows[0], rows[1], page);
    return true;
}

struct audit_entry audit_at(const struct list *list, size_t row)
{
    const struct db_rows *rows = list->rows;
    return (struct audit_entry){
        .id = db_value(rows, row, 0),         .at = db_value(rows, row, 1),
        .actor = db_value(rows, row, 2),      .actor_kind = db_value(rows, row, 3),
        .action = db_value(rows, row, 4),     .entity = db_value(rows, row, 5),
        .site_id = db_value(rows, row, 6),    .site_name = db_value(rows, row, 7),
        .pattern_signature = db_value(rows, row, 8), .rule_id = db_value(rows, row, 9),
        .before = db_value(rows, row, 10),    .after = db_value(rows, row, 11),
        .reason = db_value(rows, row, 12),    .request_id = db_value(rows, row, 13),
    };
}
