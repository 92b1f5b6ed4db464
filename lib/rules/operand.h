/* A value of a rule or of an incident, small and ready to be compared.
 *
 * Values are equal when they have the same type and are the same: strings byte for byte, numbers by value, so that `"7"` is
 * not 7, 1 is not true, and 0 is -0. Lists are equal to nothing.
 *
 * Pure and thread-safe. */
#ifndef RULES_OPERAND_H
#define RULES_OPERAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/json.h"
#include "rules/rule.h"

struct operand {
    enum rule_value_type type;
    union {
        struct slice text; /* NUL-terminated */
        double number;
        bool truth;
        struct {
            const struct operand *items;
            size_t count;
        } list;
    };
};

/* Of a rule's value, with its texts and its list in the arena: side by side when one is made after the other. */
struct operand operand_of_value(struct arena *arena, const struct rule_value *value);

/* Of an incident's value; false when it is neither string nor number nor boolean. */
bool operand_of_json(const struct json *json, struct operand *operand) MUST_USE;

bool operand_equal(const struct operand *a, const struct operand *b);

/* Of strings, numbers and booleans: the same for those that are equal. `seed` keeps apart what is about different things. */
uint64_t operand_hash(uint64_t seed, const struct operand *operand);

/* The same for a text alone. */
uint64_t text_hash(uint64_t seed, struct slice text);

#endif
