/* Finds the rules that an incident can possibly match, at a cost that depends on the incident alone.
 *
 * A rule is filed under one (field, value) that it demands: without that it cannot match. The fields form a tree by
 * their dot paths. A look-up walks the members of the incident along that tree once. It notes the value of each field that
 * any rule asks about, and finds the rules filed under it; rules that demand nothing are found always. Rules are known by
 * their places: the numbers 0, 1, … in the order in which they are tried.
 *
 * Immutable once finished. Looking up is thread-safe and allocates nothing. */
#ifndef RULES_RULE_INDEX_H
#define RULES_RULE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "rules/condition.h"
#include "rules/rule.h"

/* ---- building: new; fields and demands of all rules; then each rule, in the order of places; finish ---- */

/* What a rule can be filed under: the field has one of these values, or the rule does not match. */
struct rule_demand {
    uint32_t field;
    const struct operand *values; /* strings, numbers, booleans; borrowed until finished */
    size_t value_count;
};

/* A rule that is possible, and which of its conditions are left to ask. */
struct candidate {
    const struct rule *rule;
    const struct condition *conditions;
    uint32_t condition_count;
    uint32_t place;
};

/* Lives as long as the arena. */
struct rule_index *rule_index_new(struct arena *arena);

/* The number of a field, a dot path: 0, 1, … in the order of being met. The text is borrowed. */
uint32_t rule_index_field(struct rule_index *index, struct slice path);

/* Makes a demand of some rule known, so that the index learns which are rare. */
void rule_index_announce(struct rule_index *index, const struct rule_demand *demand);

/* Which of the demands is the rarest: the rule is to be filed under that. `count` is not zero. */
size_t rule_index_rarest(const struct rule_index *index, const struct rule_demand *demands, size_t count);

/* Files a rule under each value of the demand, or, with NULL, as one that demands nothing. */
void rule_index_file(struct rule_index *index, const struct rule_demand *demand, struct candidate candidate);
void rule_index_finish(struct rule_index *index);

/* ---- looking up ---- */

/* Rules filed under one value, in the order of their places. */
struct candidates {
    const struct candidate *first;
    size_t count;
};

/* What a look-up finds. The arrays have room for as many as there are fields, `lists` for one more. */
struct findings {
    const struct json **values; /* by field; NULL where it is missing or null */
    uint32_t *met;              /* fields that are not NULL */
    size_t met_count;
    struct candidates *lists; /* none empty; no rule is in two */
    size_t list_count;
};

size_t rule_index_fields(const struct rule_index *index);

/* Looks the incident up; what is no object has nothing to find. `found->values` must be all NULL before: rule_index_forget sees to it. */
void rule_index_look_up(const struct rule_index *index, const struct json *incident, struct findings *found);
void rule_index_forget(struct findings *found);

#endif
