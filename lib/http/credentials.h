/* What a request says about who sends it: taken from headers, turned into hashes, not yet believed.
 *
 * The secrets themselves go no further than this module: the database compares SHA-256 values. */
#ifndef HTTP_CREDENTIALS_H
#define HTTP_CREDENTIALS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/crypto.h"
#include "base/error.h"
#include "http/request.h"

#define SESSION_COOKIE "flywheel_session"

struct http_credentials {
    bool has_key, has_session, has_token;
    struct sha256 key;     /* of X-API-Key */
    struct sha256 session; /* of the session cookie */
    struct sha256 token;   /* of the bearer token */
};

/* Never fails: what is missing or malformed is simply not there. */
void http_credentials_read(const struct http_request *request, struct http_credentials *credentials);

/* The token that a page must send back to prove that it is ours, made from the session's secret so that nothing
 * need be stored: base64url of SHA-256("csrf", secret). In the arena. */
char *http_csrf_token(struct arena *arena, struct slice session_secret);

/* The key under which an answer that holds a secret is kept for a repetition with the same Idempotency-Key: made from what
 * was sent to say who is calling (the API key, else the session), of which the database knows the hash only. */
struct sha256 http_sealing_key(const struct http_request *request);

/* Refuses (ERROR_FORBIDDEN) a write that a browser may have been tricked into: one that relies on the session
 * cookie and neither carries the CSRF token nor comes from our own origin, as Sec-Fetch-Site (Fetch Metadata)
 * or else Origin (RFC 6454) tells. Requests with a key or a token are not the browser's doing. */
bool http_same_origin(const struct http_request *request, struct error *error) MUST_USE;

#endif
