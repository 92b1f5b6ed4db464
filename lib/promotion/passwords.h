/* Passwords: looked at, chosen by a link, changed. Kept as argon2id hashes only. At most one is hashed at a time in a
 * process, because each takes 64 MiB. */
#ifndef PROMOTION_PASSWORDS_H
#define PROMOTION_PASSWORDS_H

#include "promotion/session.h"

enum { PASSWORD_SHORTEST = 12, PASSWORD_LONGEST = 1024 };

/* Whether the password is the one of `hash`. NULL: of nobody; never, and it takes as long. */
bool password_fits(struct arena *arena, const char *hash, struct slice password) MUST_USE;

/* Chooses a password by the token of an invitation's or a reset's link, which works once: all sessions of the person end,
 * who is invited becomes active, a lock-out is lifted. `email`: whose it was. ERROR_INVALID about `/token` when the link is
 * unknown, used or expired, about `/password` when that is the address. */
bool password_set_by_link(struct database *database, struct arena *arena, const char *request_id, struct slice token,
                          struct slice password, const char **email, struct error *error) MUST_USE;

/* Changes the password of the person who has signed in, and ends the person's other sessions. ERROR_INVALID about
 * `/current_password` when that is wrong, which counts as a failed attempt to sign in (promotion/lockout.h). */
bool password_change(struct session *session, struct slice current, struct slice chosen, struct error *error) MUST_USE;

#endif
