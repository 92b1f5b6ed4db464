/* /api/partner-auth/… and /api/partners/me…: signing in and out, who am I, what is ours. */
#include "cgi/service.h"
#include "http/credentials.h"
#include "promotion/accounts.h"

static const struct input LOGIN_MEMBERS[] = {
    {.name = "email", .type = INPUT_NAME, .required = true, .lowest = 1, .highest = 254},
    {.name = "password", .type = INPUT_SECRET, .required = true, .lowest = 1, .highest = 1024},
};

static void write_partner(struct json_writer *json, const struct partner_profile *partner)
{
    json_string(json, "id", partner->id);
    json_string(json, "name", partner->name);
    json_string(json, "slug", partner->slug);
    json_string(json, "brand_name", partner->brand_name);
    json_string(json, "contact_email", partner->contact_email);
    json_string(json, "status", partner->status);
    json_number(json, "site_count", partner->site_count);
    json_number(json, "appliance_count", partner->appliance_count);
    json_pg_time(json, "created_at", partner->created_at);
}

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

static bool sign_in(struct call *call)
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

static bool sign_out(struct call *call)
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

static bool who_am_i(struct call *call)
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

static bool show_partner(struct call *call)
{
    struct partner_profile partner;
    if (!partner_read(&call->session, &partner, call->error))
        return false;
    struct json_writer json = call_answer(call);
    write_partner(&json, &partner);
    json_writer_end(&json);
    return true;
}

static bool list_sites(struct call *call)
{
    const struct db_rows *rows;
    if (!sites_read(&call->session, &rows, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "sites");
    for (size_t i = 0; i < db_count(rows); i++) {
        struct site_summary site = site_at(rows, i);
        json_open_object(&json, NULL);
        json_string(&json, "site_id", site.site_id);
        json_string(&json, "clinic_name", site.clinic_name);
        json_number(&json, "appliance_count", site.appliance_count);
        json_number(&json, "pattern_count", site.pattern_count);
        json_number(&json, "pending_candidates", site.pending_candidates);
        json_number(&json, "active_rules", site.active_rules);
        json_number(&json, "executions_30d", site.executions_30d);
        json_pg_time(&json, "last_synced_at", site.last_synced_at);
        json_close(&json);
    }
    json_close(&json);
    json_integer(&json, "total", (int64_t)db_count(rows));
    json_writer_end(&json);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "signIn",
     .method = "POST",
     .path = "/api/partner-auth/login",
     .access = ACCESS_PUBLIC,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = LOGIN_MEMBERS,
     .member_count = COUNT_OF(LOGIN_MEMBERS),
     .serve = sign_in},
    {.operation = "signOut",
     .method = "POST",
     .path = "/api/partner-auth/logout",
     .access = ACCESS_PUBLIC,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .serve = sign_out},
    {.operation = "whoAmI", .method = "GET", .path = "/api/partner-auth/me", .access = ACCESS_USER, .serve = who_am_i},
    {.operation = "getPartner", .method = "GET", .path = "/api/partners/me", .access = ACCESS_READ, .serve = show_partner},
    {.operation = "listSites",
     .method = "GET",
     .path = "/api/partners/me/sites",
     .access = ACCESS_READ,
     .serve = list_sites},
};

int main(int argc, char **argv)
{
    const struct program program = {"account", "database_account", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
