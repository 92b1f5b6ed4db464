/* GET /api/partners/me/learning/promoted-rules and …/{id}/deployments: the rules that came of approvals, and where they are. */
#include "cgi/service.h"
#include "cgi/view.h"
#include "promotion/appliances.h"
#include "promotion/promoted_rules.h"

static const char *const STATUSES[] = {"active", "disabled", "archived", NULL};
static const char *const SORTS[] = {"promoted_at", "-promoted_at", "rule_id", "-rule_id", NULL};

static const struct input QUERY[] = {
    {.name = "status", .type = INPUT_CHOICE, .choices = STATUSES},
    INPUT_SITE,
    INPUT_SEARCH,
    {.name = "sort", .type = INPUT_CHOICE, .choices = SORTS},
    INPUT_LIMIT,
    INPUT_CURSOR,
};

static bool list_rules(struct call *call)
{
    struct slice sort = query_text(&call->inputs, "sort");
    struct rule_filter filter = {
        .status = query_text(&call->inputs, "status"),
        .site_id = query_text(&call->inputs, "site_id"),
        .q = query_text(&call->inputs, "q"),
        .sort = slice_is(sort, "rule_id") || slice_is(sort, "-rule_id") ? RULES_BY_RULE_ID : RULES_BY_PROMOTED_AT,
        .descending = !slice_present(sort) || slice_starts_with(sort, "-"),
    };
    const char *scope = call_scope(call, "promoted-rules");
    struct page page;
    struct list list;
    struct slice last[RULE_KEYS];
    if (!call_page(call, scope, RULE_KEYS, &page) ||
        !promoted_rules_page(&call->session, &filter, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "rules");
    for (size_t i = 0; i < list.count; i++) {
        struct promoted_rule rule = promoted_rule_at(&list, i);
        view_promoted_rule(&json, &rule);
    }
    json_close(&json);
    if (list.more)
        promoted_rule_keys(&list, list.count - 1, filter.sort, last);
    call_end_list(call, &json, &list, scope, last, RULE_KEYS);
    return true;
}

static void write_deployment(struct json_writer *json, const struct rule_deployment *deployment)
{
    json_open_object(json, NULL);
    json_string(json, "appliance_id", deployment->appliance_id);
    json_string(json, "appliance_status", deployment->appliance_status);
    json_number(json, "rule_version", deployment->rule_version);
    json_string(json, "deployment_status", deployment->deployment_status);
    json_pg_time(json, "deployed_at", deployment->deployed_at);
    json_pg_time(json, "delivered_at", deployment->delivered_at);
    json_pg_time(json, "acknowledged_at", deployment->acknowledged_at);
    json_pg_time(json, "proven_at", deployment->proven_at);
    json_string(json, "error", deployment->error);
    json_string(json, "agent", deployment->agent);
    json_pg_time(json, "last_seen_at", deployment->last_seen_at);
    json_pg_bool(json, "silent", deployment->silent);
    json_close(json);
}

static bool list_deployments(struct call *call)
{
    struct deployed_rule rule;
    const struct db_rows *rows;
    if (!rule_deployments_read(&call->session, call->id, &rule, &rows, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_string(&json, "id", rule.id);
    json_string(&json, "rule_id", rule.rule_id);
    json_string(&json, "site_id", rule.site_id);
    json_string(&json, "site_name", rule.site_name);
    json_string(&json, "status", rule.status);
    json_number(&json, "version", rule.version);
    json_number(&json, "revision", rule.revision);
    json_bool(&json, "held", !slice_present(rule.released_at));
    json_open_array(&json, "deployments");
    for (size_t i = 0; i < db_count(rows); i++) {
        struct rule_deployment deployment = rule_deployment_at(rows, i);
        write_deployment(&json, &deployment);
    }
    json_close(&json);
    json_integer(&json, "total", (int64_t)db_count(rows));
    json_writer_end(&json);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "listPromotedRules",
     .method = "GET",
     .path = "/api/partners/me/learning/promoted-rules",
     .access = ACCESS_READ,
     .query = QUERY,
     .query_count = COUNT_OF(QUERY),
     .serve = list_rules},
    {.operation = "listRuleDeployments",
     .method = "GET",
     .path = "/api/partners/me/learning/promoted-rules/{id}/deployments",
     .access = ACCESS_READ,
     .serve = list_deployments},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-rules", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
