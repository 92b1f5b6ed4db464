#include "queue.h"

#include "base/buffer.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "tell.h"

enum { REQUEST_CEILING = 8 * 1024 * 1024 };

struct waiting {
    int64_t id;
    struct slice execution_id, body;
};

struct batch {
    struct waiting items[QUEUE_BATCH];
    size_t count;
};

/* What became of a request. */
enum outcome { SENT, REFUSED, STOP };

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* The next executions behind `after`. One that was refused before travels alone, so that it holds up no other. */
static bool read_batch(struct cycle *cycle, int64_t after, struct batch *batch)
{
    struct query *query = query_begin(cycle->store, "SELECT id, execution_id, body, attempts FROM queue WHERE id > ?1 "
                                                    "ORDER BY id LIMIT ?2");
    query_integer(query, after);
    query_integer(query, QUEUE_BATCH);
    size_t bytes = 0;
    bool alone = false;
    arena_reset(cycle->scratch);
    batch->count = 0;
    while (!alone && batch->count < QUEUE_BATCH && query_next(query)) {
        struct slice body = query_get_text(query, 2);
        alone = query_get_integer(query, 3) > 0;
        bytes += body.len;
        if (batch->count > 0 && (alone || bytes > QUEUE_BATCH_BYTES))
            break;
        batch->items[batch->count++] = (struct waiting){query_get_integer(query, 0),
                                                        arena_copy(cycle->scratch, query_get_text(query, 1)),
                                                        arena_copy(cycle->scratch, body)};
    }
    return query_end(query) || cycle_fail_store(cycle);
}

static void write_request(struct cycle *cycle, const struct waiting *items, size_t count, struct buffer *text)
{
    struct json_writer json = json_writer_make(text);
    json_open_object(&json, NULL);
    json_text(&json, "site_id", cycle->settings->site_id);
    json_text(&json, "reported_at", timestamp_text(cycle->scratch, timestamp_now()));
    json_open_array(&json, "executions");
    for (size_t i = 0; i < count; i++)
        json_raw(&json, NULL, items[i].body);
    json_writer_end(&json);
}

/* ---- what the server said ----------------------------------------------------------------------------------------- */

static bool forget(struct cycle *cycle, int64_t id)
{
    struct query *query = query_begin(cycle->store, "DELETE FROM queue WHERE id = ?1");
    query_integer(query, id);
    return query_run(query);
}

/* Gives an execution up, and counts it. */
static bool drop(struct cycle *cycle, const struct waiting *item, struct slice why)
{
    int64_t dropped;
    tell("the server does not take execution %.*s, which is dropped: %.*s", (int)item->execution_id.len,
         item->execution_id.ptr, (int)why.len, slice_present(why) ? why.ptr : "");
    return forget(cycle, item->id) && meta_get_integer(cycle->store, META_DROPPED_EXECUTIONS, 0, &dropped) &&
           meta_set_integer(cycle->store, META_DROPPED_EXECUTIONS, dropped + 1);
}

/* One element of the answer's results. False when the execution stays. */
static bool settle(struct cycle *cycle, const struct waiting *item, const struct json *result)
{
    struct slice status = json_as_string(json_member(result, "status"));
    if (slice_is(status, "recorded") || slice_is(status, "duplicate"))
        return forget(cycle, item->id);
    return slice_is(status, "rejected") && drop(cycle, item, json_as_string(json_member(result, "detail")));
}

/* Settles each execution by the result that has its index, in one transaction. */
static bool settle_all(struct cycle *cycle, const struct waiting *items, size_t count, struct slice answer)
{
    char why[160];
    size_t settled = 0;
    int64_t index;
    const struct json *results = json_member(json_parse(cycle->scratch, answer, why, sizeof why), "results");
    if (!store_begin(cycle->store))
        return cycle_fail_store(cycle);
    for (const struct json *result = json_first(results); result != NULL; result = json_next(result))
        if (json_as_integer(json_member(result, "index"), &index) && index >= 0 && (size_t)index < count)
            settled += settle(cycle, &items[index], result) ? 1 : 0;
    if (!store_commit(cycle->store)) {
        store_rollback(cycle->store);
        return cycle_fail_store(cycle);
    }
    return settled == count ||
           cycle_fail(cycle, "executions: the server's answer settles %zu of %zu; the others stay", settled, count);
}

/* ---- sending ------------------------------------------------------------------------------------------------------ */

/* Whether a refusal is about what was sent; else it is about who sends, or about the server. */
static bool is_about_content(enum error_kind kind)
{
    return kind == ERROR_MALFORMED || kind == ERROR_TOO_LARGE || kind == ERROR_MEDIA_TYPE || kind == ERROR_INVALID ||
           kind == ERROR_CONFLICT;
}

static enum outcome post(struct cycle *cycle, const struct waiting *items, size_t count, struct error *error)
{
    struct server_answer answer;
    struct buffer text = buffer_make(REQUEST_CEILING);
    write_request(cycle, items, count, &text);
    bool sent = buffer_ok(&text) && server_post(cycle->server, SERVER_EXECUTIONS, buffer_slice(&text), &answer, error);
    if (!buffer_ok(&text))
        (void)error_set(error, ERROR_TOO_LARGE, "too-large", "it is too large to be sent");
    buffer_free(&text);
    if (sent)
        return settle_all(cycle, items, count, answer.body) ? SENT : STOP;
    if (is_about_content(error->kind))
        return REFUSED;
    (void)cycle_fail_request(cycle, "executions", error);
    return STOP;
}

/* The one that the server refuses a request for: tried again in the next cycle, but not for ever. */
static void count_attempt(struct cycle *cycle, const struct waiting *item, const struct error *error)
{
    struct query *query =
        query_begin(cycle->store, "UPDATE queue SET attempts = attempts + 1 WHERE id = ?1 RETURNING attempts");
    query_integer(query, item->id);
    int64_t attempts = query_next(query) ? query_get_integer(query, 0) : 0;
    bool counted = query_end(query);
    if (counted && attempts < QUEUE_ATTEMPTS)
        cycle_fail(cycle, "execution %.*s stays, refused %lld times of %d: %s", (int)item->execution_id.len,
                   item->execution_id.ptr, (long long)attempts, QUEUE_ATTEMPTS, error->detail);
    else if (!counted || !store_begin(cycle->store) || !drop(cycle, item, slice_of(error->detail)) ||
             !store_commit(cycle->store))
        cycle_fail_store(cycle);
    store_rollback(cycle->store); /* what could not be committed */
}

/* Sends a range, in halves when it is refused. False: no use in going on. */
static bool send_range(struct cycle *cycle, const struct waiting *items, size_t count)
{
    struct error error;
    enum outcome outcome = post(cycle, items, count, &error);
    if (outcome != REFUSED)
        return outcome == SENT;
    if (count == 1) {
        count_attempt(cycle, items, &error);
        return true;
    }
    return send_range(cycle, items, count / 2) && send_range(cycle, items + count / 2, count - count / 2);
}

void queue_send(struct cycle *cycle)
{
    struct batch batch;
    for (int64_t last = 0; read_batch(cycle, last, &batch) && batch.count > 0; last = batch.items[batch.count - 1].id)
        if (!send_range(cycle, batch.items, batch.count))
            break;
}
