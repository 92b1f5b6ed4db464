/* The partner's people: their list, invitations, roles and status, links for a new password. */
#include "cgi/access.h"
#include "cgi/service.h"
#include "promotion/users.h"

static void write_person(struct json_writer *json, const char *name, const struct person *person)
{
    json_open_object(json, name);
    json_string(json, "id", person->id);
    json_string(json, "email", person->email);
    json_string(json, "display_name", person->display_name);
    json_string(json, "role", person->role);
    json_string(json, "status", person->status);
    json_pg_time(json, "created_at", person->created_at);
    json_pg_time(json, "last_sign_in_at", person->last_sign_in_at);
    json_pg_time(json, "locked_until", person->locked_until);
    json_close(json);
}

/* An answer with a link holds a secret. */
static void answer_with_link(struct answer *answer, int status, const struct person *person,
                             const struct password_link *link)
{
    answer->status = status;
    answer->secret = true;
    struct json_writer json = change_answer(answer);
    write_person(&json, "user", person);
    json_open_object(&json, "link");
    json_text(&json, "token", link->token);
    json_pg_time(&json, "expires_at", link->expires_at);
    json_close(&json);
    json_writer_end(&json);
}

bool list_users(struct call *call)
{
    const char *scope = call_scope(call, "users");
    struct page page;
    struct list list;
    struct slice last[USER_KEYS];
    if (!call_page(call, scope, USER_KEYS, &page) || !users_page(&call->session, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "users");
    for (size_t i = 0; i < list.count; i++) {
        struct person person = person_at(list.rows, i);
        write_person(&json, NULL, &person);
    }
    json_close(&json);
    if (list.more)
        person_keys(&list, list.count - 1, last);
    call_end_list(call, &json, &list, scope, last, USER_KEYS);
    return true;
}

static bool invite(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct inputs *inputs = argument;
    struct person person;
    struct password_link link;
    if (!user_invite(change, body_text(inputs, "email"), body_text(inputs, "display_name"), body_text(inputs, "role"),
                     &person, &link, error))
        return false;
    answer_with_link(answer, 201, &person, &link);
    return true;
}

bool invite_user(struct call *call)
{
    return call_change(call, invite, &call->inputs);
}

static bool alter(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct call *call = argument;
    const struct inputs *inputs = &call->inputs;
    const struct person_change wanted = {body_text(inputs, "role"), body_text(inputs, "display_name"),
                                         body_text(inputs, "status")};
    struct person person;
    if (!user_change(change, call->id, &wanted, &person, error))
        return false;
    struct json_writer json = change_answer(answer);
    write_person(&json, "user", &person);
    json_writer_end(&json);
    return true;
}

bool change_user(struct call *call)
{
    return call_change(call, alter, call);
}

static bool reset(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct call *call = argument;
    struct person person;
    struct password_link link;
    if (!user_reset_password(change, call->id, &person, &link, error))
        return false;
    answer_with_link(answer, 200, &person, &link);
    return true;
}

bool reset_password(struct call *call)
{
    return call_change(call, reset, call);
}
