/* Sending the counters of patterns.
 *
 * Counters are cumulative, so that what is sent twice counts once. Only patterns that changed since they were sent are
 * sent; one that changes while it is under way is sent again in the next cycle. */
#ifndef APPLIANCE_PUSH_H
#define APPLIANCE_PUSH_H

#include "cycle.h"

enum { PUSH_PATTERNS = 1000 }; /* in one request */

/* The cycle fails when the server did not take all of them. A pattern that it refuses is not sent again until it
 * changes. */
void push_patterns(struct cycle *cycle);

/* Has all patterns sent again: when the server seems to have lost what it knew. */
bool push_again(struct store *store) MUST_USE;

#endif
