/* Which rules rest for which hosts: the memory behind rules/rule_set.h's cooldown_claim.
 *
 * A claim is one SQL statement, so of several processes with the same state file one gets it. It lasts from the moment of
 * the match for the rule's cooldown_seconds, and survives a restart. A store `:memory:` keeps it as long as the process
 * runs. What cannot be written cannot be claimed: a rule whose action nobody would remember must not act. */
#ifndef APPLIANCE_COOLDOWN_H
#define APPLIANCE_COOLDOWN_H

#include <stdbool.h>

#include "base/slice.h"
#include "rules/rule.h"
#include "store.h"

struct cooldowns {
    struct store *store;
    unsigned claims; /* since the expired ones were last thrown away */
    bool failed;     /* a claim could not be written (store_why) since the caller last made this false */
};

/* Also throws away what has expired. */
struct cooldowns cooldowns_make(struct store *store);

/* A cooldown_claim; `context` is a struct cooldowns. */
bool cooldown_try(void *context, const struct rule *rule, struct slice host);

#endif
