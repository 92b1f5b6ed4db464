#include "http/input.h"

#include <stdarg.h>
#include <stdio.h>

/* What is wrong with a value: one clause for people, in `why`. */
enum { WHY_SIZE = 160 };

static bool wrong(char *why, const char *format, ...) PRINTF_LIKE(2, 3);

static bool wrong(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool take_text(const struct input *input, struct slice text, struct input_value *value, char *why)
{
    if (input->type != INPUT_SECRET)
        text = slice_trim(text);
    if (input->type != INPUT_SECRET && slice_has_control(text, input->type == INPUT_PROSE))
        return wrong(why, "must not hold control characters%s", input->type == INPUT_NAME ? " or line breaks" : "");
    size_t length = slice_code_points(text);
    if (length < (size_t)input->lowest)
        return length == 0 ? wrong(why, "must not be blank")
                           : wrong(why, "must have at least %ld characters", input->lowest);
    if (length > (size_t)input->highest)
        return wrong(why, "must have at most %ld characters", input->highest);
    value->text = text;
    return true;
}

static bool take_integer(const struct input *input, int64_t integer, struct input_value *value, char *why)
{
    if (integer < input->lowest || integer > input->highest)
        return wrong(why, "must be from %ld to %ld", input->lowest, input->highest);
    value->integer = (long)integer;
    return true;
}

/* Which of the choices it is; -1 when none of them, with what they are in `why`. */
static int choice_of(const struct input *input, struct slice text, char *why)
{
    size_t used = (size_t)snprintf(why, WHY_SIZE, "must be one of");
    for (int i = 0; input->choices[i] != NULL; i++) {
        if (slice_is(text, input->choices[i]))
            return i;
        if (used < WHY_SIZE)
            used += (size_t)snprintf(why + used, WHY_SIZE - used, "%s %s", i == 0 ? "" : ",", input->choices[i]);
    }
    return -1;
}

static bool take_choice(const struct input *input, struct slice text, struct input_value *value, char *why)
{
    value->text = text;
    return choice_of(input, text, why) >= 0;
}

static bool take_choices(const struct input *input, const struct json *json, struct input_value *value, char *why)
{
    char unknown[WHY_SIZE];
    if (json_type_of(json) != JSON_ARRAY)
        return wrong(why, "must be a list, not %s", json_type_name(json_type_of(json)));
    for (const struct json *item = json_first(json); item != NULL; item = json_next(item)) {
        int choice = choice_of(input, json_as_string(item), unknown);
        if (choice < 0)
            return wrong(why, "has an element that %s", unknown);
        uint32_t bit = UINT32_C(1) << choice;
        if ((value->chosen & bit) != 0)
            return wrong(why, "must not name %s twice", input->choices[choice]);
        value->chosen |= bit;
    }
    size_t count = json_count(json);
    if (count < (size_t)input->lowest || count > (size_t)input->highest)
        return wrong(why, "must have from %ld to %ld elements", input->lowest, input->highest);
    return true;
}

/* Decimal digits with an optional minus, nothing else: `1e3`, ` 5` and `5x` are no whole numbers here. */
static bool parse_integer(struct slice text, int64_t *integer)
{
    if (text.len == 0 || text.len > 18)
        return false;
    size_t start = text.ptr[0] == '-';
    if (start == text.len)
        return false;
    *integer = 0;
    for (size_t i = start; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        *integer = *integer * 10 + (text.ptr[i] - '0');
    }
    if (start == 1)
        *integer = -*integer;
    return true;
}

static bool take_boolean(struct slice text, struct input_value *value, char *why)
{
    value->truth = slice_is(text, "true");
    return value->truth || slice_is(text, "false") || wrong(why, "must be true or false");
}

/* A value that came as text. */
static bool take_from_text(const struct input *input, struct slice text, struct input_value *value, char *why)
{
    int64_t integer;
    switch (input->type) {
    case INPUT_INTEGER:
        return parse_integer(text, &integer) ? take_integer(input, integer, value, why)
                                             : wrong(why, "must be a whole number");
    case INPUT_BOOLEAN:
        return take_boolean(text, value, why);
    case INPUT_CHOICE:
        return take_choice(input, text, value, why);
    default:
        return take_text(input, text, value, why);
    }
}

/* A value that came as JSON: its type must be the declared one. */
static bool take_from_json(const struct input *input, const struct json *json, struct input_value *value, char *why)
{
    enum json_type type = json_type_of(json);
    int64_t integer;
    if (input->type == INPUT_BOOLEAN) {
        value->truth = json_as_bool(json);
        return type == JSON_BOOL || wrong(why, "must be true or false, not %s", json_type_name(type));
    }
    if (input->type == INPUT_INTEGER)
        return json_as_integer(json, &integer) ? take_integer(input, integer, value, why)
                                               : wrong(why, "must be a whole number");
    if (input->type == INPUT_CHOICES)
        return take_choices(input, json, value, why);
    if (type != JSON_STRING)
        return wrong(why, "must be a string, not %s", json_type_name(type));
    return take_from_text(input, json_as_string(json), value, why);
}

static long index_of(const struct input *table, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(name, table[i].name))
            return (long)i;
    return -1;
}

