#include "http/response.h"

#include <string.h>

#include "base/crypto.h"

void http_response_reset(struct http_response *response)
{
    buffer_clear(&response->body);
    response->status = 200;
    response->content_type = "application/json";
    response->header_count = 0;
    response->identity = NULL;
}

void http_header_add(struct http_response *response, const char *name, const char *value)
{
    for (const char *c = value; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return;
    if (response->header_count < HTTP_HEADERS_MAX)
        response->headers[response->header_count++] = (struct http_header){name, value};
}

/* RFC 9110 section 15; for those who read along. */
static const char *reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},           {201, "Created"},   {202, "Accepted"},           {304, "Not Modified"},
        {400, "Bad Request"},  {401, "Unauthorized"}, {403, "Forbidden"},       {404, "Not Found"},
        {405, "Method Not Allowed"}, {409, "Conflict"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"}, {429, "Too Many Requests"}, {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };
    for (size_t i = 0; i < COUNT_OF(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

void http_response_print(const struct http_response *response, const char *request_id, bool is_head,
                         struct buffer *out)
{
    bool has_body = response->status != 304 && response->status != 204;
    buffer_append_format(out, "Status: %d %s\r\nX-Request-Id: %s\r\nCache-Control: private, no-cache\r\n", response->status,
                         reason_phrase(response->status), request_id);
    for (unsigned i = 0; i < response->header_count; i++)
        buffer_append_format(out, "%s: %s\r\n", response->headers[i].name, response->headers[i].value);
    if (has_body)
        buffer_append_format(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", response->content_type,
                             response->body.len);
    buffer_append_text(out, "\r\n");
    if (has_body && !is_head)
        buffer_append(out, buffer_slice(&response->body));
}

/* Whether a list of entity tags names `tag`; comparison is weak (RFC 9110 section 13.1.2). */
static bool names_tag(struct slice list, const char *tag)
{
    if (!slice_present(list))
        return false;
    if (slice_is(list, "*"))
        return true;
    size_t len = strlen(tag);
    for (size_t i = 0; i + len <= list.len; i++)
        if (memcmp(list.ptr + i, tag, len) == 0)
            return true;
    return false;
}

void http_response_condition(struct http_response *response, struct arena *arena, struct slice if_none_match)
{
    if (response->status != 200 || !buffer_ok(&response->body))
        return;
    struct sha256 hash = response->identity != NULL ? *response->identity : sha256_of(buffer_slice(&response->body));
    /* Weak, because the gateway may compress the answer; the quotes are part of the tag. */
    char *tag = arena_printf(arena, "\"%.22s\"", hex_text(arena, hash.bytes, 11));
    http_header_add(response, "ETag", arena_printf(arena, "W/%s", tag));
    if (names_tag(if_none_match, tag)) {
        response->status = 304;
        buffer_clear(&response->body);
    }
}
