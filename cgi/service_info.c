/* GET /livez, /readyz, /api/version and /api/openapi.json: whether it runs, what it is, how to call it. */
#include "cgi/build_id.h"
#include "cgi/openapi_document.h"
#include "cgi/service.h"

DB_STATEMENT(service_probe, 0, "SELECT 1");

static bool answer_status(struct call *call, const char *status)
{
    struct json_writer json = call_answer(call);
    json_text(&json, "status", status);
    json_writer_end(&json);
    return true;
}

static bool is_alive(struct call *call)
{
    return answer_status(call, "alive");
}

static bool is_ready(struct call *call)
{
    const struct db_call probe = {&service_probe, NULL};
    const struct db_rows *rows;
    return db_read(call->session.database, call->arena, &probe, 1, &rows, call->error) && answer_status(call, "ready");
}

static bool show_version(struct call *call)
{
    struct json_writer json = call_answer(call);
    json_text(&json, "name", "flywheel");
    json_text(&json, "version", FLYWHEEL_VERSION);
    json_text(&json, "build_id", build_id());
    json_writer_end(&json);
    return true;
}

static bool show_openapi(struct call *call)
{
    buffer_append(&call->response->body, slice_of(OPENAPI_DOCUMENT));
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "getLiveness", .method = "GET", .path = "/livez", .access = ACCESS_PUBLIC, .serve = is_alive},
    {.operation = "getReadiness", .method = "GET", .path = "/readyz", .access = ACCESS_PUBLIC, .serve = is_ready},
    {.operation = "getVersion", .method = "GET", .path = "/api/version", .access = ACCESS_PUBLIC, .serve = show_version},
    {.operation = "getOpenApi",
     .method = "GET",
     .path = "/api/openapi.json",
     .access = ACCESS_PUBLIC,
     .serve = show_openapi},
};

int main(int argc, char **argv)
{
    const struct program program = {"service", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
