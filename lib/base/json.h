/* JSON in and out.
 *
 * Out: an append writer that renders straight into a buffer. It knows which objects and arrays are
 * open, so commas and closing brackets take care of themselves; json_writer_end closes what is
 * open.
 *
 * In: cJSON reads, but accepts much that JSON (RFC 8259) forbids; json_parse checks the text first,
 * so that nothing behind it meets trailing text, duplicate members, `01`, raw control characters,
 * invalid UTF-8, a NUL in a string or bottomless nesting. cJSON's names appear nowhere outside this
 * module: the readers below look members up by exact name.
 *
 * A writer or a document belongs to one thread at a time. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/slice.h"

/* ---- writing --------------------------------------------------------------------------------- */

enum { JSON_DEPTH = 80 }; /* so that json_copy of any parsed document fits into a few scopes */

struct json_writer {
    struct buffer *out;
    unsigned depth;
    char closers[JSON_DEPTH]; /* '}' or ']' of each open scope */
    bool need_comma[JSON_DEPTH + 1];
};

/* A writer that appends to `out`, which must outlive it. Failures (ceiling, nesting deeper than
 * JSON_DEPTH) show in buffer_ok(out). */
struct json_writer json_writer_make(struct buffer *out);

/* `name` is the member's name inside an object, NULL inside an array or at the top. */
void json_open_object(struct json_writer *writer, const char *name);
void json_open_array(struct json_writer *writer, const char *name);
void json_close(struct json_writer *writer);
void json_writer_end(struct json_writer *writer);

void json_string(struct json_writer *writer, const char *name,
                 struct slice value);                                            /* absent: null */
void json_text(struct json_writer *writer, const char *name, const char *value); /* NULL: null */
void json_integer(struct json_writer *writer, const char *name, int64_t value);
void json_bool(struct json_writer *writer, const char *name, bool value);
void json_null(struct json_writer *writer, const char *name);

/* A number by its text as PostgreSQL prints it; absent, NaN and infinities become null. */
void json_number(struct json_writer *writer, const char *name, struct slice digits);

/* A boolean by PostgreSQL's text `t` or `f`; absent becomes null. */
void json_pg_bool(struct json_writer *writer, const char *name, struct slice value);

/* A time stamp as PostgreSQL prints it with DateStyle ISO and time zone UTC
 * (`2026-01-02 03:04:05.678+00`), rendered by RFC 3339 with `Z`; absent becomes null. */
void json_pg_time(struct json_writer *writer, const char *name, struct slice value);

/* Text that is JSON already (from json or jsonb columns); absent becomes null. */
void json_raw(struct json_writer *writer, const char *name, struct slice json);

/* ---- reading --------------------------------------------------------------------------------- */

/* A value inside a parsed document. NULL stands for "no such member" in all readers. */
struct json;

enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

enum {
    JSON_PARSE_DEPTH = 64,
    JSON_PARSE_VALUES = 1000000, /* in one document: bounds its memory to some 100 MB */
};

/* Parses `text`, which must be one JSON value and nothing else. The document lives until `arena` is
 * reset. Returns NULL with a reason (one clause with the byte offset) in `why`, of `why_size`
 * bytes. */
const struct json *json_parse(struct arena *arena, struct slice text, char *why, size_t why_size);

/* A copy of `text` in which what no JSON document may hold, but some writers produce all the same, is replaced: bytes that
 * are not UTF-8, `\u0000` and halves of surrogate pairs inside strings by U+FFFD, raw control characters inside
 * strings by a space, and the words NaN, Infinity and -Infinity by strings of that name. All else is left as it is; the
 * result is to be parsed like any other text. In the arena. */
struct slice json_mend(struct arena *arena, struct slice text);

enum json_type json_type_of(const struct json *value);
/* Name of a type for messages: "a string", "an object", … */
const char *json_type_name(enum json_type type);

/* The member of an object by exact, case-sensitive name; NULL when there is none. */
const struct json *json_member(const struct json *object, const char *name);

/* First child of an object or array, and the next sibling: for walking. */
const struct json *json_first(const struct json *container);
const struct json *json_next(const struct json *value);
size_t json_count(const struct json *container);

/* Name of a member reached by walking an object. */
const char *json_name(const struct json *member);

/* Values; of another type: the absent slice, false, 0. */
struct slice json_as_string(const struct json *value);
bool json_as_bool(const struct json *value);
double json_as_number(const struct json *value);

/* A number without fraction and below 2^53 in magnitude (so that it is exactly what was sent);
 * false otherwise. */
bool json_as_integer(const struct json *value, int64_t *integer);

/* Appends the value to an open writer as it was, compactly: members in their order, numbers by
 * their own digits, but 0 when they are too small for a double. An absent value becomes null. */
void json_copy(struct json_writer *writer, const char *name, const struct json *value);

#endif
