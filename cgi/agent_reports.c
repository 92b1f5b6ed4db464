/* POST /api/agent/sync/pattern-stats and /api/agent/executions: what appliances report. */
#include "cgi/service.h"
#include "promotion/reports.h"

static bool take_pattern_stats(struct call *call)
{
    return report_pattern_stats(&call->session, call->inputs.document, &call->response->body, call->error);
}

static bool take_executions(struct call *call)
{
    return report_executions(&call->session, call->inputs.document, &call->response->body, call->error);
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "pushPatternStats",
     .method = "POST",
     .path = "/api/agent/sync/pattern-stats",
     .access = ACCESS_AGENT,
     .body = BODY_OPEN,
     .body_limit = BODY_LIMIT_AGENT,
     .serve = take_pattern_stats},
    {.operation = "reportExecutions",
     .method = "POST",
     .path = "/api/agent/executions",
     .access = ACCESS_AGENT,
     .body = BODY_OPEN,
     .body_limit = BODY_LIMIT_AGENT,
     .serve = take_executions},
};

int main(int argc, char **argv)
{
    const struct program program = {"agent-reports", "database_agent", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
