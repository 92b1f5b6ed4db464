#include "http/credentials.h"

#include <strings.h>

void http_credentials_read(const struct http_request *request, struct http_credentials *credentials)
{
    static const char bearer[] = "Bearer ";
    size_t bearer_len = sizeof bearer - 1;
    *credentials = (struct http_credentials){0};
    struct slice cookie = http_cookie(request, SESSION_COOKIE);
    struct slice authorization = request->authorization;
    if (slice_present(request->api_key)) {
        credentials->has_key = true;
        credentials->key = sha256_of(request->api_key);
    }
    if (slice_present(cookie) && cookie.len > 0) {
        credentials->has_session = true;
        credentials->session = sha256_of(cookie);
    }
    if (authorization.len > bearer_len && strncasecmp(authorization.ptr, bearer, bearer_len) == 0) {
        credentials->has_token = true;
        credentials->token =
            sha256_of((struct slice){authorization.ptr + bearer_len, authorization.len - bearer_len});
    }
}

char *http_csrf_token(struct arena *arena, struct slice session_secret)
{
    struct slice parts[] = {SLICE("csrf"), session_secret};
    struct sha256 hash = sha256_of_parts(parts, COUNT_OF(parts));
    return base64url_text(arena, (struct slice){(const char *)hash.bytes, SHA256_SIZE});
}

struct sha256 http_sealing_key(const struct http_request *request)
{
    struct slice secret = slice_present(request->api_key) ? request->api_key : http_cookie(request, SESSION_COOKIE);
    struct slice parts[] = {SLICE("sealed answer"), slice_present(secret) ? secret : SLICE(""), request->idempotency_key};
    return sha256_of_parts(parts, COUNT_OF(parts));
}

/* `scheme://host[:port]` against the Host header. The scheme is left aside: a gateway in front may have
 * ended TLS. */
static bool origin_is_host(struct slice origin, struct slice host)
{
    const char *separator = slice_present(origin) ? memmem(origin.ptr, origin.len, "://", 3) : NULL;
    if (separator == NULL)
        return false;
    const char *start = separator + 3;
    return slice_equal((struct slice){start, origin.len - (size_t)(start - origin.ptr)}, host);
}

bool http_same_origin(const struct http_request *request, struct error *error)
{
    struct slice cookie = http_cookie(request, SESSION_COOKIE);
    if (!slice_present(cookie) || slice_present(request->api_key))
        return true;
    if (slice_present(request->csrf_token) &&
        secret_equal(request->csrf_token, slice_of(http_csrf_token(request->arena, cookie))))
        return true;
    if (slice_present(request->sec_fetch_site) ? slice_is(request->sec_fetch_site, "same-origin")
                                               : origin_is_host(request->origin, request->host))
        return true;
    return error_set(error, ERROR_FORBIDDEN, "cross-site",
                     "A change made with the session cookie must come from the dashboard itself, or send the "
                     "X-CSRF-Token given at sign-in.");
}
