/* /api/partners/me/users… and …/keys…: what a partner's admins do about people and keys. */
#include "cgi/access.h"

#include "cgi/service.h"

static const char *const ROLES[] = {"viewer", "approver", "admin", NULL};
static const char *const STATUSES[] = {"active", "disabled", NULL};
static const char *const SCOPES[] = {"read", "decide", "admin", NULL};

static const struct input PAGE[] = {INPUT_LIMIT, INPUT_CURSOR};

static const struct input INVITATION[] = {
    {.name = "email", .type = INPUT_NAME, .required = true, .lowest = 3, .highest = 254},
    {.name = "display_name", .type = INPUT_NAME, .lowest = 1, .highest = 200},
    {.name = "role", .type = INPUT_CHOICE, .required = true, .choices = ROLES},
};

static const struct input PERSON[] = {
    {.name = "role", .type = INPUT_CHOICE, .choices = ROLES},
    {.name = "display_name", .type = INPUT_NAME, .lowest = 1, .highest = 200},
    {.name = "status", .type = INPUT_CHOICE, .choices = STATUSES},
};

#define INPUT_DAYS {.name = "expires_in_days", .type = INPUT_INTEGER, .lowest = 1, .highest = 365}

static const struct input KEY[] = {
    {.name = "name", .type = INPUT_NAME, .required = true, .lowest = 1, .highest = 200},
    {.name = "scopes", .type = INPUT_CHOICES, .required = true, .lowest = 1, .highest = 3, .choices = SCOPES},
    INPUT_DAYS,
    {.name = "acts_as_me", .type = INPUT_BOOLEAN},
};

static const struct input ROTATION[] = {
    INPUT_DAYS,
    {.name = "overlap_hours", .type = INPUT_INTEGER, .lowest = 0, .highest = 720},
};

static const struct endpoint ENDPOINTS[] = {
    {.operation = "listUsers",
     .method = "GET",
     .path = "/api/partners/me/users",
     .access = ACCESS_ADMIN,
     .query = PAGE,
     .query_count = COUNT_OF(PAGE),
     .serve = list_users},
    {.operation = "inviteUser",
     .method = "POST",
     .path = "/api/partners/me/users",
     .access = ACCESS_ADMIN,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = INVITATION,
     .member_count = COUNT_OF(INVITATION),
     .serve = invite_user},
    {.operation = "changeUser",
     .method = "PATCH",
     .path = "/api/partners/me/users/{id}",
     .access = ACCESS_ADMIN,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = PERSON,
     .member_count = COUNT_OF(PERSON),
     .serve = change_user},
    {.operation = "resetPassword",
     .method = "POST",
     .path = "/api/partners/me/users/{id}/password-reset",
     .access = ACCESS_ADMIN,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .serve = reset_password},
    {.operation = "listKeys",
     .method = "GET",
     .path = "/api/partners/me/keys",
     .access = ACCESS_ADMIN,
     .query = PAGE,
     .query_count = COUNT_OF(PAGE),
     .serve = list_keys},
    {.operation = "createKey",
     .method = "POST",
     .path = "/api/partners/me/keys",
     .access = ACCESS_ADMIN,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = KEY,
     .member_count = COUNT_OF(KEY),
     .serve = create_key},
    {.operation = "rotateKey",
     .method = "POST",
     .path = "/api/partners/me/keys/{id}/rotate",
     .access = ACCESS_ADMIN,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .members = ROTATION,
     .member_count = COUNT_OF(ROTATION),
     .serve = rotate_key},
    {.operation = "revokeKey",
     .method = "POST",
     .path = "/api/partners/me/keys/{id}/revoke",
     .access = ACCESS_ADMIN,
     .body = BODY_CLOSED,
     .body_limit = BODY_LIMIT_PARTNER,
     .serve = revoke_key},
};

int main(int argc, char **argv)
{
    const struct program program = {"access", "database_access", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
