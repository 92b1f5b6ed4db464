/* A request's environment, entry by entry (`NAME=value`), and what is read from it: path, request id, cookies,
 * credentials, origin, entity tag. */
#include <strings.h>

#include "base/crypto.h"
#include "fuzz.h"
#include "http/credentials.h"
#include "http/endpoint.h"
#include "http/request.h"
#include "http/response.h"

enum { ENTRIES_MAX = 40 };

static const struct endpoint ENDPOINTS[] = {
    {.operation = "list", .method = "GET", .path = "/api/partners/me/learning/candidates"},
    {.operation = "one", .method = "GET", .path = "/api/partners/me/learning/candidates/{id}"},
    {.operation = "approve", .method = "POST", .path = "/api/partners/me/learning/candidates/{id}/approve"},
};

static char **take_environment(struct arena *arena, struct slice input)
{
    char **environment = arena_array(arena, ENTRIES_MAX + 1, sizeof *environment);
    for (size_t i = 0; i < ENTRIES_MAX && input.len > 0; i++)
        environment[i] = arena_text(arena, fuzz_take(&input));
    return environment;
}

static void check_request_id(const char *id)
{
    size_t good = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    MUST(good > 0 && good <= 64 && id[good] == '\0');
}

static void check_path(const struct http_request *request)
{
    struct slice id;
    struct buffer allow = buffer_make(4096);
    const struct endpoint *endpoint =
        endpoint_find(ENDPOINTS, COUNT_OF(ENDPOINTS), request->method, request->path, &id, &allow);
    if (endpoint != NULL) {
        MUST(slice_is(request->method, endpoint->method) && slice_present(request->path));
        MUST((strstr(endpoint->path, "{id}") != NULL) == slice_present(id));
        MUST(!slice_present(id) || (id.len > 0 && memchr(id.ptr, '/', id.len) == NULL));
    }
    buffer_free(&allow);
}

/* A cookie by another way: names and values of the header one by one. */
static void check_cookie(const struct http_request *request)
{
    struct slice found = http_cookie(request, SESSION_COOKIE), expected = SLICE_ABSENT, rest = request->cookie;
    size_t times = 0;
    while (slice_present(rest) && rest.len > 0) {
        size_t len = strcspn(rest.ptr, ";");
        struct slice pair = slice_trim((struct slice){rest.ptr, len});
        const char *equals = memchr(pair.ptr, '=', pair.len);
        if (equals != NULL && slice_equal((struct slice){pair.ptr, (size_t)(equals - pair.ptr)}, SLICE(SESSION_COOKIE))) {
            expected = (struct slice){equals + 1, pair.len - (size_t)(equals + 1 - pair.ptr)};
            times++;
        }
        len += rest.ptr[len] == ';';
        rest = (struct slice){rest.ptr + len, rest.len - len};
    }
    MUST(times == 1 ? slice_equal(found, expected) : !slice_present(found));
}

/* A browser's write without any proof of its origin is never let through. */
static void check_origin(struct arena *arena, const struct http_request *request)
{
    struct error error;
    error_clear(&error);
    bool allowed = http_same_origin(request, &error);
    bool cookie = slice_present(http_cookie(request, SESSION_COOKIE));
    bool foreign = slice_present(request->sec_fetch_site) && !slice_is(request->sec_fetch_site, "same-origin");
    bool silent = !slice_present(request->sec_fetch_site) && !slice_present(request->origin);
    if (cookie && !slice_present(request->api_key) && !slice_present(request->csrf_token) && (foreign || silent))
        MUST(!allowed);
    if (!allowed) {
        MUST(error.kind == ERROR_FORBIDDEN);
        fuzz_check_error(arena, &error);
    }
}

static void check_credentials(const struct http_request *request)
{
    struct http_credentials credentials;
    http_credentials_read(request, &credentials);
    MUST(credentials.has_key == slice_present(request->api_key));
    MUST(!credentials.has_session || http_cookie(request, SESSION_COOKIE).len > 0);
    MUST(!credentials.has_token || (request->authorization.len > 7 && strncasecmp(request->authorization.ptr, "bearer ", 7) == 0));
}

/* Nothing that the client sent adds a line to the headers of the answer. */
static void check_answer(struct arena *arena, const struct http_request *request)
{
    struct http_response response = {.body = buffer_make(4096)};
    struct buffer out = buffer_make(1 << 20);
    http_response_reset(&response);
    buffer_append_text(&response.body, "{}");
    http_header_add(&response, "Location", arena_text(arena, slice_present(request->path) ? request->path : SLICE("")));
    http_response_condition(&response, arena, request->if_none_match);
    http_response_print(&response, request->request_id, request->is_head, &out);
    const char *text = arena_text(arena, buffer_slice(&out)), *end = strstr(text, "\r\n\r\n");
    MUST(end != NULL && out.len == strlen(text));
    size_t lines = 1, expected = 3 + response.header_count + (response.status == 200 ? 2 : 0);
    for (const char *at = text; (at = strstr(at, "\r\n")) != end; at += 2)
        lines++;
    MUST(lines == expected);
    MUST(strcmp(end + 4, response.status == 200 && !request->is_head ? "{}" : "") == 0);
    buffer_free(&response.body);
    buffer_free(&out);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct http_request request = {.arena = arena};
    (void)is_uuid(input);
    http_request_fill(&request, take_environment(arena, input));
    check_request_id(request.request_id);
    MUST(!request.is_head || slice_is(request.method, "GET"));
    MUST(!http_is_json(&request) || strncasecmp(request.content_type.ptr, "application/json", 16) == 0);
    check_path(&request);
    check_cookie(&request);
    check_credentials(&request);
    check_origin(arena, &request);
    check_answer(arena, &request);
}
