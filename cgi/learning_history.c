/* GET /api/partners/me/learning/execution-history and …/audit: what appliances did, and what people decided. */
#include "cgi/service.h"
#include "cgi/view.h"
#include "promotion/audit.h"
#include "promotion/executions.h"

static const char *const LEVELS[] = {"L1", "L2", "L3", NULL};
static const char *const TRUTHS[] = {"true", "false", NULL};

static const struct input HISTORY_QUERY[] = {
    INPUT_SITE,
    {.name = "level", .type = INPUT_CHOICE, .choices = LEVELS},
    {.name = "success", .type = INPUT_CHOICE, .choices = TRUTHS},
    {.name = "runbook_id", .type = INPUT_NAME, .lowest = 1, .highest = 255},
    {.name = "pattern_signature", .type = INPUT_NAME, .lowest = 1, .highest = 64},
    INPUT_LIMIT,
    INPUT_CURSOR,
};

static bool list_executions(struct call *call)
{
    const struct execution_filter filter = {
        .site_id = query_text(&call->inputs, "site_id"),
        .level = query_text(&call->inputs, "level"),
        .success = query_text(&call->inputs, "success"),
        .runbook_id = query_text(&call->inputs, "runbook_id"),
        .pattern_signature = query_text(&call->inputs, "pattern_signature"),
    };
    const char *scope = call_scope(call, "execution-history");
    struct page page;
    struct list list;
    struct slice last[EXECUTION_KEYS];
    if (!call_page(call, scope, EXECUTION_KEYS, &page) ||
        !executions_page(&call->session, &filter, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "executions");
    for (size_t i = 0; i < list.count; i++) {
        struct execution execution = execution_at(list.rows, i);
        view_execution(&json, &execution);
    }
    json_close(&json);
    if (list.more)
        execution_keys(list.rows, list.count - 1, last);
    call_end_list(call, &json, &list, scope, last, EXECUTION_KEYS);
    return true;
}

static const char *const SUBJECTS[] = {"decisions", "access", NULL};

static const struct input AUDIT_QUERY[] = {
    {.name = "about", .type = INPUT_CHOICE, .choices = SUBJECTS},
    INPUT_LIMIT,
    INPUT_CURSOR,
};

static enum audit_subject subject_of(struct slice about)
{
    if (slice_is(about, "decisions"))
        return AUDIT_DECISIONS;
    return slice_is(about, "access") ? AUDIT_ACCESS : AUDIT_ALL;
}

static void write_entry(struct json_writer *json, const struct audit_entry *entry)
{
    json_open_object(json, NULL);
    json_string(json, "id", entry->id);
    json_pg_time(json, "at", entry->at);
    json_string(json, "actor", entry->actor);
    json_string(json, "actor_kind", entry->actor_kind);
    json_string(json, "action", entry->action);
    json_string(json, "entity", entry->entity);
    json_string(json, "site_id", entry->site_id);
    json_string(json, "site_name", entry->site_name);
    json_string(json, "pattern_signature", entry->pattern_signature);
    json_string(json, "rule_id", entry->rule_id);
    json_raw(json, "before", entry->before);
    json_raw(json, "after", entry->after);
    json_string(json, "reason", entry->reason);
    json_string(json, "request_id", entry->request_id);
    json_close(json);
}

static bool list_audit(struct call *call)
{
    const char *scope = call_scope(call, "audit");
    enum audit_subject subject = subject_of(query_text(&call->inputs, "about"));
    struct page page;
    struct list list;
    struct slice last = SLICE_ABSENT;
    if (!call_page(call, scope, 1, &page) || !audit_page(&call->session, subject, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "entries");
    for (size_t i = 0; i < list.count; i++) {
        struct audit_entry entry = audit_at(&list, i);
        write_entry(&json, &entry);
        last = entry.id;
    }
    json_close(&json);
    call_end_list(call, &json, &list, scope, &last, 1);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "listExecutions",
     .method = "GET",
     .path = "/api/partners/me/learning/execution-history",
     .access = ACCESS_READ,
     .query = HISTORY_QUERY,
     .query_count = COUNT_OF(HISTORY_QUERY),
     .serve = list_executions},
    {.operation = "listAudit",
     .method = "GET",
     .path = "/api/partners/me/learning/audit",
     .access = ACCESS_READ,
     .query = AUDIT_QUERY,
     .query_count = COUNT_OF(AUDIT_QUERY),
     .serve = list_audit},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-history", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
