#include "rules/condition.h"

#include <math.h>
#include <stdlib.h>

#include "rules/number.h"

/* ---- fields ------------------------------------------------------------------------------------ */

struct field_path field_path_make(struct arena *arena, struct slice field)
{
    size_t count = 1;
    for (size_t i = 0; i < field.len; i++)
        count += field.ptr[i] == '.';
    const char **names = arena_array(arena, count, sizeof *names);
    const char *start = field.ptr;
    for (size_t i = 0; i < count; i++) {
        const char *end = start;
        while (end < field.ptr + field.len && *end != '.')
            end++;
        names[i] = arena_text(arena, (struct slice){start, (size_t)(end - start)});
        start = end + 1;
    }
    return (struct field_path){names, count};
}

const struct json *field_path_follow(const struct field_path *path, const struct json *incident)
{
    const struct json *at = incident;
    for (size_t i = 0; i < path->count && at != NULL; i++)
        at = json_member(at, path->names[i]);
    return json_type_of(at) == JSON_NULL ? NULL : at;
}

/* ---- values ------------------------------------------------------------------------------------ */

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* `[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`, from the first to the last byte. */
static bool reads_as_number(struct slice text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    if (at < end && (*at == '+' || *at == '-'))
        at++;
    const char *whole = at;
    at = skip_digits(at, end);
    size_t digits = (size_t)(at - whole);
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        at = skip_digits(at, end);
        digits += (size_t)(at - fraction);
    }
    if (digits == 0)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        const char *exponent = at;
        at = skip_digits(at, end);
        if (at == exponent)
            return false;
    }
    return at == end;
}

/* The number that a string is in whole, else NaN. Longer texts than any number needs count as none. */
static double number_of_text(struct slice text)
{
    char copy[64];
    if (text.len >= sizeof copy || !reads_as_number(text))
        return NAN;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return strtod(copy, NULL);
}

static double number_of(const struct json *value)
{
    switch (json_type_of(value)) {
    case JSON_NUMBER:
        return json_as_number(value);
    case JSON_STRING:
        return number_of_text(json_as_string(value));
    default:
        return NAN;
    }
}

static bool equals(const struct json *field, const struct rule_value *value)
{
    switch (json_type_of(field)) {
    case JSON_STRING:
        return value->type == RULE_STRING && slice_equal(json_as_string(field), value->text);
    case JSON_NUMBER:
        return value->type == RULE_NUMBER && json_as_number(field) == value->number;
    case JSON_BOOL:
        return value->type == RULE_BOOL && json_as_bool(field) == value->truth;
    default:
        return false;
    }
}

static bool is_among(const struct json *field, const struct rule_value *list)
{
    for (size_t i = 0; i < list->item_count; i++)
        if (equals(field, &list->items[i]))
            return true;
    return false;
}

static bool contains(const struct json *field, const struct rule_value *value)
{
    if (json_type_of(field) == JSON_STRING) {
        struct slice text = json_as_string(field);
        return value->type == RULE_STRING && memmem(text.ptr, text.len, value->text.ptr, value->text.len) != NULL;
    }
    if (json_type_of(field) == JSON_ARRAY)
        for (const struct json *element = json_first(field); element != NULL; element = json_next(element))
            if (equals(element, value))
                return true;
    return false;
}

static bool matches(const struct json *field, const struct regex *regex, struct regex_scratch *scratch)
{
    char number[NUMBER_TEXT_SIZE];
    struct slice text = json_as_string(field);
    if (json_type_of(field) == JSON_NUMBER)
        text = number_text(number, json_as_number(field));
    return slice_present(text) && regex_finds(regex, text, scratch);
}

/* ---- conditions -------------------------------------------------------------------------------- */

static double threshold_of(const struct rule_value *value)
{
    return value->type == RULE_NUMBER ? value->number : value->type == RULE_STRING ? number_of_text(value->text) : NAN;
}

bool condition_compile(struct arena *arena, const struct rule_condition *source, struct condition *out,
                       struct error *error)
{
    *out = (struct condition){.path = field_path_make(arena, source->field),
                              .op = source->op,
                              .value = &source->value,
                              .threshold = threshold_of(&source->value)};
    if (source->op != RULE_REGEX)
        return true;
    char why[REGEX_REASON_SIZE] = "";
    out->regex = regex_compile(arena, source->value.text, why);
    return out->regex != NULL ||
           error_set(error, ERROR_INVALID, "rule-refused", "A regular expression is invalid: %s.", why);
}

bool condition_holds(const struct condition *condition, const struct json *incident, struct regex_scratch *scratch)
{
    const struct json *field = field_path_follow(&condition->path, incident);
    const struct rule_value *value = condition->value;
    if (condition->op == RULE_EXISTS)
        return (field != NULL) == value->truth;
    if (field == NULL)
        return false;
    switch (condition->op) {
    case RULE_EQ:
        return equals(field, value);
    case RULE_NE:
        return !equals(field, value);
    case RULE_CONTAINS:
        return contains(field, value);
    case RULE_REGEX:
        return matches(field, condition->regex, scratch);
    case RULE_GT:
        return number_of(field) > condition->threshold;
    case RULE_LT:
        return number_of(field) < condition->threshold;
    case RULE_IN:
        return is_among(field, value);
    case RULE_NOT_IN:
        return !is_among(field, value);
    default:
        return false;
    }
}
