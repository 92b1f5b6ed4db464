/* GET /api/partners/me/learning/stats: the figures at the top of the dashboard. */
#include "cgi/service.h"
#include "promotion/statistics.h"

static bool show_statistics(struct call *call)
{
    struct statistics statistics;
    if (!statistics_read(&call->session, &statistics, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_number(&json, "pending_candidates", statistics.pending_candidates);
    json_number(&json, "active_promoted_rules", statistics.active_promoted_rules);
    json_number(&json, "total_executions_30d", statistics.total_executions_30d);
    json_number(&json, "l1_resolution_rate", statistics.l1_resolution_rate);
    json_number(&json, "l2_resolution_rate", statistics.l2_resolution_rate);
    json_number(&json, "l3_escalation_rate", statistics.l3_escalation_rate);
    json_number(&json, "avg_success_rate", statistics.avg_success_rate);
    json_writer_end(&json);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "getLearningStats",
     .method = "GET",
     .path = "/api/partners/me/learning/stats",
     .access = ACCESS_READ,
     .serve = show_statistics},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-stats", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
