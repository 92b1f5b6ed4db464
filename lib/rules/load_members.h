/* Members of a rule by their types. What has another type, or is written so that readers disagree about it, is refused
 * with a sentence that names the member; what is not there leaves its place as it was.
 *
 * A part of lib/rules/load*.c. */
#ifndef RULES_LOAD_MEMBERS_H
#define RULES_LOAD_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "rules/load_tree.h"
#include "rules/rule.h"

/* Where what is loaded goes. */
struct loader {
    struct arena *arena;
    struct error *error;
};

#define REFUSE(loader, ...) error_set((loader)->error, ERROR_INVALID, "rule-refused", __VA_ARGS__)

/* `%.*s` for a slice, cut so that a sentence stays readable. */
#define SHOWN(slice) (int)((slice).len < 80 ? (slice).len : 80), (slice).ptr

enum { COUNTER_LIMIT = 1000000000 };

bool load_text(struct loader *loader, const struct tree_node *mapping, const char *name, struct slice *text) MUST_USE;
bool load_flag(struct loader *loader, const struct tree_node *mapping, const char *name, bool *flag) MUST_USE;
bool load_names(struct loader *loader, const struct tree_node *mapping, const char *name,
                struct rule_names *names) MUST_USE;

/* A whole number from `least` to COUNTER_LIMIT. */
bool load_count(struct loader *loader, const struct tree_node *mapping, const char *name, int32_t least,
                int32_t *count) MUST_USE;

/* The `value` of a condition: a scalar, or a list of them. NULL is refused. */
bool load_value(struct loader *loader, const struct tree_node *node, struct rule_value *value) MUST_USE;

/* The member `conditions`: one at least, each with an operator that is known and a value that it can work with. */
bool load_conditions(struct loader *loader, const struct tree_node *mapping, struct rule *rule) MUST_USE;

#endif
