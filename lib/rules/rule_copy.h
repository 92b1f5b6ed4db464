/* A rule that keeps only what it says: for sets of many rules.
 *
 * Pure and thread-safe. */
#ifndef RULES_RULE_COPY_H
#define RULES_RULE_COPY_H

#include "base/arena.h"
#include "rules/rule.h"

/* The same rule with all that it refers to in one piece of the arena. Texts are NUL-terminated. */
struct rule rule_copy(struct arena *arena, const struct rule *rule);

#endif
