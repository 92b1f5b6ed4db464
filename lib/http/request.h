/* One HTTP request, as the gateway handed it over by FastCGI or by the CGI environment (RFC 3875).
 *
 * All text is borrowed and lives until the answer has been sent. Absent headers are absent slices.
 * A request belongs to one thread. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

struct http_request {
    struct arena *arena;
    struct slice method;
    bool is_head; /* HEAD is served as GET; the answer's body is left out at the end */
    struct slice path; /* decoded by the gateway, without query */
    struct slice query;
    struct slice content_type;
    struct slice content_length; /* as the client said, or absent; only a hint */
    struct slice remote_address;
    struct slice scheme;
    const char *request_id; /* the client's if it was acceptable, else a new one; never NULL */
    struct slice host;
    struct slice origin;
    struct slice sec_fetch_site;
    struct slice csrf_token;
    struct slice api_key;
    struct slice authorization;
    struct slice cookie;
    struct slice if_none_match;
    struct slice idempotency_key;
    bool repeated_header; /* one of the above was sent more than once: which one counts cannot be told */
    bool large; /* the body is: the request has its turn among such (http/large.h) */
    /* Reads the body to its end into the arena, once; use http_body. */
    struct http_body_source *source;
};

/* Where the bytes of a body come from. `read` returns how many bytes it stored: fewer than there is room for at the end,
 * or when the body breaks off, and then it sets `broken`. */
struct http_body_source {
    size_t (*read)(void *context, char *to, size_t room);
    void *context;
    bool broken;
};

/* Fills the request from environment entries (`NAME=value`, ended by NULL). Each name is looked at once.
 * Text is borrowed from `environment`. */
void http_request_fill(struct http_request *request, char *const *environment);

/* The body, at most `limit` bytes; more is ERROR_TOO_LARGE, one that breaks off is ERROR_MALFORMED. Waits for its turn when
 * it is a large one. What is not read here is drained by the server before the connection is used again. */
bool http_body(struct http_request *request, size_t limit, struct slice *body, struct error *error) MUST_USE;

/* The value of a cookie by exact name (RFC 6265 section 4.2); absent when it was not sent, and when it was
 * sent more than once: which of the two is genuine cannot be told. */
struct slice http_cookie(const struct http_request *request, const char *name);

/* Media type `application/json`, parameters allowed. */
bool http_is_json(const struct http_request *request);

#endif
