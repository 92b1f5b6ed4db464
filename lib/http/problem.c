#include "http/problem.h"

#include <stdio.h>

#include "base/json.h"

static const struct {
    int status;
    const char *title;
} KINDS[] = {
    [ERROR_NONE] = {500, "Internal error"},
    [ERROR_MALFORMED] = {400, "The request cannot be understood"},
    [ERROR_UNAUTHENTICATED] = {401, "Sign-in needed"},
    [ERROR_FORBIDDEN] = {403, "Not allowed"},
    [ERROR_NOT_FOUND] = {404, "Not found"},
    [ERROR_METHOD] = {405, "Method not offered here"},
    [ERROR_CONFLICT] = {409, "Conflicts with the current state"},
    [ERROR_TOO_LARGE] = {413, "Too large"},
    [ERROR_MEDIA_TYPE] = {415, "Media type not accepted"},
    [ERROR_INVALID] = {422, "Not acceptable as it is"},
    [ERROR_TOO_MANY] = {429, "Too many requests"},
    [ERROR_INTERNAL] = {500, "Internal error"},
    [ERROR_UNAVAILABLE] = {503, "Not available at the moment"},
};

int problem_status(enum error_kind kind)
{
    return KINDS[kind].status;
}

static void add_headers(const struct error *error, struct http_response *response)
{
    if (response->status == 401)
        http_header_add(response, "WWW-Authenticate", "Bearer realm=\"flywheel\"");
    if (response->status == 429 || response->status == 503)
        http_header_add(response, "Retry-After", error->retry_after[0] != '\0' ? error->retry_after : "2");
}

static void write_items(struct json_writer *json, const struct error *error)
{
    if (error->kind != ERROR_INVALID)
        return;
    json_open_array(json, "errors");
    for (size_t i = 0; i < error->item_count; i++) {
        json_open_object(json, NULL);
        json_text(json, "pointer", error->items[i].pointer);
        json_text(json, "detail", error->items[i].detail);
        json_close(json);
    }
    json_close(json);
}

void problem_respond(const struct error *error, const char *request_id, struct http_response *response)
{
    char type[96];
    http_response_reset(response);
    response->status = problem_status(error->kind);
    response->content_type = "application/problem+json";
    snprintf(type, sizeof type, "urn:flywheel:problem:%s", error->slug != NULL ? error->slug : "internal");
    struct json_writer json = json_writer_make(&response->body);
    json_open_object(&json, NULL);
    json_text(&json, "type", type);
    json_text(&json, "title", KINDS[error->kind].title);
    json_integer(&json, "status", response->status);
    json_text(&json, "detail", error->detail);
    json_text(&json, "request_id", request_id);
    write_items(&json, error);
    if (error->rule_id[0] != '\0')
        json_text(&json, "rule_id", error->rule_id);
    if (error->rule_status[0] != '\0')
        json_text(&json, "rule_status", error->rule_status);
    json_writer_end(&json);
    add_headers(error, response);
}
