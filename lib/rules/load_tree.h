/* The text of rules as a tree: one YAML document in an arena, with what no rule may hold refused.
 *
 * Refused, with a sentence that names the line: what is not YAML in UTF-8, anything but one document, anchors, aliases and
 * tags (they smuggle), a member's name that is no scalar or stands twice, a NUL character, nesting deeper than TREE_DEPTH.
 *
 * A part of lib/rules/load*.c. */
#ifndef RULES_LOAD_TREE_H
#define RULES_LOAD_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

enum { TREE_DEPTH = 10 };

enum tree_type { TREE_SCALAR, TREE_LIST, TREE_MAPPING };

struct tree_node {
    enum tree_type type;
    bool is_plain;                /* a scalar without quotes */
    uint32_t line;                /* from 1 */
    size_t start, end;            /* its bytes in the text, without comments and empty lines behind it */
    struct slice text;            /* of a scalar; NUL-terminated */
    const struct tree_node *first; /* of a list or mapping; a mapping's children are name, value, name, value, … */
    const struct tree_node *next; /* sibling */
    size_t count;                 /* elements of a list, members of a mapping */
};

/* ERROR_INVALID with the slug `rule-refused` when the text is refused. */
bool load_tree(struct arena *arena, struct slice yaml, const struct tree_node **root, struct error *error) MUST_USE;

/* The value of a mapping's member; NULL when there is none. */
const struct tree_node *tree_member(const struct tree_node *mapping, const char *name);

#endif
