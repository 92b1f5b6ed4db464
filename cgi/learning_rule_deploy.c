/* POST /api/partners/me/learning/promoted-rules/{id}/deploy: sends a rule that was held back, or sends it again. */
#include "cgi/service.h"
#include "promotion/promoted_rules.h"

static const char *message_for(struct arena *arena, const struct rule_change *result)
{
    if (result->deployed_to == 0)
        return arena_printf(arena, "Rule %s is released, but %s has no appliance to send it to yet.",
                            result->rule_id.ptr, result->site_name.ptr);
    return arena_printf(arena, result->changed ? "Rule %s was queued for %ld appliance%s of %s."
                                               : "Rule %s is out already: %ld appliance%s of %s have it or will get it.",
                        result->rule_id.ptr,
                        result->deployed_to, result->deployed_to == 1 ? "" : "s", result->site_name.ptr);
}

static bool deploy(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct slice *id = argument;
    struct rule_change result;
    if (!promoted_rule_deploy(change, *id, &result, error))
        return false;
    struct json_writer json = change_answer(answer);
    json_text(&json, "status", "deployed");
    json_string(&json, "rule_id", result.rule_id);
    json_integer(&json, "deployed_to", result.deployed_to);
    json_bool(&json, "changed", result.changed);
    json_text(&json, "message", message_for(change->session->arena, &result));
    json_writer_end(&json);
    return true;
}

static bool deploy_rule(struct call *call)
{
    return call_change(call, deploy, &call->id);
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "deployPromotedRule",
     .method = "POST",
     .path = "/api/partners/me/learning/promoted-rules/{id}/deploy",
     .access = ACCESS_DECIDE,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .serve = deploy_rule},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-rule-deploy", "database_decide", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
