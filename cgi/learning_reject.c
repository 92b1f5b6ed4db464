/* POST /api/partners/me/learning/candidates/{id}/reject: a person's no, with the reason. */
#include "cgi/service.h"
#include "promotion/decisions.h"

static const struct input MEMBERS[] = {
    {.name = "reason", .type = INPUT_PROSE, .required = true, .lowest = 1, .highest = 2000},
};

struct rejection {
    struct slice candidate_id;
    struct slice reason;
};

static bool reject(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct rejection *rejection = argument;
    if (!candidate_reject(change, rejection->candidate_id, rejection->reason, error))
        return false;
    struct json_writer json = change_answer(answer);
    json_text(&json, "status", "rejected");
    json_string(&json, "pattern_id", rejection->candidate_id);
    json_writer_end(&json);
    return true;
}

static bool reject_candidate(struct call *call)
{
    struct rejection rejection = {call->id, body_text(&call->inputs, "reason")};
    return call_change(call, reject, &rejection);
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "rejectCandidate",
     .method = "POST",
     .path = "/api/partners/me/learning/candidates/{id}/reject",
     .access = ACCESS_DECIDE,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = MEMBERS,
     .member_count = COUNT_OF(MEMBERS),
     .serve = reject_candidate},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-reject", "database_decide", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
