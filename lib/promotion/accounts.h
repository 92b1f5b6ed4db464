/* A caller's own account: who am I, whose partner, which sites. */
#ifndef PROMOTION_ACCOUNTS_H
#define PROMOTION_ACCOUNTS_H

#include "promotion/session.h"

struct partner_profile {
    struct slice id, name, slug, brand_name, contact_email, status, created_at, site_count, appliance_count;
};

struct user_profile {
    struct slice id, email, display_name, role, last_sign_in_at;
};

/* The signed-in person and the partner. */
bool account_read(struct session *session, struct partner_profile *partner, struct user_profile *user,
                  struct error *error) MUST_USE;

/* The caller's partner. */
bool partner_read(struct session *session, struct partner_profile *partner, struct error *error) MUST_USE;

struct site_summary {
    struct slice site_id, clinic_name, appliance_count, pattern_count, pending_candidates, active_rules, executions_30d,
        last_synced_at, silent_appliances, failing_appliances, last_seen_at;
};

/* All sites of the caller's partner, by name. */
bool sites_read(struct session *session, const struct db_rows **rows, struct error *error) MUST_USE;
struct site_summary site_at(const struct db_rows *rows, size_t row);

#endif
