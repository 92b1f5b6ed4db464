#include "ack.h"

#include "base/buffer.h"
#include "base/json.h"
#include "reconcile.h"
#include "rules/render.h"
#include "tell.h"

enum { REQUEST_CEILING = 8 * 1024 * 1024, ERRORS_LIMIT = 20 };

/* What to say: the state, which holds until it changes, and with it what is said only once. */
enum scope { STATE, EVERYTHING };

/* ---- the parts ---------------------------------------------------------------------------------------------------- */

/* The rules that are in force as the server sent them last. */
static bool write_applied(struct cycle *cycle, struct json_writer *json)
{
    struct query *row = query_begin(cycle->store, "SELECT rule_id FROM installed ORDER BY rule_id");
    json_open_array(json, "applied");
    while (query_next(row))
        if (!cycle_is_unmet(cycle, query_get_text(row, 0)))
            json_string(json, NULL, query_get_text(row, 0));
    json_close(json);
    return query_end(row);
}

static void write_failure(struct json_writer *json, const char *member, struct slice name, struct slice why)
{
    json_open_object(json, NULL);
    json_string(json, member, name);
    json_string(json, "error", why);
    json_close(json);
}

static void write_failed(const struct cycle *cycle, struct json_writer *json)
{
    json_open_array(json, "failed");
    for (const struct trouble *unmet = cycle->unmet; unmet != NULL; unmet = unmet->next)
        write_failure(json, "rule_id", unmet->name, slice_of(unmet->why));
    json_close(json);
}

static bool write_removed(struct cycle *cycle, struct json_writer *json)
{
    struct query *row = query_begin(cycle->store, "SELECT rule_id FROM removed ORDER BY rule_id");
    json_open_array(json, "removed");
    while (query_next(row))
        if (!cycle_is_unmet(cycle, query_get_text(row, 0)))
            json_string(json, NULL, query_get_text(row, 0));
    json_close(json);
    return query_end(row);
}

static bool write_errors(struct cycle *cycle, struct json_writer *json, enum scope scope)
{
    char why[160];
    struct slice findings;
    size_t room = ERRORS_LIMIT;
    if (!meta_get_text(cycle->store, cycle->scratch, META_FINDINGS, &findings))
        return false;
    const struct json *list = scope == EVERYTHING && slice_present(findings)
                                  ? json_parse(cycle->scratch, findings, why, sizeof why) : NULL;
    json_open_array(json, "engine_errors");
    for (const struct json *item = json_first(list); item != NULL && room > 0; item = json_next(item), room--)
        json_copy(json, NULL, item);
    for (const struct trouble *file = cycle->broken; file != NULL && room > 0; file = file->next, room--)
        write_failure(json, "file", file->name, slice_of(file->why));
    json_close(json);
    return true;
}

