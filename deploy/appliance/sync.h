/* One cycle with the server: send the queue, push counters, pull rules, verify and install them, acknowledge.
 *
 * Only one cycle at a time: processes wait for each other at the lock file beside the state file. Killed anywhere, a
 * cycle leaves the old rules or the new ones, and the next one finishes its work. */
#ifndef APPLIANCE_SYNC_H
#define APPLIANCE_SYNC_H

#include "server.h"
#include "settings.h"

struct sync_result {
    bool done;        /* all of it happened */
    bool pulled;      /* the server answered with rules that were taken, or that nothing changed */
    long retry_after; /* seconds that the server wants to be left alone; 0 when it did not say */
};

/* Told why on standard error. `server` is kept from one cycle to the next; the rest is opened anew, since a token, a key
 * or the state file may have been replaced. */
struct sync_result sync_once(const struct settings *settings, struct server *server);

#endif
