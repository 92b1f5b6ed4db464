/* One condition of a rule, ready to be asked about incidents.
 *
 * What the operators mean:
 *
 *   eq, ne       same JSON type and equal; present and not that (strings byte for byte, numbers by value)
 *   contains     a string: the value is part of it; an array: some element is eq
 *   regex        a string, or a number's text, has a match somewhere (PCRE2, Unicode)
 *   gt, lt       compared as numbers; both sides numbers, or strings that are one in whole
 *   in, not_in   some element of the value is eq; none is
 *   exists       whether the field is there equals the value
 *
 * A field that is missing, or null, makes every operator false except exists.
 *
 * Conditions are immutable once compiled: any number of threads may ask. What a regular expression needs while
 * it runs lies in a scratch of the caller's. */
#ifndef RULES_CONDITION_H
#define RULES_CONDITION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/json.h"
#include "rules/regex.h"
#include "rules/rule.h"

/* A dot path, split: `details.service` is {"details", "service"}. */
struct field_path {
    const char *const *names;
    size_t count;
};

/* Splits a path; its names lie in the arena. */
struct field_path field_path_make(struct arena *arena, struct slice field);

/* The value at the end of the path through objects; NULL when it is missing or null. */
const struct json *field_path_follow(const struct field_path *path, const struct json *incident);

struct condition {
    struct field_path path;
    enum rule_operator op;
    const struct rule_value *value;
    double threshold;           /* of gt and lt; NaN when the value is no number: nothing compares with it */
    const struct regex *regex;  /* of regex, else NULL */
};

/* Compiles a condition that was loaded (see load.h for what that refuses). `rule_value`s are borrowed.
 * ERROR_INVALID when its regular expression is invalid. */
bool condition_compile(struct arena *arena, const struct rule_condition *source, struct condition *out,
                       struct error *error) MUST_USE;

/* Whether the condition holds for the incident. Allocates nothing. */
bool condition_holds(const struct condition *condition, const struct json *incident, struct regex_scratch *scratch);

#endif
