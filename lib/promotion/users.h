/* The people of a partner, as its admins manage them.
 *
 * Changes are made on behalf of the caller's partner (the principal's); whoever is another partner's is ERROR_NOT_FOUND, as
 * is an id of no form. What is so already changes nothing and is not logged. */
#ifndef PROMOTION_USERS_H
#define PROMOTION_USERS_H

#include "promotion/list.h"
#include "promotion/session.h"

struct person {
    struct slice id, email, display_name, role, status, created_at, last_sign_in_at, locked_until;
    bool has_password;
};

/* By which a person chooses a password; its token is kept as a hash only. */
struct password_link {
    const char *token;
    struct slice expires_at;
};

enum { USER_KEYS = 1, INVITATION_HOURS = 72, RESET_HOURS = 24 };

/* A page of the caller's people, by address. */
bool users_page(struct session *session, const struct page *page, struct list *list, struct error *error) MUST_USE;
struct person person_at(const struct db_rows *rows, size_t row);
void person_keys(const struct list *list, size_t row, struct slice *keys);

/* Whether it looks like an e-mail address. */
bool address_is_good(struct slice email);

/* Makes a person without a password, and the link by which one is chosen. Without a display name the address takes its
 * place. ERROR_CONFLICT when somebody has the address, at whatever partner. */
bool user_invite(struct change *change, struct slice email, struct slice display_name, struct slice role,
                 struct person *person, struct password_link *link, struct error *error) MUST_USE;

/* What is to become of a person; absent slices stay as they are. `status` is `disabled`, or `active`: not disabled, so that
 * one who never chose a password is invited again. */
struct person_change {
    struct slice role, display_name, status;
};

/* Disabling ends sessions and links. ERROR_CONFLICT for one's own role and status, and when no active admin would be left;
 * of two admins who change each other at once, one is refused. */
bool user_change(struct change *change, struct slice id, const struct person_change *wanted, struct person *person,
                 struct error *error) MUST_USE;

/* Makes a link for a new password, ends earlier ones, and lifts a lock-out. ERROR_CONFLICT for one who is disabled. */
bool user_reset_password(struct change *change, struct slice id, struct person *person, struct password_link *link,
                         struct error *error) MUST_USE;

/* ---- for operators ----------------------------------------------------------------------------------------- */

/* user_change of the status alone, without its rules about oneself and the last admin. */
bool user_set_status(struct change *change, struct slice id, struct slice status, struct person *person,
                     struct error *error) MUST_USE;

/* Lifts a lock-out; `was_locked` tells whether there was one. */
bool user_unlock(struct change *change, struct slice id, struct person *person, bool *was_locked,
                 struct error *error) MUST_USE;

#endif
