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

#define LIST(operation_name, path_text, function)                                                                     \
    {.operation = operation_name, .method = "GET", .path = path_text, .access = ACCESS_ADMIN, .query = PAGE,           \
     .query_count = COUNT_OF(PAGE), .serve = function}
#define CHANGE(operation_name, method_text, path_text, table, function)                                               \
    {.operation = operation_name, .method = method_text, .path = path_text, .access = ACCESS_ADMIN,                    \
     .body = BODY_CLOSED, .body_limit = BODY_LIMIT_PARTNER, .members = table, .member_count = COUNT_OF(table),         \
     .serve = function}
#define ACTION(operation_name, path_text, function)                                                                   \
    {.operation = operation_name, .method = "POST", .path = path_text, .access = ACCESS_ADMIN, .body = BODY_CLOSED,    \
     .body_limit = BODY_LIMIT_PARTNER, .serve = function}

static const struct endpoint ENDPOINTS[] = {
    LIST("listUsers", "/api/partners/me/users", list_users),
    CHANGE("inviteUser", "POST", "/api/partners/me/users", INVITATION, invite_user),
    CHANGE("changeUser", "PATCH", "/api/partners/me/users/{id}", PERSON, change_user),
    ACTION("resetPassword", "/api/partners/me/users/{id}/password-reset", reset_password),
    LIST("listKeys", "/api/partners/me/keys", list_keys),
    CHANGE("createKey", "POST", "/api/partners/me/keys", KEY, create_key),
    CHANGE("rotateKey", "POST", "/api/partners/me/keys/{id}/rotate", ROTATION, rotate_key),
    ACTION("revokeKey", "/api/partners/me/keys/{id}/revoke", revoke_key),
};

int main(int argc, char **argv)
{
    const struct program program = {"access", "database_access", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