/* ---- query ------------------------------------------------------------------------------------ */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct slice form_decode(struct arena *arena, struct slice text)
{
    char *decoded = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return SLICE_ABSENT;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        if (c == '\0')
            return SLICE_ABSENT;
        decoded[len++] = c;
    }
    struct slice result = {decoded, len};
    return slice_is_utf8(result) ? result : SLICE_ABSENT;
}

static struct slice cut(struct slice *rest, char separator)
{
    const char *at = rest->len > 0 ? memchr(rest->ptr, separator, rest->len) : NULL;
    size_t len = at != NULL ? (size_t)(at - rest->ptr) : rest->len;
    struct slice part = {rest->ptr, len};
    size_t skip = len + (at != NULL);
    *rest = (struct slice){rest->ptr + skip, rest->len - skip};
    return part;
}

static bool take_parameter(struct arena *arena, struct slice pair, struct inputs *inputs, struct error *error)
{
    char why[WHY_SIZE];
    struct slice raw_value = pair;
    struct slice name = form_decode(arena, cut(&raw_value, '='));
    struct slice value = form_decode(arena, raw_value);
    if (!slice_present(name) || !slice_present(value))
        return error_set(error, ERROR_MALFORMED, "bad-query",
                         "The query string has a part that is not valid percent-encoded UTF-8.");
    long i = index_of(inputs->query, inputs->query_count, name);
    if (i < 0)
        return error_set(error, ERROR_MALFORMED, "unknown-parameter", "There is no query parameter '%.*s' here.",
                         (int)(name.len < 64 ? name.len : 64), name.ptr);
    if (inputs->query_values[i].present)
        return error_set(error, ERROR_MALFORMED, "repeated-parameter", "The query parameter '%s' may be given once.",
                         inputs->query[i].name);
    inputs->query_values[i].present = true;
    if (!take_from_text(&inputs->query[i], value, &inputs->query_values[i], why))
        return error_set(error, ERROR_MALFORMED, "bad-parameter", "The query parameter '%s' %s.", inputs->query[i].name,
                         why);
    return true;
}

bool input_query(struct arena *arena, struct slice query, struct inputs *inputs, struct error *error)
{
    while (slice_present(query) && query.len > 0) {
        struct slice pair = cut(&query, '&');
        if (pair.len > 0 && !take_parameter(arena, pair, inputs, error))
            return false;
    }
    for (size_t i = 0; i < inputs->query_count; i++)
        if (inputs->query[i].required && !inputs->query_values[i].present)
            return error_set(error, ERROR_MALFORMED, "missing-parameter", "The query parameter '%s' is needed.",
                             inputs->query[i].name);
    return true;
}

/* ---- body ------------------------------------------------------------------------------------- */

/* RFC 6901: `~` and `/` of a name are escaped. */
static void pointer_to(const char *name, char *pointer, size_t size)
{
    size_t len = 0;
    pointer[len++] = '/';
    for (const char *c = name; *c != '\0' && len + 3 < size; c++) {
        if (*c == '~' || *c == '/') {
            pointer[len++] = '~';
            pointer[len++] = *c == '~' ? '0' : '1';
        } else {
            pointer[len++] = *c;
        }
    }
    pointer[len] = '\0';
}

