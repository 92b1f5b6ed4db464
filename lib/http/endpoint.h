/* Endpoints as data: method, path, who may call, and what may be sent.
 *
 * A program declares its endpoints in one table. The table routes requests, checks input (http/input.h), is
 * printed by `--describe`, and so is the one place where an endpoint is defined in code. */
#ifndef HTTP_ENDPOINT_H
#define HTTP_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "http/input.h"
#include "http/request.h"

enum endpoint_access {
    ACCESS_PUBLIC, /* no sign-in */
    ACCESS_READ,   /* a partner's key or session that may read */
    ACCESS_DECIDE, /* a partner's key or session that may decide; a write */
    ACCESS_ADMIN,  /* a partner's key or session that may all */
    ACCESS_USER,   /* a signed-in person, whatever the role */
    ACCESS_SESSION, /* the same, by the session's cookie and not by a key */
    ACCESS_AGENT,  /* an appliance's token */
};

enum endpoint_body {
    BODY_NONE,
    BODY_CLOSED, /* JSON object of the declared members only */
    BODY_OPEN,   /* JSON object that the endpoint reads itself, unknown members ignored */
};

struct call; /* a request on its way through a program; see cgi/service.h */

struct endpoint {
    const char *operation; /* operationId in the API description */
    const char *method;
    const char *path; /* `{id}` stands for one segment */
    enum endpoint_access access;
    enum endpoint_body body;
    size_t body_limit; /* bytes */
    const struct input *query;
    size_t query_count;
    const struct input *members;
    size_t member_count;
    /* Does the work and fills the answer; false when call_error says why not. */
    bool (*serve)(struct call *call);
};

/* The endpoint for a request. When the path fits and the method does not, returns NULL and puts the
 * methods that would do into `allow` (a buffer; empty when the path fits nothing). `id` gets what stood in place of
 * `{id}`. */
const struct endpoint *endpoint_find(const struct endpoint *table, size_t count, struct slice method, struct slice path,
                                     struct slice *id, struct buffer *allow);

/* The table as JSON, for `--describe`. */
void endpoint_describe(const struct endpoint *table, size_t count, struct buffer *out);

#endif
