#include <inttypes.h>

#include "base/json.h"

struct json_writer json_writer_make(struct buffer *out)
{
    return (struct json_writer){.out = out};
}

/* Appends a string's content, escaping what RFC 8259 section 7 wants escaped and nothing else,
 * which is also what canonical JSON (RFC 8785) asks for. */
static void append_escaped(struct buffer *out, struct slice value)
{
    static const char short_escapes[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    size_t plain = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buffer_append(out, (struct slice){value.ptr + plain, i - plain});
        plain = i + 1;
        if (c >= 0x20)
            buffer_append(out, (struct slice){c == '"' ? "\\\"" : "\\\\", 2});
        else if (short_escapes[c] != 0)
            buffer_append(out, (struct slice){(char[]){'\\', short_escapes[c]}, 2});
        else
            buffer_append_format(out, "\\u%04x", c);
    }
    buffer_append(out, (struct slice){value.ptr + plain, value.len - plain});
}

static void append_quoted(struct buffer *out, struct slice value)
{
    buffer_append_char(out, '"');
    append_escaped(out, value);
    buffer_append_char(out, '"');
}

/* The comma and the name that go before any value. */
static void begin_value(struct json_writer *writer, const char *name)
{
    if (writer->need_comma[writer->depth])
        buffer_append_char(writer->out, ',');
    writer->need_comma[writer->depth] = true;
    if (name != NULL) {
        append_quoted(writer->out, slice_of(name));
        buffer_append_char(writer->out, ':');
    }
}

static void open_scope(struct json_writer *writer, const char *name, char opener, char closer)
{
    begin_value(writer, name);
    if (writer->depth == JSON_DEPTH) {
        writer->out->failed = true;
        return;
    }
    buffer_append_char(writer->out, opener);
    writer->closers[writer->depth++] = closer;
    writer->need_comma[writer->depth] = false;
}

void json_open_object(struct json_writer *writer, const char *name)
{
    open_scope(writer, name, '{', '}');
}

void json_open_array(struct json_writer *writer, const char *name)
{
    open_scope(writer, name, '[', ']');
}

void json_close(struct json_writer *writer)
{
    if (writer->depth > 0)
        buffer_append_char(writer->out, writer->closers[--writer->depth]);
}

void json_writer_end(struct json_writer *writer)
{
    while (writer->depth > 0)
        json_close(writer);
}

void json_null(struct json_writer *writer, const char *name)
{
    begin_value(writer, name);
    buffer_append(writer->out, SLICE("null"));
}

void json_string(struct json_writer *writer, const char *name, struct slice value)
{
    if (!slice_present(value)) {
        json_null(writer, name);
        return;
    }
    begin_value(writer, name);
    append_quoted(writer->out, value);
}

void json_text(struct json_writer *writer, const char *name, const char *value)
{
    json_string(writer, name, slice_of(value));
}

void json_integer(struct json_writer *writer, const char *name, int64_t value)
{
    begin_value(writer, name);
    buffer_append_format(writer->out, "%" PRId64, value);
}

void json_bool(struct json_writer *writer, const char *name, bool value)
{
    begin_value(writer, name);
    buffer_append(writer->out, value ? SLICE("true") : SLICE("false"));
}

void json_raw(struct json_writer *writer, const char *name, struct slice json)
{
    if (!slice_present(json)) {
        json_null(writer, name);
        return;
    }
    begin_value(writer, name);
    buffer_append(writer->out, json);
}

void json_number(struct json_writer *writer, const char *name, struct slice digits)
{
    size_t first = digits.len > 0 && digits.ptr[0] == '-' ? 1 : 0;
    bool finite = digits.len > first && digits.ptr[first] >= '0' && digits.ptr[first] <= '9';
    json_raw(writer, name, finite ? digits : SLICE_ABSENT);
}

void json_pg_bool(struct json_writer *writer, const char *name, struct slice value)
{
    if (slice_present(value))
        json_bool(writer, name, slice_is(value, "t"));
    else
        json_null(writer, name);
}

void json_pg_time(struct json_writer *writer, const char *name, struct slice value)
{
    enum { TO_SECONDS = 19 /* characters of `2026-01-02 03:04:05` */, OFFSET = 3 /* of `+00` */ };
    bool known = value.len >= TO_SECONDS + OFFSET && value.ptr[4] == '-' && value.ptr[10] == ' ' &&
                 memcmp(value.ptr + value.len - OFFSET, "+00", OFFSET) == 0;
    if (!known) { /* `infinity`, years beyond 9999: nothing RFC 3339 can say */
        json_null(writer, name);
        return;
    }
    begin_value(writer, name);
    buffer_append_char(writer->out, '"');
    buffer_append(writer->out, (struct slice){value.ptr, 10});
    buffer_append_char(writer->out, 'T');
    buffer_append(writer->out, (struct slice){value.ptr + 11, value.len - 11 - OFFSET});
    buffer_append(writer->out, SLICE("Z\""));
}
