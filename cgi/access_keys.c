/* The partner's keys: their list, making, rotating and revoking them. */
#include "cgi/access.h"
#include "cgi/service.h"
#include "promotion/keys.h"

enum { DAY_S = 86400, HOUR_S = 3600, LIFE_DAYS = 90, OVERLAP_HOURS = 168 };

static void write_scopes(struct json_writer *json, struct slice scopes)
{
    json_open_array(json, "scopes");
    for (const char *at = scopes.ptr, *end = at + scopes.len; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t len = (size_t)((comma != NULL ? comma : end) - at);
        json_string(json, NULL, (struct slice){at, len});
        at += len + 1;
    }
    json_close(json);
}

static void write_key(struct json_writer *json, const char *name, const struct api_key *key)
{
    json_open_object(json, name);
    json_string(json, "id", key->id);
    json_string(json, "name", key->name);
    json_string(json, "prefix", key->prefix);
    write_scopes(json, key->scopes);
    json_string(json, "acts_as", key->acts_as);
    json_string(json, "status", key->status);
    json_pg_time(json, "created_at", key->created_at);
    json_pg_time(json, "expires_at", key->expires_at);
    json_pg_time(json, "last_used_at", key->last_used_at);
    json_pg_time(json, "revoked_at", key->revoked_at);
    json_string(json, "replaced_by", key->replaced_by);
    json_close(json);
}

/* Starts the answer that shows a key's secret, this once. */
static struct json_writer secret_answer(struct answer *answer, const char *secret, const struct api_key *key)
{
    answer->status = 201;
    answer->secret = true;
    struct json_writer json = change_answer(answer);
    json_text(&json, "api_key", secret);
    write_key(&json, "key", key);
    return json;
}

bool list_keys(struct call *call)
{
    const char *scope = call_scope(call, "keys");
    struct page page;
    struct list list;
    struct slice last[KEY_KEYS];
    if (!call_page(call, scope, KEY_KEYS, &page) || !keys_page(&call->session, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "keys");
    for (size_t i = 0; i < list.count; i++) {
        struct api_key key = api_key_at(list.rows, i);
        write_key(&json, NULL, &key);
    }
    json_close(&json);
    if (list.more)
        api_key_keys(&list, list.count - 1, last);
    call_end_list(call, &json, &list, scope, last, KEY_KEYS);
    return true;
}

static bool create(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct call *call = argument;
    const struct inputs *inputs = &call->inputs;
    struct slice me = change->session->principal.user_id;
    bool acts_as_me = body_bool(inputs, "acts_as_me", false);
    if (acts_as_me && !slice_present(me))
        return error_add(error, "/acts_as_me", "needs a person: sign in, or use a key that acts as one");
    const struct key_wish wish = {
        .name = body_text(inputs, "name"),
        .user_id = acts_as_me ? me : SLICE_ABSENT,
        .scopes = body_choices(inputs, call->arena, "scopes"),
        .expires_s = body_integer(inputs, "expires_in_days", LIFE_DAYS) * DAY_S,
    };
    struct api_key key;
    const char *secret;
    if (!key_create(change, &wish, &key, &secret, error))
        return false;
    struct json_writer json = secret_answer(answer, secret, &key);
    json_writer_end(&json);
    return true;
}

bool create_key(struct call *call)
{
    return call_change(call, create, call);
}

static bool rotate(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct call *call = argument;
    long life_s = body_integer(&call->inputs, "expires_in_days", LIFE_DAYS) * DAY_S;
    long overlap_s = body_integer(&call->inputs, "overlap_hours", OVERLAP_HOURS) * HOUR_S;
    struct rotation rotation;
    if (!key_rotate(change, call->id, life_s, overlap_s, &rotation, error))
        return false;
    struct json_writer json = secret_answer(answer, rotation.secret, &rotation.key);
    write_key(&json, "previous", &rotation.previous);
    json_writer_end(&json);
    return true;
}

bool rotate_key(struct call *call)
{
    return call_change(call, rotate, call);
}

static bool revoke(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    const struct call *call = argument;
    struct api_key key;
    if (!key_revoke(change, call->id, &key, error))
        return false;
    struct json_writer json = change_answer(answer);
    json_text(&json, "status", "revoked");
    write_key(&json, "key", &key);
    json_writer_end(&json);
    return true;
}

bool revoke_key(struct call *call)
{
    return call_change(call, revoke, call);
}
