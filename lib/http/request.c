#include "http/request.h"

#include <strings.h>

#include "base/crypto.h"
#include "http/large.h"

enum { REQUEST_ID_MAX = 64, BODY_CHUNK = 16 * 1024 };

/* Which environment entry fills which member. */
struct entry {
    const char *name;
    size_t offset;
};
#define MEMBER(environment_name, member) {environment_name, offsetof(struct http_request, member)}
static const struct entry ENTRIES[] = {
    MEMBER("REQUEST_METHOD", method),
    MEMBER("QUERY_STRING", query),
    MEMBER("CONTENT_TYPE", content_type),
    MEMBER("CONTENT_LENGTH", content_length),
    MEMBER("REMOTE_ADDR", remote_address),
    MEMBER("REQUEST_SCHEME", scheme),
    MEMBER("HTTP_HOST", host),
    MEMBER("HTTP_ORIGIN", origin),
    MEMBER("HTTP_SEC_FETCH_SITE", sec_fetch_site),
    MEMBER("HTTP_X_CSRF_TOKEN", csrf_token),
    MEMBER("HTTP_X_API_KEY", api_key),
    MEMBER("HTTP_AUTHORIZATION", authorization),
    MEMBER("HTTP_COOKIE", cookie),
    MEMBER("HTTP_IF_NONE_MATCH", if_none_match),
    MEMBER("HTTP_IDEMPOTENCY_KEY", idempotency_key),
};

/* What says which path was asked for, from the most to the least trusted spelling. */
struct path_sources {
    struct slice document_uri;
    struct slice request_uri;
    struct slice script_name;
    struct slice path_info;
    struct slice flywheel_request_id;
    struct slice client_request_id;
};

static bool split_entry(const char *text, struct slice *name, struct slice *value)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL)
        return false;
    *name = (struct slice){text, (size_t)(equals - text)};
    *value = slice_of(equals + 1);
    return true;
}

static void fill_member(struct http_request *request, struct slice name, struct slice value)
{
    for (size_t i = 0; i < COUNT_OF(ENTRIES); i++) {
        if (slice_is(name, ENTRIES[i].name)) {
            /* nginx sends headers that the client left out as empty parameters. */
            struct slice *member = (struct slice *)(void *)((char *)request + ENTRIES[i].offset);
            request->repeated_header |= slice_present(*member) && value.len > 0;
            if (value.len > 0)
                *member = value;
            return;
        }
    }
}

static void fill_source(struct path_sources *sources, struct slice name, struct slice value)
{
    if (value.len == 0)
        return;
    if (slice_is(name, "DOCUMENT_URI"))
        sources->document_uri = value;
    else if (slice_is(name, "REQUEST_URI"))
        sources->request_uri = value;
    else if (slice_is(name, "SCRIPT_NAME"))
        sources->script_name = value;
    else if (slice_is(name, "PATH_INFO"))
        sources->path_info = value;
    else if (slice_is(name, "FLYWHEEL_REQUEST_ID"))
        sources->flywheel_request_id = value;
    else if (slice_is(name, "HTTP_X_REQUEST_ID"))
        sources->client_request_id = value;
}

static struct slice choose_path(struct arena *arena, const struct path_sources *sources)
{
    if (slice_present(sources->document_uri))
        return sources->document_uri;
    if (slice_present(sources->request_uri)) {
        const char *question = memchr(sources->request_uri.ptr, '?', sources->request_uri.len);
        size_t len = question != NULL ? (size_t)(question - sources->request_uri.ptr) : sources->request_uri.len;
        return (struct slice){sources->request_uri.ptr, len};
    }
    if (slice_present(sources->path_info) || slice_present(sources->script_name))
        return slice_of(arena_printf(arena, "%s%s", slice_present(sources->script_name) ? sources->script_name.ptr : "",
                                     slice_present(sources->path_info) ? sources->path_info.ptr : ""));
    return SLICE_ABSENT;
}

static bool good_request_id(struct slice id)
{
    if (id.len == 0 || id.len > REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", id.ptr[i]) == NULL)
            return false;
    return true;
}

static const char *choose_request_id(struct arena *arena, const struct path_sources *sources)
{
    if (good_request_id(sources->flywheel_request_id))
        return sources->flywheel_request_id.ptr;
    if (good_request_id(sources->client_request_id))
        return sources->client_request_id.ptr;
    return uuid_text(arena);
}

void http_request_fill(struct http_request *request, char *const *environment)
{
    struct path_sources sources = {0};
    for (size_t i = 0; environment[i] != NULL; i++) {
        struct slice name, value;
        if (!split_entry(environment[i], &name, &value))
            continue;
        fill_member(request, name, value);
        fill_source(&sources, name, value);
    }
    request->path = choose_path(request->arena, &sources);
    request->request_id = choose_request_id(request->arena, &sources);
    request->is_head = slice_is(request->method, "HEAD");
    if (request->is_head)
        request->method = SLICE("GET");
}

/* Room for a body of the length that was announced and one byte more, which shows that there is no more; a chunk when the
 * length is not known or cannot be. */
static size_t first_room(const struct http_request *request, size_t limit)
{
    size_t length = 0;
    for (size_t i = 0; i < request->content_length.len; i++) {
        char digit = request->content_length.ptr[i];
        if (digit < '0' || digit > '9' || length > limit)
            return BODY_CHUNK;
        length = length * 10 + (size_t)(digit - '0');
    }
    return length > 0 && length <= limit ? length + 1 : BODY_CHUNK;
}

/* Where the announced length is wrong, the room grows by doubling. */
bool http_body(struct http_request *request, size_t limit, struct slice *body, struct error *error)
{
    size_t room = first_room(request, limit), length = 0;
    char *bytes = arena_alloc(request->arena, room);
    for (;;) {
        size_t got = request->source->read(request->source->context, bytes + length, room - length);
        length += got;
        if (length > limit)
            return error_set(error, ERROR_TOO_LARGE, "too-large", "The body may have at most %zu bytes.", limit);
        if (length < room)
            break;
        char *larger = arena_alloc(request->arena, room * 2);
        memcpy(larger, bytes, length);
        bytes = larger;
        room *= 2;
    }
    if (request->source->broken)
        return error_set(error, ERROR_MALFORMED, "malformed", "The body broke off; send the request again.");
    *body = (struct slice){bytes, length};
    request->large = length > LARGE_BODY;
    if (request->large)
        large_enter();
    return true;
}

struct slice http_cookie(const struct http_request *request, const char *name)
{
    struct slice rest = request->cookie, found = SLICE_ABSENT;
    size_t name_len = strlen(name);
    while (slice_present(rest) && rest.len > 0) {
        const char *semicolon = memchr(rest.ptr, ';', rest.len);
        size_t len = semicolon != NULL ? (size_t)(semicolon - rest.ptr) : rest.len;
        struct slice pair = slice_trim((struct slice){rest.ptr, len});
        if (slice_starts_with(pair, name) && pair.len > name_len && pair.ptr[name_len] == '=') {
            if (slice_present(found))
                return SLICE_ABSENT;
            found = (struct slice){pair.ptr + name_len + 1, pair.len - name_len - 1};
        }
        len += semicolon != NULL;
        rest = (struct slice){rest.ptr + len, rest.len - len};
    }
    return found;
}

bool http_is_json(const struct http_request *request)
{
    static const char wanted[] = "application/json";
    size_t len = sizeof wanted - 1;
    struct slice type = request->content_type;
    if (type.len < len || strncasecmp(type.ptr, wanted, len) != 0)
        return false;
    return type.len == len || strchr("; \t", type.ptr[len]) != NULL;
}
