/* The promoted rules as they were verified, instead of what their files say now. */
#ifndef APPLIANCE_VERIFIED_RULES_H
#define APPLIANCE_VERIFIED_RULES_H

#include <stdbool.h>

#include "base/compiler.h"
#include "rules/rule_folder.h"
#include "store.h"

/* Whether the store knows what is verified: an answer of a server has been installed, if only one without rules. True, too,
 * when the store cannot be read, which verified_rules_add will tell. */
bool verified_rules_exist(struct store *store);

/* Adds every rule that the store has installed, and reports the files in `promoted` that differ, are missing or were never
 * sent. A rule whose copy in the store no longer has its digest is reported and left out. False when the store cannot be
 * read, which is reported too. */
bool verified_rules_add(struct store *store, const char *promoted, struct rule_folder *folder, rule_report *report,
                        void *context) MUST_USE;

#endif
