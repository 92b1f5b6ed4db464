/* Reading rules back from YAML.
 *
 * The checks are those of the L1 engine at load: one thing wrong refuses the whole text with a reason that names the
 * rule's member, so that neither a rule nor a file is ever loaded in part. Refused with ERROR_INVALID and the slug
 * `rule-refused`: more bytes than a rule or a file may have, anything but one YAML document with one mapping, a member
 * twice, aliases and tags (they smuggle), a missing or bad id, an action outside the list, no conditions, an unknown
 * operator, a member of another type than it must have, no list for `in` and `not_in`, no boolean for `exists`, an
 * invalid regular expression; in a file also an id that stands twice, and a list of rules where one rule must be. Members
 * it does not know are passed over.
 *
 * Plain (unquoted) scalars are read as YAML 1.1 readers in the field do: `no` is false, `12` is a number. Those on which
 * YAML 1.1 and 1.2 disagree about numbers (`1e3`, `017`, `12:30:45`, dates) are refused: quoting settles it.
 *
 * Members that are not there get the values of a promoted rule (enabled, priority 50, cooldown 300 s, one retry, empty
 * lists); `id`, `conditions` and `action` must be there.
 *
 * Pure and thread-safe. Everything that is returned lies in the arena. */
#ifndef RULES_LOAD_H
#define RULES_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "rules/rule.h"

enum { RULE_FILE_LIMIT = 1024 * 1024 /* bytes */ };

/* Reads the YAML of one rule, at most RULE_YAML_LIMIT bytes. On false `out` is undefined. */
bool rule_load_yaml(struct arena *arena, struct slice yaml, struct rule *out, struct error *error) MUST_USE;

/* Reads the YAML of a file, at most RULE_FILE_LIMIT bytes: one rule, or a mapping whose member `rules` is a list of one rule
 * or more. Each rule has at most RULE_YAML_LIMIT bytes, from its first member to the end of its last, comments between them
 * included. On false nothing is returned. */
bool rule_load_file(struct arena *arena, struct slice yaml, const struct rule **rules, size_t *count,
                    struct error *error) MUST_USE;

#endif
