/* A promoted rule's file beside what was verified.
 *
 * Each promoted rule is the file `<rule_id>.yaml` in rules_dir/promoted/. The store (store.h) has the YAML that was signed;
 * a file that says something else was edited, and does not count. */
#ifndef APPLIANCE_PROMOTED_H
#define APPLIANCE_PROMOTED_H

#include <stdbool.h>

#include "base/slice.h"
#include "settings.h"

#define PROMOTED_ENDING ".yaml"

enum promoted_state { PROMOTED_SAME, PROMOTED_EDITED, PROMOTED_MISSING };

/* `same`, `edited`, `missing`: what status calls them. */
const char *promoted_state_name(enum promoted_state state);

/* Writes the path of a rule's file; false when it is too long. */
bool promoted_path(char path[PATH_LIMIT], const char *folder, struct slice rule_id) MUST_USE;

/* The rule whose file has this name; absent for a name that is none of the agent's own. */
struct slice promoted_rule_id(const char *name);

/* Compares the file of a rule with the digest of its verified YAML, 64 hexadecimal digits. What is no regular file, cannot
 * be read or is larger than a rule may be counts as edited. */
enum promoted_state promoted_look(const char *folder, struct slice rule_id, struct slice digest);

#endif
