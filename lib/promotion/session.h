/* A caller's dealings with the database: who it is, what it may do, and on whose behalf.
 *
 * Every read and every change starts by asking the database who is calling, in the same transaction as
 * the work itself: row security then shows that partner's rows and no others, and a key that was revoked a
 * moment ago opens nothing. A check that cannot be made is a refusal.
 *
 * A session belongs to one request. */
#ifndef PROMOTION_SESSION_H
#define PROMOTION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/database.h"

/* What an endpoint asks of its caller. */
enum scope {
    SCOPE_READ,   /* a partner that may read */
    SCOPE_DECIDE, /* a person or key that may decide */
    SCOPE_ADMIN,  /* a person or key that may all that a partner may */
    SCOPE_USER,   /* a person who has signed in, or a key that acts as one */
    SCOPE_SESSION, /* a person who has signed in */
    SCOPE_AGENT,  /* an appliance */
};

/* Who is calling, as the database said. */
struct principal {
    struct slice kind;     /* user, key or appliance */
    struct slice actor_id; /* uuid */
    struct slice actor;    /* how the audit log names it */
    struct slice user_id;  /* absent for keys that act for the partner */
    struct slice partner_id;
    struct slice role;
    struct slice key_id; /* the API key that was used */
    struct slice site_id;
    struct slice appliance_id;
    bool can_read, can_decide, can_admin;
};

struct session {
    struct database *database;
    struct arena *arena;
    const char *request_id;
    /* SHA-256 of what the caller sent, as PostgreSQL writes a bytea; NULL where nothing was sent. */
    const char *key_hash;
    const char *session_hash;
    const char *token_hash;
    enum scope needed;
    struct principal principal; /* filled by the first read or change */
};

enum { SESSION_CALLS_MAX = 8 };

/* Runs up to SESSION_CALLS_MAX statements as the caller, in one round trip with the sign-in. `rows[i]` gets the
 * result of calls[i]. ERROR_UNAUTHENTICATED or ERROR_FORBIDDEN when the caller may not. */
bool session_read(struct session *session, const struct db_call *calls, size_t count, const struct db_rows **rows,
                  struct error *error) MUST_USE;

/* Asks who is calling, and what time it is by the database's clock, in microseconds since 1970: what is dated here goes by
 * the same clock as what the database dates itself, whatever the clock of this machine says. */
bool session_begin(struct session *session, int64_t *now, struct error *error) MUST_USE;

/* ---- changes -------------------------------------------------------------------------------------- */

/* A change under way: the caller and the transaction. */
struct change {
    struct session *session;
    struct db_transaction *transaction;
};

/* The answer to a change, rendered while the transaction is open, so that it can be kept for replays. */
struct answer {
    int status;
    const char *content_type;
    struct buffer *body;
    bool replayed;
    bool secret; /* set by the work when the answer holds a secret: it is kept sealed */
};

/* The caller's Idempotency-Key and what it was sent with; `key` absent when none was sent. */
struct idempotency {
    struct slice key;
    const char *request_hash; /* bytea text: of method, path, query and body */
    struct sha256 seal; /* the key for answers that hold a secret; made of what the caller sent, and not stored */
};

/* Does the work and renders the answer. May run more than once, each time in a new transaction. */
typedef bool change_work(struct change *change, void *argument, struct answer *answer, struct error *error);

/* Renders a refusal, for keeping. */
typedef void change_refusal(const struct error *error, const char *request_id, struct answer *answer);

/* Runs `work` as the caller in one transaction: all of it happens or nothing does.
 *
 * With an Idempotency-Key, the first answer is kept for 24 hours and given again to the same caller for the same
 * request; the same key with another request is ERROR_INVALID. An answer that holds a secret is kept sealed, and is
 * ERROR_CONFLICT for the same person with another session or key, who cannot open it. Refusals of the work (ERROR_NOT_FOUND, CONFLICT,
 * INVALID) count as answers: then `answer` holds what `refusal` rendered and the function returns true. Without a
 * key they are returned as errors. */
bool change_run(struct session *session, const struct idempotency *idempotency, change_work *work, void *argument,
                change_refusal *refusal, struct answer *answer, struct error *error) MUST_USE;

#endif
