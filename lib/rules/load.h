/* Reading a rule back from YAML.
 *
 * The checks are those of the L1 engine at load: one thing wrong refuses the whole text with a
 * reason that names the rule's member, so that a rule is never loaded in part. Refused with
 * ERROR_INVALID and the slug `rule-refused`: more than RULE_YAML_LIMIT bytes, anything but one YAML
 * document with one mapping, a member twice, aliases and tags (they smuggle), a `rules:` list, a
 * missing or bad id, an action outside the list, no conditions, an unknown operator, a member of
 * another type than it must have, no list for `in` and `not_in`, no boolean for `exists`, an
 * invalid regular expression. Members it does not know are passed over.
 *
 * Plain (unquoted) scalars are read as YAML 1.1 readers in the field do: `no` is false, `12` is a
 * number. Those on which YAML 1.1 and 1.2 disagree about numbers (`1e3`, `017`, `12:30:45`, dates)
 * are refused: quoting settles it.
 *
 * Pure and thread-safe. */
#ifndef RULES_LOAD_H
#define RULES_LOAD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "rules/rule.h"

/* Reads the YAML of one rule. Everything in `out` lies in the arena. Members that are not there get
 * the values of a promoted rule (enabled, priority 50, cooldown 300 s, one retry, empty lists);
 * `id`, `conditions` and `action` must be there. On false `out` is undefined. */
MUST_USE bool rule_load_yaml(struct arena *arena, struct slice yaml, struct rule *out,
                             struct error *error);

#endif
