/* Signing in and out, and who has signed in. */
#include "cgi/account.h"
#include "cgi/service.h"
#include "http/credentials.h"
#include "promotion/sign_in.h"

static void write_identity(struct json_writer *json, const struct partner_profile *partner,
                           const struct user_profile *user)
{
    json_open_object(json, "partner");
    write_partner(json, partner);
    json_close(json);
    json_open_object(json, "user");
    json_string(json, "id", user->id);
    json_string(json, "email", user->email);
    json_string(json, "display_name", user->display_name);
    json_string(json, "role", user->role);
    json_pg_time(json, "last_sign_in_at", user->last_sign_in_at);
    json_close(json);
}

/* Sent back over TLS only where TLS is what it came by. */
static const char *cookie(struct call *call, const char *secret, long seconds)
{
    bool secure = slice_is(call->request->scheme, "https");
    return arena_printf(call->arena, SESSION_COOKIE "=%s; Path=/; Max-Age=%ld; HttpOnly; SameSite=Strict%s", secret,
                        seconds, secure ? "; Secure" : "");
}

bool sign_in(struct call *call)
{
    struct partner_profile partner;
    struct user_profile user;
    const char *secret;
    if (!account_sign_in(call->session.database, call->arena, call->request->request_id,
                         body_text(&call->inputs, "email"), body_text(&call->inputs, "password"), &secret, &partner,
                         &user, call->error))
        return false;
    call->session.principal.partner_id = partner.id;
    http_header_add(call->response, "Set-Cookie", cookie(call, secret, SESSION_HOURS * 3600L));
    struct json_writer json = call_answer(call);
    write_identity(&json, &partner, &user);
    json_text(&json, "csrf_token", http_csrf_token(call->arena, slice_of(secret)));
    json_writer_end(&json);
    return true;
}

bool sign_out(struct call *call)
{
    if (!account_sign_out(call->session.database, call->arena, call->request->request_id, call->session.session_hash,
                          call->error))
        return false;
    http_header_add(call->response, "Set-Cookie", cookie(call, "", 0));
    struct json_writer json = call_answer(call);
    json_text(&json, "status", "signed_out");
    json_writer_end(&json);
    return true;
}

bool who_am_i(struct call *call)
{
    struct partner_profile partner;
    struct user_profile user;
    if (!account_read(&call->session, &partner, &user, call->error))
        return false;
    struct slice secret = http_cookie(call->request, SESSION_COOKIE);
    struct json_writer json = call_answer(call);
    write_identity(&json, &partner, &user);
    json_text(&json, "csrf_token", slice_present(secret) ? http_csrf_token(call->arena, secret) : NULL);
    json_writer_end(&json);
    return true;
}
