/* Query strings: accepted values keep to their declaration, and come back the same when they are encoded again. */
#include "base/buffer.h"
#include "fuzz.h"
#include "http/input.h"

static const char *const SORTS[] = {"success_rate", "-success_rate", "last_seen", NULL};
static const struct input QUERY[] = {
    {.name = "q", .type = INPUT_NAME, .lowest = 0, .highest = 20},
    {.name = "note", .type = INPUT_PROSE, .lowest = 1, .highest = 20},
    {.name = "secret", .type = INPUT_SECRET, .lowest = 0, .highest = 20},
    {.name = "limit", .type = INPUT_INTEGER, .lowest = -5, .highest = 200},
    {.name = "all", .type = INPUT_BOOLEAN},
    {.name = "sort", .type = INPUT_CHOICE, .choices = SORTS},
};
enum { COUNT = COUNT_OF(QUERY) };

static void append_encoded(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        buffer_append_format(out, "%%%02x", (unsigned char)text.ptr[i]);
}

static void check_value(const struct input *input, const struct input_value *value)
{
    if (!value->present)
        return;
    if (input->type == INPUT_INTEGER) {
        MUST(value->integer >= input->lowest && value->integer <= input->highest);
    } else if (input->type == INPUT_CHOICE) {
        MUST(slice_is(value->text, SORTS[0]) || slice_is(value->text, SORTS[1]) || slice_is(value->text, SORTS[2]));
    } else if (input->type != INPUT_BOOLEAN) {
        size_t length = slice_code_points(value->text);
        MUST(slice_is_utf8(value->text) && memchr(value->text.ptr, '\0', value->text.len) == NULL);
        MUST((long)length >= input->lowest && (long)length <= input->highest);
        MUST(input->type == INPUT_SECRET || !slice_has_control(value->text, input->type == INPUT_PROSE));
    }
}

static struct slice encode(struct arena *arena, const struct inputs *inputs)
{
    struct buffer out = buffer_make(1 << 20);
    for (size_t i = 0; i < COUNT; i++) {
        const struct input_value *value = &inputs->query_values[i];
        if (!value->present)
            continue;
        buffer_append_format(&out, "&%s=", QUERY[i].name);
        if (QUERY[i].type == INPUT_INTEGER)
            buffer_append_format(&out, "%ld", value->integer);
        else if (QUERY[i].type == INPUT_BOOLEAN)
            buffer_append_text(&out, value->truth ? "true" : "false");
        else
            append_encoded(&out, value->text);
    }
    struct slice text = fuzz_exact(arena, buffer_slice(&out));
    buffer_free(&out);
    return text;
}

static void check_decode(struct arena *arena, struct slice input)
{
    struct slice decoded = form_decode(arena, input);
    if (!slice_present(decoded))
        return;
    MUST(decoded.len <= input.len && slice_is_utf8(decoded) && memchr(decoded.ptr, '\0', decoded.len) == NULL);
    struct buffer out = buffer_make(1 << 20);
    append_encoded(&out, decoded);
    MUST(slice_equal(form_decode(arena, fuzz_exact(arena, buffer_slice(&out))), decoded));
    buffer_free(&out);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct inputs inputs = {.query = QUERY, .query_count = COUNT};
    struct inputs again = inputs;
    struct error error;
    error_clear(&error);
    check_decode(arena, input);
    if (!input_query(arena, input, &inputs, &error)) {
        MUST(error.kind == ERROR_MALFORMED);
        fuzz_check_error(arena, &error);
        return;
    }
    MUST(input_query(arena, encode(arena, &inputs), &again, &error));
    for (size_t i = 0; i < COUNT; i++) {
        const struct input_value *one = &inputs.query_values[i], *two = &again.query_values[i];
        check_value(&QUERY[i], one);
        MUST(one->present == two->present && slice_equal(one->text, two->text) && one->integer == two->integer &&
             one->truth == two->truth);
    }
}
