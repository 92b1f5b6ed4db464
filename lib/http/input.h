/* Typed input: what an endpoint accepts, declared once as data.
 *
 * An endpoint lists its query parameters and the members of its JSON body as tables of struct input. Requests are
 * checked against the tables before the handler runs, so a handler only ever sees values of the declared
 * type and within the declared bounds. The same tables are printed by `--describe`, against which the API
 * description is tested.
 *
 * Query parameters that are unknown, repeated or out of bounds are ERROR_MALFORMED; members of a closed
 * body that are unknown or out of bounds are ERROR_INVALID with a pointer to each; text that is not JSON is
 * ERROR_MALFORMED. */
#ifndef HTTP_INPUT_H
#define HTTP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/json.h"
#include "base/slice.h"

enum input_type {
    INPUT_NAME,    /* one line of text, trimmed; bounds in code points after trimming */
    INPUT_PROSE,   /* text with line breaks, trimmed; likewise */
    INPUT_SECRET,  /* text taken as it is: passwords */
    INPUT_INTEGER, /* whole number; bounds are its own */
    INPUT_BOOLEAN, /* `true` or `false` */
    INPUT_CHOICE,  /* one of `choices` */
    INPUT_CHOICES, /* in bodies: a list of some of `choices`, none twice; bounds are its length */
};

struct input {
    const char *name;
    enum input_type type;
    bool required;
    long lowest;  /* smallest value or shortest length */
    long highest; /* largest value or longest length */
    const char *const *choices; /* for INPUT_CHOICE and INPUT_CHOICES, ended by NULL; at most 32 */
};

/* The value of one input after checking; which member counts depends on the type. */
struct input_value {
    bool present;
    struct slice text;
    long integer;
    bool truth;
    uint32_t chosen; /* bit i: choices[i] */
};

enum { INPUTS_MAX = 16 };

/* The checked values of a request: of the query, then of the body. */
struct inputs {
    const struct input *query;
    size_t query_count;
    const struct input *body;
    size_t body_count;
    struct input_value query_values[INPUTS_MAX];
    struct input_value body_values[INPUTS_MAX];
    const struct json *document; /* the whole body, for endpoints that read it themselves; NULL without one */
};

/* Checks and stores the query string. */
bool input_query(struct arena *arena, struct slice query, struct inputs *inputs, struct error *error) MUST_USE;

/* Parses the body and checks its members. An empty body counts as `{}` when no member is required. */
bool input_body(struct arena *arena, struct slice body, struct inputs *inputs, struct error *error) MUST_USE;

/* Parses a body that must be a JSON object, without looking at its members. */
bool input_document(struct arena *arena, struct slice body, struct inputs *inputs, struct error *error) MUST_USE;

/* Values by name, of the query and of the body. Absent: the absent slice, or `otherwise`. */
struct slice query_text(const struct inputs *inputs, const char *name);
long query_integer(const struct inputs *inputs, const char *name, long otherwise);
struct slice body_text(const struct inputs *inputs, const char *name);
bool body_bool(const struct inputs *inputs, const char *name, bool otherwise);
long body_integer(const struct inputs *inputs, const char *name, long otherwise);

/* What an INPUT_CHOICES has: its choices in the order of their declaration, separated by commas. In the arena. */
const char *body_choices(const struct inputs *inputs, struct arena *arena, const char *name);

/* Decodes %XX and `+` (application/x-www-form-urlencoded). Absent when the text is malformed, is not UTF-8
 * or holds a NUL. */
struct slice form_decode(struct arena *arena, struct slice text);

#endif
