/* PATCH /api/partners/me/learning/promoted-rules/{id}/status: enables, disables or archives a rule. */
#include "cgi/service.h"
#include "promotion/promoted_rules.h"

static const char *const STATUSES[] = {"active", "disabled", "archived", NULL};

/* The status comes in the query or in the body. */
static const struct input QUERY[] = {
    {.name = "status", .type = INPUT_CHOICE, .choices = STATUSES},
};
static const struct input MEMBERS[] = {
    {.name = "status", .type = INPUT_CHOICE, .choices = STATUSES},
    {.name = "reason", .type = INPUT_PROSE, .lowest = 0, .highest = 2000},
};

struct status_request {
    struct slice id, status, reason;
};

static bool set_status(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct status_request *request = argument;
    struct rule_change result;
    if (!promoted_rule_set_status(change, request->id, request->status, request->reason, &result, error))
        return false;
    struct json_writer json = change_answer(answer);
    json_text(&json, "status", "updated");
    json_string(&json, "rule_id", result.rule_id);
    json_string(&json, "new_status", result.status);
    json_bool(&json, "changed", result.changed);
    json_writer_end(&json);
    return true;
}

static bool choose_status(struct call *call, struct slice *status)
{
    struct slice in_query = query_text(&call->inputs, "status"), in_body = body_text(&call->inputs, "status");
    *status = slice_present(in_query) ? in_query : in_body;
    if (!slice_present(*status))
        return error_add(call->error, "/status", "is needed: active, disabled or archived");
    if (slice_present(in_query) && slice_present(in_body) && !slice_equal(in_query, in_body))
        return error_set(call->error, ERROR_MALFORMED, "contradiction",
                         "The query and the body name different statuses; send one of them.");
    return true;
}

static bool change_rule_status(struct call *call)
{
    struct slice reason = body_text(&call->inputs, "reason");
    struct status_request request = {.id = call->id, .reason = reason.len > 0 ? reason : SLICE_ABSENT};
    return choose_status(call, &request.status) && call_change(call, set_status, &request);
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "setPromotedRuleStatus",
     .method = "PATCH",
     .path = "/api/partners/me/learning/promoted-rules/{id}/status",
     .access = ACCESS_DECIDE,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .query = QUERY,
     .query_count = COUNT_OF(QUERY),
     .members = MEMBERS,
     .member_count = COUNT_OF(MEMBERS),
     .serve = change_rule_status},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-rule-status", "database_decide", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
