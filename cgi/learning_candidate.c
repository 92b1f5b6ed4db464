/* GET /api/partners/me/learning/candidates/{id}: one candidate, what happened, and the rule it would become. */
#include "cgi/service.h"
#include "cgi/view.h"
#include "promotion/proposal.h"
#include "rules/render.h"

static const struct input QUERY[] = {
    {.name = "custom_name", .type = INPUT_NAME, .lowest = 1, .highest = 200},
    {.name = "check_type", .type = INPUT_NAME, .lowest = 1, .highest = 64},
};

static void write_decision(struct json_writer *json, const struct past_decision *decision)
{
    json_open_object(json, "decision");
    json_string(json, "approved_by", decision->approved_by);
    json_pg_time(json, "approved_at", decision->approved_at);
    json_string(json, "custom_rule_name", decision->custom_rule_name);
    json_string(json, "approval_notes", decision->approval_notes);
    json_string(json, "rejected_by", decision->rejected_by);
    json_pg_time(json, "rejected_at", decision->rejected_at);
    json_string(json, "rejection_reason", decision->rejection_reason);
    json_close(json);
}

static void write_standing(struct json_writer *json, const struct standing_rule *standing)
{
    if (!slice_present(standing->rule_id)) {
        json_null(json, "existing_rule");
        return;
    }
    json_open_object(json, "existing_rule");
    json_string(json, "id", standing->id);
    json_string(json, "rule_id", standing->rule_id);
    json_string(json, "status", standing->status);
    json_number(json, "version", standing->version);
    json_close(json);
}

/* The rule, its YAML and digest; or null with the reason why none can be made. */
static void write_proposal(struct json_writer *json, const struct proposal *proposal)
{
    if (proposal->made)
        rule_write_json(json, "proposed_rule", &proposal->rule);
    else
        json_null(json, "proposed_rule");
    json_string(json, "rule_yaml", proposal->made ? proposal->yaml : SLICE_ABSENT);
    json_string(json, "rule_digest", proposal->made ? proposal->rule_digest : SLICE_ABSENT);
    json_text(json, "proposal_problem", proposal->made ? NULL : proposal->problem.detail);
    json_text(json, "proposal_problem_type", proposal->made ? NULL : proposal->problem.slug);
    json_open_array(json, "check_type_choices");
    for (size_t i = 0; i < proposal->check_type_choices.count; i++)
        json_string(json, NULL, proposal->check_type_choices.items[i]);
    json_close(json);
}

static bool show_candidate(struct call *call)
{
    const struct proposal_wishes wishes = {query_text(&call->inputs, "custom_name"),
                                           query_text(&call->inputs, "check_type")};
    struct proposal *proposal = arena_alloc(call->arena, sizeof *proposal);
    const struct db_rows *history;
    if (!proposal_read(&call->session, call->id, &wishes, proposal, &history, call->error))
        return false;
    struct json_writer json = call_answer(call);
    view_candidate(&json, "candidate", &proposal->candidate);
    write_decision(&json, &proposal->decision);
    write_standing(&json, &proposal->standing);
    json_open_array(&json, "execution_history");
    for (size_t i = 0; i < db_count(history); i++) {
        struct execution execution = execution_at(history, i);
        view_execution(&json, &execution);
    }
    json_close(&json);
    write_proposal(&json, proposal);
    json_writer_end(&json);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "getCandidate",
     .method = "GET",
     .path = "/api/partners/me/learning/candidates/{id}",
     .access = ACCESS_READ,
     .query = QUERY,
     .query_count = COUNT_OF(QUERY),
     .serve = show_candidate},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-candidate", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
