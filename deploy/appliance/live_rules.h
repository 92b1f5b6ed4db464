/* The rules of a folder and its promoted/, kept as the files are now.
 *
 * Without a store, or with one that no server's answer has ever reached, the promoted rules are what their files say. Else
 * they are what was verified: the store has every promoted rule as it was signed, and that is used, whatever became of its
 * file; a file that was edited, is missing, or that the server has never sent, is told. */
#ifndef APPLIANCE_LIVE_RULES_H
#define APPLIANCE_LIVE_RULES_H

#include <stdbool.h>

#include "base/compiler.h"
#include "rules/rule_engine.h"
#include "store.h"

struct live_rules;

/* Loads the rules; what cannot be loaded is told (tell.h), and costs only itself. NULL when the folder itself, or the
 * store, cannot be read, which has been told too. The store, NULL for none, stays the caller's. */
struct live_rules *live_rules_open(const char *folder, struct store *store) MUST_USE;
void live_rules_close(struct live_rules *rules);

/* Loads them again if anything has changed. When the folder or the store cannot be read, the old rules stay. */
void live_rules_refresh(struct live_rules *rules);

/* The rules in force; they change in live_rules_refresh only. */
struct rule_engine *live_rules_engine(const struct live_rules *rules);

/* To be polled: a descriptor that is readable when a refresh is due, and the milliseconds after which one is due all the
 * same, -1 for never. */
int live_rules_events(const struct live_rules *rules);
int live_rules_patience_ms(const struct live_rules *rules);

#endif
