/* Telling the server where this appliance stands.
 *
 * What is told is made from the state, not from what happened: the rules that are in force, those that are not and why,
 * those that were removed, the operator's files that do not load, and what was wrong with files. So it can be said twice,
 * and what was lost is said again. Nothing is sent while the server knows all of it. */
#ifndef APPLIANCE_ACK_H
#define APPLIANCE_ACK_H

#include "cycle.h"

/* After reconcile(). The cycle fails when the server could not be told. */
void ack_send(struct cycle *cycle);

#endif
