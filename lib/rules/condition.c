#include "rules/condition.h"

#include <math.h>
#include <stdlib.h>

#include "rules/number.h"

/* ---- fields -------------------------------------------------------------------------------------- */

static const struct json *find_member(const struct json *object, struct slice name)
{
    if (json_type_of(object) != JSON_OBJECT)
        return NULL;
    const struct json *member = json_first(object);
    while (member != NULL && !slice_is(name, json_name(member)))
        member = json_next(member);
    return member;
}

bool field_path_step(struct slice *path, struct slice *name)
{
    if (!slice_present(*path))
        return false;
    const char *dot = path->len > 0 ? memchr(path->ptr, '.', path->len) : NULL;
    *name = *path;
    *path = SLICE_ABSENT;
    if (dot != NULL) {
        *path = (struct slice){dot + 1, name->len - (size_t)(dot + 1 - name->ptr)};
        name->len = (size_t)(dot - name->ptr);
    }
    return true;
}

const struct json *field_value(const struct json *incident, struct slice path)
{
    const struct json *at = incident;
    struct slice name;
    while (at != NULL && field_path_step(&path, &name))
        at = find_member(at, name);
    return json_type_of(at) == JSON_NULL ? NULL : at;
}

/* ---- numbers ------------------------------------------------------------------------------------- */

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

static const char *skip_sign(const char *at)
{
    return *at == '+' || *at == '-' ? at + 1 : at;
}

static bool reads_as_number(const char *text)
{
    const char *whole = skip_sign(text);
    const char *at = skip_digits(whole);
    bool has_digits = at > whole;
    if (*at == '.') {
        const char *fraction = at + 1;
        at = skip_digits(fraction);
        has_digits = has_digits || at > fraction;
    }
    if (has_digits && (*at == 'e' || *at == 'E')) {
        const char *exponent = skip_sign(at + 1);
        at = skip_digits(exponent);
        has_digits = at > exponent;
    }
    return has_digits && *at == '\0';
}

/* The number that a text is in whole, else NaN. */
static double number_of_text(struct slice text)
{
    return reads_as_number(text.ptr) ? strtod(text.ptr, NULL) : NAN;
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

/* ---- operators ----------------------------------------------------------------------------------- */

static bool equals(const struct json *json, const struct operand *value)
{
    struct operand operand;
    return operand_of_json(json, &operand) && operand_equal(&operand, value);
}

static bool is_among(const struct json *json, const struct operand *list)
{
    struct operand operand;
    if (!operand_of_json(json, &operand))
        return false;
    for (size_t i = 0; i < list->list.count; i++)
        if (operand_equal(&operand, &list->list.items[i]))
            return true;
    return false;
}

static bool contains(const struct json *json, const struct operand *value)
{
    if (json_type_of(json) == JSON_STRING) {
        struct slice text = json_as_string(json);
        return value->type == RULE_STRING && memmem(text.ptr, text.len, value->text.ptr, value->text.len) != NULL;
    }
    if (json_type_of(json) == JSON_ARRAY)
        for (const struct json *element = json_first(json); element != NULL; element = json_next(element))
            if (equals(element, value))
                return true;
    return false;
}

static bool matches(const struct json *json, const struct regex *regex, struct regex_scratch *scratch)
{
    char number[NUMBER_TEXT_SIZE];
    struct slice text = json_as_string(json);
    if (json_type_of(json) == JSON_NUMBER)
        text = number_text(number, json_as_number(json));
    return slice_present(text) && regex_finds(regex, text, scratch);
}

bool condition_holds(const struct condition *condition, const struct json *value, struct regex_scratch *scratch)
{
    if (condition->op == RULE_EXISTS)
        return (value != NULL) == condition->value.truth;
    if (value == NULL)
        return false;
    switch (condition->op) {
    case RULE_EQ:
        return equals(value, &condition->value);
    case RULE_NE:
        return !equals(value, &condition->value);
    case RULE_CONTAINS:
        return contains(value, &condition->value);
    case RULE_REGEX:
        return matches(value, condition->regex, scratch);
    case RULE_GT:
        return number_of(value) > condition->threshold;
    case RULE_LT:
        return number_of(value) < condition->threshold;
    case RULE_IN:
        return is_among(value, &condition->value);
    case RULE_NOT_IN:
        return !is_among(value, &condition->value);
    default:
        return false;
    }
}

/* ---- compiling ----------------------------------------------------------------------------------- */

static double threshold_of(const struct rule_value *value)
{
    return value->type == RULE_NUMBER ? value->number : value->type == RULE_STRING ? number_of_text(value->text) : NAN;
}

bool condition_compile(struct arena *arena, const struct rule_condition *source, struct condition *out,
                       struct error *error)
{
    char why[REGEX_REASON_SIZE] = "";
    *out = (struct condition){.op = source->op};
    if (source->op == RULE_REGEX)
        out->regex = regex_compile(arena, source->value.text, why);
    else if (source->op == RULE_GT || source->op == RULE_LT)
        out->threshold = threshold_of(&source->value);
    else
        out->value = operand_of_value(arena, &source->value);
    return source->op != RULE_REGEX || out->regex != NULL ||
           error_set(error, ERROR_INVALID, "rule-refused", "A regular expression is invalid: %s.", why);
}
