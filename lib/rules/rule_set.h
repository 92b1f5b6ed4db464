/* The L1 engine: which rule, if any, acts on an incident.
 *
 * Rules are tried in the order of their priority (the lower number first), then of their ids byte by byte, however
 * they were loaded. The first that matches wins. A rule matches when it is enabled, its severity filter is empty or
 * holds the incident's `severity`, all its conditions hold (condition.h), and it is not cooling down for the host.
 *
 * An index (rule_index.h) keeps the cost of an incident apart from the number of rules. Each rule is filed under one value
 * that its incident must have (an `eq`, or every value of an `in`; a severity filter is an `in`), the rarest of those it
 * asks for, and is asked only about the rest. Rules that ask for no such value are possible for every incident.
 *
 * A set is immutable: any number of threads may match with it, each with a matcher of its own. A match allocates
 * nothing, once a matcher has run its regular expressions for the first times. Pure: the clock and the memory of cooldowns
 * belong to the caller. */
#ifndef RULES_RULE_SET_H
#define RULES_RULE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/json.h"
#include "rules/rule.h"

struct rule_set;

/* Builds a set in the arena, from rules that live as long as it and whose texts are NUL-terminated, as loaded ones are.
 * ERROR_INVALID with the slug `rule-refused` when an id stands twice or a regular expression is invalid. */
bool rule_set_new(struct arena *arena, const struct rule *rules, size_t count, const struct rule_set **set,
                  struct error *error) MUST_USE;

/* All rules in the order in which they are tried, the disabled ones included. */
size_t rule_set_count(const struct rule_set *set);
const struct rule *rule_set_at(const struct rule_set *set, size_t place);

/* What one thread needs to match with a set. The set must outlive it. */
struct rule_matcher;
struct rule_matcher *rule_matcher_new(const struct rule_set *set) MUST_USE;
void rule_matcher_free(struct rule_matcher *matcher);

/* Asked once all else holds: claims the rule for the host (`host_id`, else `hostname`, a string that is not empty or a
 * number's text; else `unknown`), or says false when it is cooling down there; then the next rule is tried. `host` is good
 * for this call only. Two threads that ask for the same rule and host at the
 * same time must not both be told true. */
typedef bool cooldown_claim(void *context, const struct rule *rule, struct slice host);

/* The rule that acts on the incident; NULL for none, and when it is no JSON object. Without a `claim` nothing cools down. */
const struct rule *rule_match(struct rule_matcher *matcher, const struct json *incident, cooldown_claim *claim,
                              void *context);

/* How many rules the index held possible for the incidents that this matcher has seen: for measuring. */
size_t rule_matcher_tried(const struct rule_matcher *matcher);

#endif
