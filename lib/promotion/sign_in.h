/* Signing in and out. */
#ifndef PROMOTION_SIGN_IN_H
#define PROMOTION_SIGN_IN_H

#include "promotion/accounts.h"

enum { SESSION_HOURS = 12 };

/* Signs a person in: checks the password and makes a session whose secret is returned in `secret` (in the
 * arena). ERROR_UNAUTHENTICATED with the same words whatever was wrong; takes as long either way. ERROR_TOO_MANY while
 * the address is locked (promotion/lockout.h). */
bool account_sign_in(struct database *database, struct arena *arena, const char *request_id, struct slice email,
                     struct slice password, const char **secret, struct partner_profile *partner,
                     struct user_profile *user, struct error *error) MUST_USE;

/* Ends the session of the caller; an unknown one is no error. */
bool account_sign_out(struct database *database, struct arena *arena, const char *request_id, const char *session_hash,
                      struct error *error) MUST_USE;

#endif
