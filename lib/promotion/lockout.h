/* Lock-out: ten failed attempts for one address within 15 minutes lock it for 15 minutes, whether anybody has the address
 * or not, so that nobody learns from it who exists. Sessions that are open go on.
 *
 * An attempt is counted before its password is looked at, in a transaction of its own, and forgotten with all before it
 * when the password was right: however many try at once, ten passwords are looked at. */
#ifndef PROMOTION_LOCKOUT_H
#define PROMOTION_LOCKOUT_H

#include "promotion/session.h"

struct attempt {
    bool locks; /* the address, if it fails */
};

/* Counts an attempt for the address. ERROR_TOO_MANY, with the time to wait, while it is locked. */
bool lockout_begin(struct database *database, struct arena *arena, const char *address, struct attempt *attempt,
                   struct error *error) MUST_USE;

/* The attempt has failed: tells the audit log, and of the lock-out if it was this one that locks. The principal of
 * `session` is the person whose address it is. */
bool lockout_record(struct session *session, const struct attempt *attempt, struct error *error) MUST_USE;

/* The attempt has succeeded, or somebody lifts the lock-out: forgets the failures. The one value of the result tells whether
 * the address was locked. */
struct db_call lockout_forget_call(struct arena *arena, const char *address);

#endif
