/* People and their partner: signing in and out, who am I, what is ours. */
#ifndef PROMOTION_ACCOUNTS_H
#define PROMOTION_ACCOUNTS_H

#include "promotion/session.h"

struct partner_profile {
    struct slice id, name, slug, brand_name, contact_email, status, created_at, site_count, appliance_count;
};

struct user_profile {
    struct slice id, email, display_name, role, last_sign_in_at;
};

enum { SESSION_HOURS = 12 };

/* Signs a person in: checks the password and makes a session whose secret is returned in `secret` (in the
 * arena). ERROR_UNAUTHENTICATED with the same words whatever was wrong; takes as long either way. At most one
 * password is hashed at a time in a process, because each takes 64 MiB. */
bool account_sign_in(struct database *database, struct arena *arena, const char *request_id, struct slice email,
                     struct slice password, const char **secret, struct partner_profile *partner,
                     struct user_profile *user, struct error *error) MUST_USE;

/* Ends the session of the caller; an unknown one is no error. */
bool account_sign_out(struct database *database, struct arena *arena, const char *request_id, const char *session_hash,
                      struct error *error) MUST_USE;

/* The signed-in person and the partner. */
bool account_read(struct session *session, struct partner_profile *partner, struct user_profile *user,
                  struct error *error) MUST_USE;

/* The caller's partner. */
bool partner_read(struct session *session, struct partner_profile *partner, struct error *error) MUST_USE;

struct site_summary {
    struct slice site_id, clinic_name, appliance_count, pattern_count, pending_candidates, active_rules, executions_30d,
        last_synced_at;
};

/* All sites of the caller's partner, by name. */
bool sites_read(struct session *session, const struct db_rows **rows, struct error *error) MUST_USE;
struct site_summary site_at(const struct db_rows *rows, size_t row);

#endif
