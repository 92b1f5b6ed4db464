#include "cgi/service.h"

#include <time.h>

#include "base/crypto.h"
#include "base/log.h"
#include "http/credentials.h"
#include "http/cursor.h"
#include "http/problem.h"

enum { SCOPE_CEILING = 16 * 1024 };

/* ---- one request ---------------------------------------------------------------------------------------------- */

static enum scope scope_of(enum endpoint_access access)
{
    switch (access) {
    case ACCESS_DECIDE:
        return SCOPE_DECIDE;
    case ACCESS_ADMIN:
        return SCOPE_ADMIN;
    case ACCESS_USER:
        return SCOPE_USER;
    case ACCESS_SESSION:
        return SCOPE_SESSION;
    case ACCESS_AGENT:
        return SCOPE_AGENT;
    default:
        return SCOPE_READ;
    }
}

/* The session as the database will check it: hashes of what was sent. */
static void open_session(struct call *call, struct database *database)
{
    struct http_credentials credentials;
    bool agent = call->endpoint->access == ACCESS_AGENT;
    http_credentials_read(call->request, &credentials);
    call->session = (struct session){
        .database = database,
        .arena = call->arena,
        .request_id = call->request->request_id,
        .needed = scope_of(call->endpoint->access),
        .key_hash = credentials.has_key && !agent ? bytea_text(call->arena, &credentials.key) : NULL,
        .session_hash = credentials.has_session && !agent ? bytea_text(call->arena, &credentials.session) : NULL,
        .token_hash = credentials.has_token ? bytea_text(call->arena, &credentials.token) : NULL,
    };
}

/* An appliance sends a refused report again for ever, so what its writer got wrong in the text is mended if it can be. */
static bool read_document(struct call *call)
{
    if (input_document(call->arena, call->body, &call->inputs, call->error))
        return true;
    if (call->error->kind != ERROR_MALFORMED)
        return false;
    error_clear(call->error);
    return input_document(call->arena, json_mend(call->arena, call->body), &call->inputs, call->error);
}

static bool read_body(struct call *call)
{
    const struct endpoint *endpoint = call->endpoint;
    if (endpoint->body == BODY_NONE)
        return true;
    if (!http_body(call->request, endpoint->body_limit, &call->body, call->error))
        return false;
    if (call->body.len > 0 && !http_is_json(call->request))
        return error_set(call->error, ERROR_MEDIA_TYPE, "not-json", "Send the body as Content-Type: application/json.");
    if (endpoint->body == BODY_OPEN)
        return read_document(call);
    return input_body(call->arena, call->body, &call->inputs, call->error);
}

static bool is_write(const struct call *call)
{
    return !slice_is(call->request->method, "GET");
}

static bool prepare(struct call *call, struct database *database)
{
    const struct endpoint *endpoint = call->endpoint;
    call->inputs = (struct inputs){.query = endpoint->query,
                                   .query_count = endpoint->query_count,
                                   .body = endpoint->members,
                                   .body_count = endpoint->member_count};
    if (call->request->repeated_header)
        return error_set(call->error, ERROR_MALFORMED, "repeated-header",
                         "A header that may be sent once was sent more than once.");
    open_session(call, database);
    if (is_write(call) && !http_same_origin(call->request, call->error))
        return false;
    return input_query(call->arena, call->request->query, &call->inputs, call->error) && read_body(call);
}

static bool find_endpoint(struct call *call, const struct program *program)
{
    struct buffer allow = buffer_make(256);
    call->endpoint = endpoint_find(program->endpoints, program->endpoint_count, call->request->method,
                                   call->request->path, &call->id, &allow);
    const char *methods = arena_text(call->arena, buffer_slice(&allow));
    buffer_free(&allow);
    if (call->endpoint != NULL)
        return true;
    if (*methods == '\0')
        return error_set(call->error, ERROR_NOT_FOUND, "not-found", "There is nothing at this address.");
    http_header_add(call->response, "Allow", methods);
    return error_set(call->error, ERROR_METHOD, "method-not-allowed", "This address offers %s.", methods);
}

