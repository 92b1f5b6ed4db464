/* What the steps of one cycle with the server share.
 *
 * A step that cannot do all of its work fails the cycle with a reason and leaves the rest to the next one; other steps go
 * on all the same. */
#ifndef APPLIANCE_CYCLE_H
#define APPLIANCE_CYCLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "server.h"
#include "settings.h"
#include "store.h"

/* A rule or a file, and what is wrong with it. */
struct trouble {
    struct slice name;
    const char *why;
    struct trouble *next;
};

struct cycle {
    const struct settings *settings;
    struct store *store;
    struct server *server;
    struct arena *arena;             /* lives as long as the cycle */
    struct arena *scratch;           /* belongs to the step that runs, which resets it */
    struct trouble *unmet;           /* rules that are not as the server wants them: not in force, or still there */
    struct trouble *broken;          /* operators' files that do not load */
    const char *disorder;            /* the first reason why rules and files are not as they should be; NULL: they are */
    char refusal[ERROR_DETAIL_SIZE]; /* why an answer was refused as a whole; else empty */
    char why[ERROR_DETAIL_SIZE];     /* the first reason why the cycle failed; empty while all goes well */
    bool pulled;                     /* the server answered with rules, or that nothing changed */
    bool unreachable;                /* no use in asking for more */
    long retry_after;                /* seconds that the server wants to be left alone */
};

/* Fails the cycle: tells the reason on standard error, keeps the first for `status`, and is false. */
bool cycle_fail(struct cycle *cycle, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same for a request: `what` could not be done. Notes whether the server can be reached, and how long it wants to be
 * left alone. A request that was broken off since the process is to end fails nothing. */
bool cycle_fail_request(struct cycle *cycle, const char *what, const struct error *error);

/* The same for the store. */
bool cycle_fail_store(struct cycle *cycle);

/* The same for a reason that was told already. */
void cycle_keep(struct cycle *cycle, const char *why);

bool cycle_is_unmet(const struct cycle *cycle, struct slice rule_id);

/* Puts a trouble before the others of a list. Copies the name and the reason. */
void cycle_add_trouble(struct cycle *cycle, struct trouble **list, struct slice name, const char *why);

#endif
