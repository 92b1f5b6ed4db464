/* Finds the rules that an incident can possibly match, at a cost that depends on the incident alone.
 *
 * A rule is filed under one (field, value) that it demands: without that it cannot match. The fields form a tree by
 * their dot paths. A look-up walks the members of the incident along that tree and finds, for each, the rules filed
 * under its value; rules that demand nothing are found always. Rules are known by their places: the numbers 0, 1, …
 * in the order in which they are tried.
 *
 * Lies in an arena, and is immutable once built. Looking up is thread-safe and allocates nothing. */
#ifndef RULES_RULE_INDEX_H
#define RULES_RULE_INDEX_H

#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "rules/rule.h"

/* What a rule can be filed under: its field has one of these values, or it does not match. */
struct rule_demand {
    struct slice field;              /* dot path */
    const struct rule_value *values; /* strings, numbers, booleans */
    size_t value_count;
};

struct rule_index;
struct rule_index *rule_index_new(struct arena *arena);

/* First all demands of all rules are made known, so that the index learns which are rare … */
void rule_index_announce(struct rule_index *index, const struct rule_demand *demand);

/* … then each rule is filed under the rarest of its demands, in the order of places. */
void rule_index_file(struct rule_index *index, uint32_t place, const struct rule_demand *demands, size_t count);

/* The rules filed under one value, in the order of their places. */
struct filed_rule {
    uint32_t place;
    const struct filed_rule *next;
};

/* How many lists a look-up can find at most. */
size_t rule_index_lists(const struct rule_index *index);

/* Finds the lists of rules that are possible for the incident, none of them empty, and returns their number. No rule
 * is in two of them. `lists` has room for rule_index_lists. */
size_t rule_index_look_up(const struct rule_index *index, const struct json *incident, const struct filed_rule **lists);

#endif
