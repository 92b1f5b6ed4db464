/* One HTTP answer: a status, a few headers, and a body that is written into a buffer.
 *
 * Header values are checked: a line break in one would let it forge others, so it is dropped.
 * An answer belongs to one thread. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/crypto.h"
#include "base/slice.h"

enum { HTTP_HEADERS_MAX = 12, HTTP_BODY_CEILING = 16 * 1024 * 1024 };

struct http_header {
    const char *name;
    const char *value;
};

struct http_response {
    int status;
    const char *content_type;
    struct buffer body;
    struct http_header headers[HTTP_HEADERS_MAX];
    unsigned header_count;
    const struct sha256 *identity; /* what the entity tag is made of, borrowed; NULL: the body */
};

/* Back to an empty 200 of type application/json; keeps the body's memory. */
void http_response_reset(struct http_response *response);

/* Adds a header; `value` is borrowed until the answer is sent. Dropped when it has a control character or
 * when there are HTTP_HEADERS_MAX already. */
void http_header_add(struct http_response *response, const char *name, const char *value);

/* Appends the whole answer, headers first, in the form a CGI program prints (RFC 3875 section 6). */
void http_response_print(const struct http_response *response, const char *request_id, bool is_head,
                         struct buffer *out);

/* Gives a 200 its entity tag (RFC 9110 section 8.8.3), of its identity or else a hash of the body, and makes it a 304 without
 * body when the client's If-None-Match names that tag. */
void http_response_condition(struct http_response *response, struct arena *arena, struct slice if_none_match);

#endif
