/* What operators set up: partners, people, keys, sites, appliances, runbooks.
 *
 * Each function is one transaction that also writes the audit log under the operator's name. Secrets are returned once, in
 * the arena, and kept only as hashes. What names something unknown is ERROR_NOT_FOUND, what exists already ERROR_CONFLICT,
 * a value of the wrong form ERROR_INVALID, each with a sentence that says which. */
#ifndef PROMOTION_OPERATORS_H
#define PROMOTION_OPERATORS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "db/database.h"
#include "promotion/users.h"

/* Who operates, on what. */
struct operation {
    struct database *database;
    struct arena *arena;
    const char *operator_name; /* for the audit log */
};

bool operator_add_partner(const struct operation *operation, const char *slug, const char *name, const char **id,
                          struct error *error) MUST_USE;

/* Makes a person with a random password. `role`: viewer, approver or admin. */
bool operator_add_user(const struct operation *operation, const char *partner_slug, const char *email,
                       const char *display_name, const char *role, const char **password,
                       struct error *error) MUST_USE;

/* Makes an API key. `scopes`: comma-separated read, decide, admin. `user_email`: the person it acts as, NULL for the partner
 * itself. `expires_s`: seconds from now. */
struct new_key {
    const char *id, *prefix, *secret, *scopes;
    struct slice expires_at; /* as PostgreSQL prints it */
};
bool operator_add_key(const struct operation *operation, const char *partner_slug, const char *name, const char *scopes,
                      const char *user_email, long expires_s, struct new_key *key, struct error *error) MUST_USE;

/* A partner's keys, newest first; rows for api_key_at of promotion/keys.h. */
bool operator_list_keys(const struct operation *operation, const char *partner_slug, const struct db_rows **rows,
                        struct error *error) MUST_USE;

/* Replaces a key, named by its id, its prefix or itself, by a new one with the same scopes, person and name; the old one works for
 * `overlap_s` more seconds (0: not any more), never longer than it would have. ERROR_NOT_FOUND also for a key that is
 * revoked, expired or rotated before. */
bool operator_rotate_key(const struct operation *operation, const char *old_key, long expires_s, long overlap_s,
                         struct new_key *key, struct error *error) MUST_USE;

/* Revokes a key, named by its id, its prefix or itself, at once. `partner_slug`: whose it must be, NULL for anybody's. */
bool operator_revoke_key(const struct operation *operation, const char *key, const char *partner_slug, const char **id,
                         struct error *error) MUST_USE;

/* Disables a person, who is signed out everywhere, or enables one again. `status`: disabled or active. What is so already
 * changes nothing. Unlike an admin an operator may disable a partner's last admin. */
bool operator_set_user_status(const struct operation *operation, const char *email, const char *status,
                              struct person *person, struct error *error) MUST_USE;

/* Lifts the lock-out of an address after failed sign-ins. */
bool operator_unlock_user(const struct operation *operation, const char *email, bool *was_locked,
                          struct error *error) MUST_USE;

/* Makes a link by which a person chooses a new password; see promotion/users.h. */
bool operator_reset_password(const struct operation *operation, const char *email, struct password_link *link,
                             struct error *error) MUST_USE;

bool operator_add_site(const struct operation *operation, const char *partner_slug, const char *site_id,
                       const char *name, struct error *error) MUST_USE;

/* Makes an appliance with a token; of one that exists and is active, another token (for rotation with overlap). */
bool operator_add_appliance(const struct operation *operation, const char *site_id, const char *appliance_id,
                            const char **token, struct error *error) MUST_USE;

/* Gives an active appliance another token; those that it has work for `overlap_s` more seconds (0: not any more), never
 * longer than they would have. `site_id`: whose it must be, NULL for any site's. */
enum { TOKEN_OVERLAP_S = 7 * 86400 }; /* where nothing else is wished */
struct token_rotation {
    const char *token;
    struct slice site_id, old_tokens_until; /* the latest end, as PostgreSQL prints it; absent when no old one was good */
    long long old_tokens;
};
bool operator_rotate_token(const struct operation *operation, const char *appliance_id, const char *site_id,
                           long overlap_s, struct token_rotation *rotation, struct error *error) MUST_USE;

/* The appliances of a partner, of a site, or (both NULL) all, in order; rows for appliance_token_at: one for each token
 * that is good, with the appliance it belongs to, or one without a token. */
struct appliance_token {
    struct slice appliance_id, site_id, partner_slug, status, last_seen_at;
    struct slice created_at, expires_at; /* of the token; absent: there is none, it does not expire */
};
bool operator_list_appliances(const struct operation *operation, const char *partner_slug, const char *site_id,
                              const struct db_rows **rows, struct error *error) MUST_USE;
struct appliance_token appliance_token_at(const struct db_rows *rows, size_t row);

/* Revokes an appliance and all its tokens. `site_id`: whose it must be, NULL for any site's. */
bool operator_revoke_appliance(const struct operation *operation, const char *appliance_id, const char *site_id,
                               struct error *error) MUST_USE;

/* Adds a runbook to the catalogue, or check types to one that is there. `check_types`, `hipaa_controls`: comma-separated
 * or NULL. NULL `title`, `platform`, `risk_tier` are possible only for one that is there. */
struct new_runbook {
    const char *runbook_id, *title, *platform, *action, *risk_tier, *hipaa_controls, *check_types;
};
bool operator_add_runbook(const struct operation *operation, const struct new_runbook *runbook,
                          struct error *error) MUST_USE;

#endif
