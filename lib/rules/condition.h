/* One condition of a rule, ready to be asked about a value.
 *
 * What the operators mean:
 *
 *   eq, ne       same JSON type and equal; present and not that (strings byte for byte, numbers by value)
 *   contains     a string: the value is part of it; an array: some element is eq
 *   regex        a string, or a number's shortest text, has a match somewhere (regex.h)
 *   gt, lt       compared as numbers; both sides numbers, or strings that are one in whole
 *                (`[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`)
 *   in, not_in   some element of the value is eq; none is
 *   exists       whether the field is there equals the value
 *
 * A field that is missing, or null, makes every operator false except exists.
 *
 * Conditions are immutable once compiled: any number of threads may ask. */
#ifndef RULES_CONDITION_H
#define RULES_CONDITION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/json.h"
#include "rules/operand.h"
#include "rules/regex.h"
#include "rules/rule.h"

struct condition {
    enum rule_operator op;
    uint32_t field; /* the number by which its owner knows the field */
    union {
        struct operand value;
        double threshold;          /* of gt and lt; NaN when the value is no number: nothing compares with it */
        const struct regex *regex; /* of regex */
    };
};

/* Compiles a condition that was loaded (see load.h for what that refuses). Its texts are NUL-terminated, and
 * copied. ERROR_INVALID with the slug `rule-refused` when its regular expression is invalid. */
bool condition_compile(struct arena *arena, const struct rule_condition *source, struct condition *out,
                       struct error *error) MUST_USE;

/* Whether the condition holds for a field's value; NULL when it is missing or null. Allocates nothing. */
bool condition_holds(const struct condition *condition, const struct json *value, struct regex_scratch *scratch);

/* Takes the first name off a dot path. False when none is left: a path has one name more than dots. */
bool field_path_step(struct slice *path, struct slice *name);

/* The value at the end of a dot path through objects: `details.service`. NULL when it is missing or null. */
const struct json *field_value(const struct json *incident, struct slice path);

#endif
