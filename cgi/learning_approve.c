/* POST /api/partners/me/learning/candidates/{id}/approve: makes the rule and sends it to the site's appliances. */
#include "cgi/service.h"
#include "promotion/decisions.h"

static const struct input MEMBERS[] = {
    {.name = "deploy_immediately", .type = INPUT_BOOLEAN},
    {.name = "custom_name", .type = INPUT_NAME, .lowest = 1, .highest = 200},
    {.name = "notes", .type = INPUT_PROSE, .lowest = 0, .highest = 2000},
    {.name = "rule_digest", .type = INPUT_NAME, .lowest = 64, .highest = 64},
    {.name = "check_type", .type = INPUT_NAME, .lowest = 1, .highest = 64},
};

/* A sentence that says what really happened, also when no appliance was told. */
static const char *message_for(struct arena *arena, const struct approval *approval)
{
    if (approval->held)
        return arena_printf(arena, "Rule %s was made and is held back; deploy it when you are ready.",
                            approval->rule_id.ptr);
    if (approval->deployed_to == 0)
        return arena_printf(arena, "Rule %s was made, but %s has no appliance to send it to yet.", approval->rule_id.ptr,
                            approval->site_name.ptr);
    return arena_printf(arena, "Rule %s was made and queued for %ld appliance%s of %s.", approval->rule_id.ptr,
                        approval->deployed_to, approval->deployed_to == 1 ? "" : "s", approval->site_name.ptr);
}

static bool approve(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    struct approval approval;
    if (!candidate_approve(change, argument, &approval, error))
        return false;
    struct json_writer json = change_answer(answer);
    json_text(&json, "status", "approved");
    json_string(&json, "rule_id", approval.rule_id);
    json_string(&json, "pattern_signature", approval.pattern_signature);
    json_string(&json, "site_id", approval.site_id);
    json_integer(&json, "version", approval.version);
    json_string(&json, "rule_yaml", approval.rule_yaml);
    json_integer(&json, "deployed_to", approval.deployed_to);
    json_text(&json, "message", message_for(change->session->arena, &approval));
    json_writer_end(&json);
    return true;
}

/* Notes of nothing but white space are no notes. */
static struct slice optional_text(struct slice text)
{
    return text.len > 0 ? text : SLICE_ABSENT;
}

static bool approve_candidate(struct call *call)
{
    struct approval_request request = {
        .candidate_id = call->id,
        .custom_name = body_text(&call->inputs, "custom_name"),
        .notes = optional_text(body_text(&call->inputs, "notes")),
        .rule_digest = body_text(&call->inputs, "rule_digest"),
        .check_type = body_text(&call->inputs, "check_type"),
        .deploy_immediately = body_bool(&call->inputs, "deploy_immediately", true),
    };
    return call_change(call, approve, &request);
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "approveCandidate",
     .method = "POST",
     .path = "/api/partners/me/learning/candidates/{id}/approve",
     .access = ACCESS_DECIDE,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = MEMBERS,
     .member_count = COUNT_OF(MEMBERS),
     .serve = approve_candidate},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-approve", "database_decide", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
