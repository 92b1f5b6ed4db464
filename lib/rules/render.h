/* A rule as text: YAML for appliances, JSON for callers and the row, canonical JSON for its digest.
 *
 * YAML comes from libyaml's emitter and JSON from base/json.h, never from string formatting, so
 * that a name such as `a: b # "c"`, `no` or `1e3` comes back as the identical string from any YAML
 * 1.1 or 1.2 reader. Members are written in the order of struct rule; `severity_filter` only when
 * it is not empty, and `action_params.runbook_id` only when there is one.
 *
 * Pure and thread-safe. All text returned lies in the arena and is also NUL-terminated. */
#ifndef RULES_RENDER_H
#define RULES_RENDER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/json.h"
#include "base/slice.h"
#include "rules/rule.h"

enum { RULE_DIGEST_LENGTH = 64 }; /* hexadecimal digits of SHA-256 */

/* The rule as one YAML document of at most RULE_YAML_LIMIT bytes, UTF-8, ending in a line feed.
 * ERROR_INVALID with slug `rule-too-large` when it does not fit; ERROR_INTERNAL with slug
 * `rule-render` when libyaml refuses, which valid UTF-8 never causes. */
MUST_USE bool rule_to_yaml(struct arena *arena, const struct rule *rule, struct slice *yaml,
                           struct error *error);

/* The rule as JSON, members in the order of the YAML. Absent only for a rule of more than 64 KiB,
 * which rule_to_yaml has refused before. */
struct slice rule_to_json(struct arena *arena, const struct rule *rule);

/* The same, as a member `name` of an open document. */
void rule_write_json(struct json_writer *writer, const char *name, const struct rule *rule);

/* Its action_params alone: what the one who acts needs besides the action. */
void rule_write_action_params(struct json_writer *writer, const char *name, const struct rule *rule);

/* RFC 8785 canonical JSON of what the rule does: {action, action_params, conditions,
 * cooldown_seconds, max_retries, priority, severity_filter}. `severity_filter` is `[]` when empty.
 * Name, description and id are not part: renaming a rule does not change what it does. */
struct slice rule_canonical_json(struct arena *arena, const struct rule *rule);

/* Lower-case hexadecimal SHA-256 of rule_canonical_json. */
struct slice rule_digest(struct arena *arena, const struct rule *rule);

/* Lower-case hexadecimal SHA-256 of any bytes; for the digest of the YAML that appliances check. */
struct slice bytes_digest(struct arena *arena, struct slice bytes);

#endif