static bool write_number(struct cycle *cycle, struct json_writer *json, const char *name, const char *key)
{
    int64_t number;
    bool read = meta_get_integer(cycle->store, key, 0, &number);
    json_integer(json, name, number);
    return read;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static bool write_ack(struct cycle *cycle, enum scope scope, struct buffer *text)
{
    struct json_writer json = json_writer_make(text);
    json_open_object(&json, NULL);
    json_text(&json, "site_id", cycle->settings->site_id);
    json_text(&json, "appliance_id", cycle->settings->appliance_id);
    json_text(&json, "agent", "flywheel-agent/" FLYWHEEL_VERSION);
    json_text(&json, "error", *cycle->refusal != '\0' ? cycle->refusal : NULL);
    write_failed(cycle, &json);
    bool written = write_number(cycle, &json, "revision", META_REVISION) &&
                   write_number(cycle, &json, "dropped_executions", META_DROPPED_EXECUTIONS) &&
                   write_applied(cycle, &json) && write_errors(cycle, &json, scope) &&
                   (scope == STATE || write_removed(cycle, &json));
    json_writer_end(&json);
    return (written || cycle_fail_store(cycle)) &&
           (buffer_ok(text) || cycle_fail(cycle, "acknowledgement: it is larger than %d bytes", REQUEST_CEILING));
}

/* The digest of the state, which is what the server was told when it has told nothing else since. */
static bool read_state(struct cycle *cycle, struct slice *digest)
{
    struct buffer text = buffer_make(REQUEST_CEILING);
    bool read = write_ack(cycle, STATE, &text);
    *digest = bytes_digest(cycle->scratch, buffer_slice(&text));
    buffer_free(&text);
    return read;
}

/* Whether a rule was removed that the server does not know of. */
static bool read_removed(struct cycle *cycle, bool *some)
{
    struct query *row = query_begin(cycle->store, "SELECT rule_id FROM removed");
    *some = false;
    while (query_next(row))
        *some = !cycle_is_unmet(cycle, query_get_text(row, 0)) || *some;
    return query_end(row);
}

/* Whether there is anything that the server does not know. */
static bool read_news(struct cycle *cycle, struct slice state, bool *news)
{
    bool removed;
    struct slice told, findings;
    if (!read_removed(cycle, &removed) || !meta_get_text(cycle->store, cycle->scratch, META_TOLD, &told) ||
        !meta_get_text(cycle->store, cycle->scratch, META_FINDINGS, &findings))
        return cycle_fail_store(cycle);
    *news = removed || slice_present(findings) || !slice_equal(told, state);
    return true;
}

/* Removed rules whose file is still there are left: they are told when it is gone. */
static bool forget_removed(struct cycle *cycle)
{
    struct query *row = query_begin(cycle->store, "SELECT rule_id FROM removed");
    bool done = true;
    while (done && query_next(row)) {
        if (cycle_is_unmet(cycle, query_get_text(row, 0)))
            continue;
        struct query *query = query_begin(cycle->store, "DELETE FROM removed WHERE rule_id = ?1");
        query_text(query, query_get_text(row, 0));
        done = query_run(query);
    }
    return query_end(row) && done;
}

/* What was said once need not be said again. */
static void remember(struct cycle *cycle, struct slice state)
{
    int64_t revision;
    struct store *store = cycle->store;
    if (store_begin(store) && forget_removed(cycle) && meta_get_integer(store, META_REVISION, 0, &revision) &&
        meta_set_integer(store, META_ACKNOWLEDGED_REVISION, revision) && meta_set_text(store, META_TOLD, state) &&
        meta_set_text(store, META_FINDINGS, SLICE_ABSENT) && store_commit(store))
        return;
    cycle_fail_store(cycle);
    store_rollback(store);
}

static void tell_rejected(const struct json *list)
{
    for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
        struct slice rule_id = json_as_string(json_member(item, "rule_id"));
        struct slice detail = json_as_string(json_member(item, "detail"));
        tell("acknowledgement of rule %.*s is not wanted: %.*s", (int)rule_id.len,
             slice_present(rule_id) ? rule_id.ptr : "", (int)detail.len, slice_present(detail) ? detail.ptr : "");
    }
}

static void take_answer(struct cycle *cycle, struct slice answer, struct slice state)
{
    char why[160];
    const struct json *document = json_parse(cycle->scratch, answer, why, sizeof why);
    struct slice status = json_as_string(json_member(document, "status"));
    if (!slice_is(status, "recorded")) {
        cycle_fail(cycle, "acknowledgement: the server calls it '%.*s'; it is sent again", (int)status.len,
                   slice_present(status) ? status.ptr : "");
        return;
    }
    tell_rejected(json_member(document, "rejected"));
    remember(cycle, state);
}

static void post(struct cycle *cycle, struct slice state)
{
    struct error error;
    struct server_answer answer;
    struct buffer text = buffer_make(REQUEST_CEILING);
    if (!write_ack(cycle, EVERYTHING, &text))
        ; /* told */
    else if (server_post(cycle->server, SERVER_ACK, json_mend(cycle->scratch, buffer_slice(&text)), &answer, &error))
        take_answer(cycle, answer.body, state);
    else
        cycle_fail_request(cycle, "acknowledgement", &error);
    buffer_free(&text);
}

void ack_send(struct cycle *cycle)
{
    bool news = false;
    struct slice state;
    arena_reset(cycle->scratch);
    if (read_state(cycle, &state) && read_news(cycle, state, &news) && news)
        post(cycle, state);
}
