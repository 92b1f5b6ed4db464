/* Asking for rules, and taking the answer.
 *
 * The cursor is the server's revision, never a clock. "Not modified" is allowed only while more than half of the life of
 * the last signature is left, so that a server that only repeats itself is noticed. When a rule was refused, everything is
 * asked for again at that time: a newer agent may accept it. */
#ifndef APPLIANCE_PULL_H
#define APPLIANCE_PULL_H

#include "cycle.h"

/* Sets `pulled` of the cycle when the answer is in the store now, or said that nothing changed. Else nothing has changed,
 * and where the answer was refused `refusal` says why. True when there is something new to reconcile. */
bool pull_rules(struct cycle *cycle) MUST_USE;

#endif
