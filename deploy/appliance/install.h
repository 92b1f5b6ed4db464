/* Putting a verified answer into the store.
 *
 * One transaction: all of the answer or nothing of it, whatever happens to the process or the machine. Only the store is
 * changed; reconcile.h makes the files agree with it.
 *
 * A rule that the engine's own load checks refuse, or whose text has another id, is not installed: it is kept in `refused`
 * with the reason, and what was installed of it before stays. reconcile() tells it. */
#ifndef APPLIANCE_INSTALL_H
#define APPLIANCE_INSTALL_H

#include "cycle.h"
#include "verify.h"

/* `etag` is the answer's, empty when it has none. False when the store could not be written; then nothing has changed. */
bool install_delivery(struct cycle *cycle, const struct delivery *delivery, const char *etag) MUST_USE;

#endif