static void respond_with_problem(struct call *call)
{
    struct http_header allow = call->response->headers[0];
    bool has_allow = call->error->kind == ERROR_METHOD && call->response->header_count > 0;
    problem_respond(call->error, call->request->request_id, call->response);
    if (has_allow)
        http_header_add(call->response, allow.name, allow.value);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void write_log(const struct call *call, uint64_t started)
{
    const struct principal *principal = &call->session.principal;
    const struct log_request line = {
        .request_id = call->request->request_id,
        .operation = call->endpoint != NULL ? call->endpoint->operation : "none",
        .method = arena_text(call->arena, call->request->method),
        .partner = arena_text(call->arena, principal->partner_id),
        .actor = arena_text(call->arena, principal->kind),
        .problem = call->error->kind != ERROR_NONE ? call->error->slug : NULL,
        .status = call->response->status,
        .duration_us = now_us() - started,
        .bytes = call->response->body.len,
    };
    log_request(&line);
}

void service_handle(struct http_request *request, struct http_response *response, void *argument)
{
    const struct service *service = argument;
    uint64_t started = now_us();
    struct call *call = arena_alloc(request->arena, sizeof *call);
    call->request = request;
    call->response = response;
    call->arena = request->arena;
    call->own = service->own;
    call->error = arena_alloc(request->arena, sizeof *call->error);
    bool served = find_endpoint(call, service->program) && prepare(call, service->database) &&
                  call->endpoint->serve(call);
    if (served && !buffer_ok(&response->body))
        served = error_set(call->error, ERROR_INTERNAL, "answer-too-large", "The answer is too large; ask for less.");
    if (!served)
        respond_with_problem(call);
    else if (!is_write(call))
        http_response_condition(response, request->arena, request->if_none_match);
    key_usage_note(service->key_usage, call->session.principal.key_id);
    write_log(call, started);
}

/* ---- what endpoints use ------------------------------------------------------------------------------------------ */

struct json_writer call_answer(struct call *call)
{
    struct json_writer json = json_writer_make(&call->response->body);
    json_open_object(&json, NULL);
    return json;
}

struct json_writer change_answer(struct answer *answer)
{
    struct json_writer json = json_writer_make(answer->body);
    json_open_object(&json, NULL);
    return json;
}

static void render_refusal(const struct error *error, const char *request_id, struct answer *answer)
{
    struct http_response problem = {.body = buffer_make(HTTP_BODY_CEILING)};
    problem_respond(error, request_id, &problem);
    answer->status = problem.status;
    answer->content_type = problem.content_type;
    buffer_append(answer->body, buffer_slice(&problem.body));
    buffer_free(&problem.body);
}

static bool read_idempotency_key(struct call *call, struct idempotency *idempotency)
{
    struct slice key = call->request->idempotency_key;
    idempotency->key = key;
    if (!slice_present(key))
        return true;
    if (key.len > 255 || !slice_is_utf8(key) || slice_has_control(key, false))
        return error_set(call->error, ERROR_MALFORMED, "bad-idempotency-key",
                         "An Idempotency-Key has 1 to 255 characters without control characters.");
    struct slice query = slice_present(call->request->query) ? call->request->query : SLICE("");
    struct slice body = slice_present(call->body) ? call->body : SLICE("");
    const struct slice parts[] = {call->request->method, call->request->path, query, body};
    struct sha256 hash = sha256_of_parts(parts, COUNT_OF(parts));
    idempotency->request_hash = bytea_text(call->arena, &hash);
    idempotency->seal = http_sealing_key(call->request);
    return true;
}

bool call_change(struct call *call, change_work *work, void *argument)
{
    struct idempotency idempotency = {0};
    struct answer answer = {.body = &call->response->body};
    if (!read_idempotency_key(call, &idempotency) ||
        !change_run(&call->session, &idempotency, work, argument, render_refusal, &answer, call->error))
        return false;
    call->response->status = answer.status;
    call->response->content_type = answer.content_type;
    if (answer.replayed)
        http_header_add(call->response, "Idempotent-Replayed", "true");
    return true;
}

const char *call_scope(struct call *call, const char *name)
{
    struct buffer scope = buffer_make(SCOPE_CEILING);
    buffer_append_text(&scope, name);
    for (size_t i = 0; i < call->inputs.query_count; i++) {
        const struct input_value *value = &call->inputs.query_values[i];
        const char *input = call->inputs.query[i].name;
        if (!value->present || strcmp(input, "limit") == 0 || strcmp(input, "cursor") == 0)
            continue;
        buffer_append_format(&scope, "\n%s=%.*s%s", input, (int)value->text.len, value->text.ptr,
                             value->truth ? "true" : "");
    }
    const char *text = arena_text(call->arena, buffer_slice(&scope));
    buffer_free(&scope);
    return text;
}

bool call_page(struct call *call, const char *scope, size_t keys, struct page *page)
{
    struct slice cursor = query_text(&call->inputs, "cursor");
    page->limit = (unsigned)query_integer(&call->inputs, "limit", 50);
    page->after_count = slice_present(cursor) ? keys : 0;
    return page->after_count == 0 ||
           cursor_read(call->arena, cursor, slice_of(scope), page->after, keys, call->error);
}

void call_end_list(struct call *call, struct json_writer *json, const struct list *list, const char *scope,
                   const struct slice *last, size_t keys)
{
    json_integer(json, "total", list->total);
    json_bool(json, "total_is_exact", list->total_is_exact);
    json_text(json, "next_cursor", list->more ? cursor_make(call->arena, slice_of(scope), last, keys) : NULL);
    json_writer_end(json);
}
