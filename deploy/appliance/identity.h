/* Whose state it is. A state file holds the rules, the revision and the reports of one appliance: left in place when the
 * machine goes to another site, or copied to another machine, it would let the rules of the one act at the other. */
#ifndef APPLIANCE_IDENTITY_H
#define APPLIANCE_IDENTITY_H

#include "settings.h"
#include "store.h"

/* Whether the store is of the appliance that the settings name; before rules were installed it is nobody's, which will do
 * as well. False with a sentence in `why`: it is another's, or cannot be read. */
bool identity_check(struct store *store, const struct settings *settings, char *why, size_t why_size) MUST_USE;

/* From now on the store is that appliance's. */
bool identity_keep(struct store *store, const struct settings *settings) MUST_USE;

#endif