static void take_member(const struct json *member, struct inputs *inputs, struct error *error)
{
    char why[WHY_SIZE], pointer[ERROR_POINTER_SIZE];
    pointer_to(json_name(member), pointer, sizeof pointer);
    long i = index_of(inputs->body, inputs->body_count, slice_of(json_name(member)));
    if (i < 0) {
        error_fill_item(error, pointer, "is not a member of this body");
        return;
    }
    /* null stands for "not given" wherever a member may be left out */
    if (json_type_of(member) == JSON_NULL && !inputs->body[i].required)
        return;
    inputs->body_values[i].present = true;
    if (!take_from_json(&inputs->body[i], member, &inputs->body_values[i], why))
        error_fill_item(error, pointer, "%s", why);
}

bool input_document(struct arena *arena, struct slice body, struct inputs *inputs, struct error *error)
{
    char why[WHY_SIZE];
    inputs->document = json_parse(arena, body, why, sizeof why);
    if (inputs->document == NULL)
        return error_set(error, ERROR_MALFORMED, "bad-json", "The body is not valid JSON: %s.", why);
    if (json_type_of(inputs->document) != JSON_OBJECT)
        return error_set(error, ERROR_INVALID, "invalid", "The body must be a JSON object, not %s.",
                         json_type_name(json_type_of(inputs->document)));
    return true;
}

bool input_body(struct arena *arena, struct slice body, struct inputs *inputs, struct error *error)
{
    if (body.len > 0 && !input_document(arena, body, inputs, error))
        return false;
    for (const struct json *m = body.len > 0 ? json_first(inputs->document) : NULL; m != NULL; m = json_next(m))
        take_member(m, inputs, error);
    for (size_t i = 0; i < inputs->body_count; i++) {
        if (inputs->body[i].required && !inputs->body_values[i].present) {
            char pointer[ERROR_POINTER_SIZE];
            pointer_to(inputs->body[i].name, pointer, sizeof pointer);
            error_fill_item(error, pointer, "is needed");
        }
    }
    return error->item_count == 0;
}

/* ---- values by name --------------------------------------------------------------------------- */

static const struct input_value *find(const struct input *table, size_t count, const struct input_value *values,
                                      const char *name)
{
    static const struct input_value nothing = {0};
    long i = index_of(table, count, slice_of(name));
    return i >= 0 ? &values[i] : &nothing;
}

struct slice query_text(const struct inputs *inputs, const char *name)
{
    return find(inputs->query, inputs->query_count, inputs->query_values, name)->text;
}

long query_integer(const struct inputs *inputs, const char *name, long otherwise)
{
    const struct input_value *value = find(inputs->query, inputs->query_count, inputs->query_values, name);
    return value->present ? value->integer : otherwise;
}

struct slice body_text(const struct inputs *inputs, const char *name)
{
    return find(inputs->body, inputs->body_count, inputs->body_values, name)->text;
}

bool body_bool(const struct inputs *inputs, const char *name, bool otherwise)
{
    const struct input_value *value = find(inputs->body, inputs->body_count, inputs->body_values, name);
    return value->present ? value->truth : otherwise;
}

long body_integer(const struct inputs *inputs, const char *name, long otherwise)
{
    const struct input_value *value = find(inputs->body, inputs->body_count, inputs->body_values, name);
    return value->present ? value->integer : otherwise;
}

const char *body_choices(const struct inputs *inputs, struct arena *arena, const char *name)
{
    long i = index_of(inputs->body, inputs->body_count, slice_of(name));
    const char *joined = "";
    for (size_t c = 0; i >= 0 && inputs->body[i].choices[c] != NULL; c++)
        if ((inputs->body_values[i].chosen & (UINT32_C(1) << c)) != 0)
            joined = arena_printf(arena, "%s%s%s", joined, *joined == '\0' ? "" : ",", inputs->body[i].choices[c]);
    return joined;
}
