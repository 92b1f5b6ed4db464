#include "cgi/service.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/config.h"
#include "base/crypto.h"
#include "base/log.h"
#include "cgi/build_id.h"
#include "http/credentials.h"
#include "http/cursor.h"
#include "http/problem.h"
#include "http/server.h"
#include "promotion/key_usage.h"

enum { THREADS_DEFAULT = 4, THREADS_MAX = 64, PATH_SIZE = 4096 };

struct service {
    const struct program *program;
    struct database *database;
    struct key_usage *key_usage;
};

/* ---- one request ---------------------------------------------------------------------------------------------- */

static enum scope scope_of(enum endpoint_access access)
{
    switch (access) {
    case ACCESS_DECIDE:
        return SCOPE_DECIDE;
    case ACCESS_USER:
        return SCOPE_USER;
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
        return input_document(call->arena, call->body, &call->inputs, call->error);
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

static void handle(struct http_request *request, struct http_response *response, void *argument)
{
    const struct service *service = argument;
    uint64_t started = now_us();
    struct call *call = arena_alloc(request->arena, sizeof *call);
    call->request = request;
    call->response = response;
    call->arena = request->arena;
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
    struct buffer scope = buffer_make(16 * 1024);
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

/* ---- main -------------------------------------------------------------------------------------------------------- */

struct options {
    const char *config_path;
    const char *socket_path;
    bool check, build_id, describe;
};

static bool parse_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            options->check = true;
        else if (strcmp(argv[i], "--build-id") == 0)
            options->build_id = true;
        else if (strcmp(argv[i], "--describe") == 0)
            options->describe = true;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            options->config_path = argv[++i];
        else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
            options->socket_path = argv[++i];
        else
            return false;
    }
    return true;
}

/* --config, $FLYWHEEL_CONFIG, ../etc/flywheel.conf beside the program, /etc/flywheel/flywheel.conf: the first that is
 * named, or that exists. */
static const char *find_config(const struct options *options, char path[PATH_SIZE])
{
    if (options->config_path != NULL)
        return options->config_path;
    const char *named = getenv("FLYWHEEL_CONFIG");
    if (named != NULL && *named != '\0')
        return named;
    char program[PATH_SIZE / 2];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash != NULL) {
            *slash = '\0';
            snprintf(path, PATH_SIZE, "%s/../etc/flywheel.conf", program);
            if (access(path, R_OK) == 0)
                return path;
        }
    }
    return "/etc/flywheel/flywheel.conf";
}

static int complain(const char *why)
{
    log_event(LOG_ERROR, "configuration", "%s", why);
    return 1;
}

/* Tells the supervisor that the self-check went well and serving begins. */
static void say_ready(void)
{
    const char *text = getenv("FLYWHEEL_READY_FD");
    long fd = text != NULL ? strtol(text, NULL, 10) : 0;
    if (fd <= STDERR_FILENO || fd > INT_MAX)
        return;
    dprintf((int)fd, "ready %s\n", build_id());
    close((int)fd);
    unsetenv("FLYWHEEL_READY_FD");
}

static bool self_check(struct service *service)
{
    struct error error = {0};
    struct arena *arena = arena_new(HTTP_ARENA_LIMIT);
    bool good = db_check(service->database, arena, &error);
    arena_free(arena);
    if (!good)
        log_event(LOG_ERROR, "self-check", "%s", error.detail);
    return good;
}

static int serve(struct service *service, const struct options *options, unsigned threads)
{
    bool inherited = http_is_listening(STDIN_FILENO);
    if (!inherited && options->socket_path == NULL && getenv("REQUEST_METHOD") != NULL)
        return http_serve_cgi(handle, service);
    if (getenv("FLYWHEEL_READY_FD") != NULL && !self_check(service))
        return 1;
    int fd = inherited ? STDIN_FILENO : options->socket_path != NULL ? http_listen(options->socket_path) : -1;
    if (fd < 0)
        return complain("no listening socket on descriptor 0; give --socket PATH, or a CGI environment");
    say_ready();
    log_event(LOG_INFO, "serving", "build %s, %u threads", build_id(), threads);
    return http_server_run(fd, threads, handle, service);
}

static int start(const struct program *program, const struct options *options)
{
    char path[PATH_SIZE], why[512];
    enum log_level level = LOG_INFO;
    long threads;
    struct config *config = config_load(find_config(options, path), why, sizeof why);
    if (config == NULL)
        return complain(why);
    const char *conninfo = config_get(config, program->database, NULL);
    int result = 1;
    if (conninfo == NULL)
        complain("the configuration lacks the database login of this program");
    else if (!log_level_by_name(config_get(config, "log_level", "info"), &level))
        complain("log_level must be debug, info, warning or error");
    else if (!config_get_number(config, "threads", 1, THREADS_MAX, THREADS_DEFAULT, &threads))
        complain("threads must be a number from 1 to 64");
    else {
        log_start(program->name, level);
        struct service service = {program, database_new(conninfo, program->name, (unsigned)threads), NULL};
        if (!options->check)
            service.key_usage = key_usage_start(config_get(config, "database_account", NULL));
        result = options->check ? !self_check(&service) : serve(&service, options, (unsigned)threads);
        key_usage_stop(service.key_usage);
        database_free(service.database);
    }
    config_free(config);
    return result;
}

static int describe(const struct program *program)
{
    struct buffer text = buffer_make(1024 * 1024);
    endpoint_describe(program->endpoints, program->endpoint_count, &text);
    printf("%.*s\n", (int)text.len, text.bytes);
    buffer_free(&text);
    return 0;
}

int service_main(int argc, char **argv, const struct program *program)
{
    struct options options = {0};
    log_start(program->name, LOG_INFO);
    if (!parse_options(argc, argv, &options)) {
        fprintf(stderr, "usage: %s [--config FILE] [--socket PATH] [--check] [--build-id] [--describe]\n",
                program->name);
        return 2;
    }
    if (options.build_id)
        return printf("%s\n", build_id()) < 0;
    if (options.describe)
        return describe(program);
    http_block_signals();
    if (!crypto_start())
        return complain("no source of randomness");
    return start(program, &options);
}
