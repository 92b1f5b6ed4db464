#include "push.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "tell.h"

enum { REQUEST_CEILING = 8 * 1024 * 1024 };

/* A pattern that was sent, and how often it had changed by then. */
struct pushed {
    struct slice signature;
    int64_t changes;
};

struct push {
    struct pushed items[PUSH_PATTERNS];
    size_t count;
};

static void write_pattern(struct arena *arena, struct json_writer *json, struct query *row)
{
    static const char *const counters[] = {"total_occurrences", "l1_resolutions", "l2_resolutions", "l3_resolutions",
                                           "success_count", "total_resolution_time_ms"};
    static const char *const texts[] = {"recommended_action", "check_type", "incident_type"};
    json_open_object(json, NULL);
    json_string(json, "pattern_signature", query_get_text(row, 0));
    for (size_t i = 0; i < COUNT_OF(counters); i++)
        json_integer(json, counters[i], query_get_integer(row, 2 + (int)i));
    json_text(json, "last_seen", timestamp_text(arena, query_get_integer(row, 8)));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (!query_is_null(row, 9 + (int)i))
            json_string(json, texts[i], query_get_text(row, 9 + (int)i));
    json_close(json);
}

/* The next changed patterns behind `after`, as a request. */
static bool write_request(struct cycle *cycle, struct slice after, struct push *push, struct buffer *text)
{
    struct json_writer json = json_writer_make(text);
    json_open_object(&json, NULL);
    json_text(&json, "site_id", cycle->settings->site_id);
    json_text(&json, "appliance_id", cycle->settings->appliance_id);
    json_text(&json, "synced_at", timestamp_text(cycle->scratch, timestamp_now()));
    json_open_array(&json, "pattern_stats");
    struct query *query = query_begin(
        cycle->store, "SELECT signature, dirty, total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, "
                      "success_count, total_resolution_time_ms, last_seen, recommended_action, check_type, incident_type "
                      "FROM pattern WHERE dirty > 0 AND signature > ?1 ORDER BY signature LIMIT ?2");
    query_text(query, after);
    query_integer(query, PUSH_PATTERNS);
    push->count = 0;
    while (query_next(query)) {
        write_pattern(cycle->scratch, &json, query);
        push->items[push->count++] =
            (struct pushed){arena_copy(cycle->scratch, query_get_text(query, 0)), query_get_integer(query, 1)};
    }
    json_writer_end(&json);
    return (query_end(query) || cycle_fail_store(cycle)) &&
           (buffer_ok(text) || cycle_fail(cycle, "patterns: they make a request of more than %d bytes", REQUEST_CEILING));
}

/* They are clean, but for those that changed meanwhile. */
static bool mark_clean(struct cycle *cycle, const struct push *push)
{
    bool done = store_begin(cycle->store);
    for (size_t i = 0; done && i < push->count; i++) {
        struct query *query =
            query_begin(cycle->store, "UPDATE pattern SET dirty = 0 WHERE signature = ?1 AND dirty = ?2");
        query_text(query, push->items[i].signature);
        query_integer(query, push->items[i].changes);
        done = query_run(query);
    }
    if (done && store_commit(cycle->store))
        return true;
    store_rollback(cycle->store);
    return cycle_fail_store(cycle);
}

static void tell_rejected(struct cycle *cycle, const struct push *push, const struct json *list)
{
    int64_t index;
    for (const struct json *item = json_first(list); item != NULL; item = json_next(item)) {
        struct slice detail = json_as_string(json_member(item, "detail"));
        if (!json_as_integer(json_member(item, "index"), &index) || index < 0 || (size_t)index >= push->count)
            continue;
        struct slice name = push->items[index].signature;
        cycle_fail(cycle, "the server does not take pattern %.*s: %.*s", (int)name.len, name.ptr, (int)detail.len,
                   slice_present(detail) ? detail.ptr : "");
    }
}

static bool take_answer(struct cycle *cycle, const struct push *push, struct slice answer)
{
    char why[160];
    const struct json *document = json_parse(cycle->scratch, answer, why, sizeof why);
    if (json_type_of(document) != JSON_OBJECT)
        return cycle_fail(cycle, "patterns: the server's answer is no JSON object; they are sent again");
    tell_rejected(cycle, push, json_member(document, "rejected"));
    return mark_clean(cycle, push);
}

static bool post(struct cycle *cycle, const struct push *push, struct slice text)
{
    struct error error;
    struct server_answer answer;
    if (!server_post(cycle->server, SERVER_PATTERNS, text, &answer, &error))
        return cycle_fail_request(cycle, "patterns", &error);
    return take_answer(cycle, push, answer.body);
}

/* One request with the patterns behind `last`. True when there may be more. */
static bool push_some(struct cycle *cycle, struct slice *last, struct push *push)
{
    struct buffer text = buffer_make(REQUEST_CEILING);
    arena_reset(cycle->scratch);
    bool more = write_request(cycle, *last, push, &text) && push->count > 0 && post(cycle, push, buffer_slice(&text));
    buffer_free(&text);
    if (more)
        *last = arena_copy(cycle->arena, push->items[push->count - 1].signature);
    return more && push->count == PUSH_PATTERNS;
}

void push_patterns(struct cycle *cycle)
{
    struct push *push = arena_alloc(cycle->arena, sizeof *push);
    struct slice last = SLICE("");
    bool more = true;
    while (more)
        more = push_some(cycle, &last, push);
}

bool push_again(struct store *store)
{
    return query_run(query_begin(store, "UPDATE pattern SET dirty = 1 WHERE dirty = 0"));
}
