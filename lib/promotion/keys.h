/* API keys: listing, making, replacing, ending. Only hashes are kept; a secret is shown once.
 *
 * Changes are made on behalf of the principal's partner; another partner's key is ERROR_NOT_FOUND, as is an id of no form. */
#ifndef PROMOTION_KEYS_H
#define PROMOTION_KEYS_H

#include "promotion/list.h"
#include "promotion/session.h"

struct api_key {
    struct slice id, name, prefix, scopes, acts_as, status, created_at, expires_at, last_used_at, revoked_at, replaced_by;
    struct slice user_id; /* whom it acts as; absent: the partner */
};

enum { KEY_KEYS = 2 };

/* A page of the caller's keys, newest first. `scopes` are separated by commas. */
bool keys_page(struct session *session, const struct page *page, struct list *list, struct error *error) MUST_USE;
struct api_key api_key_at(const struct db_rows *rows, size_t row);
void api_key_keys(const struct list *list, size_t row, struct slice *keys);

/* A key to be made. `user_id`: the person it acts as, absent for the partner; whether that is allowed is the caller's to
 * know. `scopes` are separated by commas. */
struct key_wish {
    struct slice name, user_id;
    const char *scopes;
    long expires_s; /* from now */
};

bool key_create(struct change *change, const struct key_wish *wish, struct api_key *key, const char **secret,
                struct error *error) MUST_USE;

/* Makes a key with the name, scopes and person of an old one, which works for `overlap_s` more seconds, never longer than it
 * would have. ERROR_CONFLICT when the old one is not valid any more, was rotated before, or acts as somebody else than the
 * caller: a secret that acts as a person is for that person only. Operators may rotate any. */
struct rotation {
    struct api_key key, previous;
    const char *secret;
};
bool key_rotate(struct change *change, struct slice id, long expires_s, long overlap_s, struct rotation *rotation,
                struct error *error) MUST_USE;

/* Ends a key at once. One that is revoked stays so, and nothing is logged. */
bool key_revoke(struct change *change, struct slice id, struct api_key *key, struct error *error) MUST_USE;

/* For operators: the newest 1,000 keys of a partner; rows for api_key_at. */
bool keys_of(struct database *database, struct arena *arena, const char *partner_slug, const struct db_rows **rows,
             struct error *error) MUST_USE;

#endif
