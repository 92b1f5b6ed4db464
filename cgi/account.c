/* /api/partner-auth/… and /api/partners/me…: a person's sign-in and password, and what is the partner's. */
#include "cgi/account.h"

#include "cgi/service.h"
#include "promotion/passwords.h"

static const struct input LOGIN_MEMBERS[] = {
    {.name = "email", .type = INPUT_NAME, .required = true, .lowest = 1, .highest = 254},
    {.name = "password", .type = INPUT_SECRET, .required = true, .lowest = 1, .highest = PASSWORD_LONGEST},
};

#define CHOSEN .type = INPUT_SECRET, .required = true, .lowest = PASSWORD_SHORTEST, .highest = PASSWORD_LONGEST

static const struct input LINK_MEMBERS[] = {
    {.name = "token", .type = INPUT_SECRET, .required = true, .lowest = 1, .highest = 200},
    {.name = "password", CHOSEN},
};
static const struct input CHANGE_MEMBERS[] = {
    {.name = "current_password", .type = INPUT_SECRET, .required = true, .lowest = 1, .highest = PASSWORD_LONGEST},
    {.name = "new_password", CHOSEN},
};

static const char *const APPLIANCE_STATES[] = {"silent", "failing", "behind", "revoked", NULL};
static const struct input APPLIANCES_QUERY[] = {
    INPUT_SITE,
    {.name = "state", .type = INPUT_CHOICE, .choices = APPLIANCE_STATES},
    INPUT_SEARCH,
    INPUT_LIMIT,
    INPUT_CURSOR,
};

void write_partner(struct json_writer *json, const struct partner_profile *partner)
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
        json_number(&json, "silent_appliances", site.silent_appliances);
        json_number(&json, "failing_appliances", site.failing_appliances);
        json_pg_time(&json, "last_seen_at", site.last_seen_at);
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
    {.operation = "setPassword",
     .method = "POST",
     .path = "/api/partner-auth/password",
     .access = ACCESS_PUBLIC,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = LINK_MEMBERS,
     .member_count = COUNT_OF(LINK_MEMBERS),
     .serve = set_password},
    {.operation = "changePassword",
     .method = "POST",
     .path = "/api/partner-auth/change-password",
     .access = ACCESS_SESSION,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = CHANGE_MEMBERS,
     .member_count = COUNT_OF(CHANGE_MEMBERS),
     .serve = change_password},
    {.operation = "whoAmI", .method = "GET", .path = "/api/partner-auth/me", .access = ACCESS_USER, .serve = who_am_i},
    {.operation = "getPartner", .method = "GET", .path = "/api/partners/me", .access = ACCESS_READ, .serve = show_partner},
    {.operation = "listSites",
     .method = "GET",
     .path = "/api/partners/me/sites",
     .access = ACCESS_READ,
     .serve = list_sites},
    {.operation = "listAppliances",
     .method = "GET",
     .path = "/api/partners/me/appliances",
     .access = ACCESS_READ,
     .query = APPLIANCES_QUERY,
     .query_count = COUNT_OF(APPLIANCES_QUERY),
     .serve = list_appliances},
};

int main(int argc, char **argv)
{
    const struct program program = {"account", "database_account", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
