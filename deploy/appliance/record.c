#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "commands.h"
#include "execution.h"
#include "identity.h"
#include "lines.h"
#include "store.h"
#include "tell.h"

enum {
    ARENA_LIMIT = 64 * 1024 * 1024,
    BODY_CEILING = 8 * LINE_LIMIT, /* a text can grow by being escaped */
    KEPT_IDS = 100000,
    KEPT_DAYS = 90,
};
static const int64_t DAY_US = (int64_t)86400 * 1000000;

struct recorder {
    const struct settings *settings;
    struct store *store;
    struct arena *arena; /* of one line */
    struct lines lines;
    struct buffer body;
    size_t line_number, refused;
};

/* ---- one execution ------------------------------------------------------------------------------- */

/* False when the id was recorded before, or when it failed. */
static bool note_id(struct store *store, const struct execution *execution, int64_t now, bool *failed)
{
    struct query *query = query_begin(store, "INSERT INTO recorded (execution_id, at) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
    query_text(query, execution->id);
    query_integer(query, now);
    *failed = !query_run(query);
    return !*failed && store_changes(store) == 1;
}

/* The pattern that the execution belongs to, and the promoted rule that acted. */
static bool find_pattern(struct recorder *recorder, const struct execution *execution, struct slice *signature,
                         struct slice *rule_id)
{
    struct query *query = query_begin(recorder->store, "SELECT pattern_signature FROM installed WHERE rule_id = ?1");
    query_text(query, execution->rule_id);
    bool promoted = query_next(query);
    *signature = promoted ? arena_copy(recorder->arena, query_get_text(query, 0)) : SLICE_ABSENT;
    *rule_id = promoted ? execution->rule_id : json_as_string(json_member(execution->object, "rule_id"));
    if (slice_present(execution->signature))
        *signature = execution->signature;
    else if (!slice_present(*signature))
        *signature = execution_signature(recorder->arena, execution);
    return query_end(query);
}

/* The action of a healing by L2 is the one to recommend; any other only when none is known. Counters stop at the highest
 * number that the server takes. */
static bool count(struct store *store, const struct execution *execution, struct slice signature)
{
    struct query *query = query_begin(
        store,
        "INSERT INTO pattern AS p (signature, total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, "
        "success_count, total_resolution_time_ms, last_seen, recommended_action, check_type, incident_type, dirty) "
        "VALUES (?1, 1, ?2 = 1, ?2 = 2, ?2 = 3, ?3, ?4, ?5, ?6, ?7, ?8, 1) ON CONFLICT (signature) DO UPDATE SET "
        "total_occurrences = total_occurrences + 1, l1_resolutions = l1_resolutions + excluded.l1_resolutions, "
        "l2_resolutions = l2_resolutions + excluded.l2_resolutions, "
        "l3_resolutions = l3_resolutions + excluded.l3_resolutions, "
        "success_count = success_count + excluded.success_count, "
        "total_resolution_time_ms = min(total_resolution_time_ms + excluded.total_resolution_time_ms, 9007199254740991), "
        "last_seen = max(last_seen, excluded.last_seen), "
        "recommended_action = CASE WHEN ?2 = 2 AND ?3 THEN coalesce(excluded.recommended_action, recommended_action) "
        "ELSE coalesce(recommended_action, excluded.recommended_action) END, "
        "check_type = coalesce(check_type, excluded.check_type), "
        "incident_type = coalesce(incident_type, excluded.incident_type), dirty = dirty + 1 "
        "WHERE total_occurrences < 2147483647");
    query_text(query, signature);
    query_integer(query, execution->level);
    query_integer(query, execution->healed);
    query_integer(query, execution->time_ms);
    query_integer(query, execution->happened_at);
    query_text(query, execution->action);
    query_text(query, execution->check_type);
    query_text(query, execution->incident_type);
    return query_run(query);
}

static bool enqueue(struct recorder *recorder, const struct execution *execution, struct slice signature,
                    struct slice rule_id, int64_t now)
{
    buffer_clear(&recorder->body);
    struct json_writer writer = json_writer_make(&recorder->body);
    execution_write(&writer, execution, recorder->settings->appliance_id, signature, rule_id);
    json_writer_end(&writer);
    struct query *query = query_begin(recorder->store, "INSERT INTO queue (execution_id, body, queued_at) "
                                                       "VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING");
    query_text(query, execution->id);
    query_text(query, buffer_slice(&recorder->body));
    query_integer(query, now);
    return query_run(query);
}

static bool record(struct recorder *recorder, const struct execution *execution, int64_t now)
{
    bool failed;
    struct slice signature, rule_id;
    if (!note_id(recorder->store, execution, now, &failed))
        return !failed;
    return find_pattern(recorder, execution, &signature, &rule_id) && count(recorder->store, execution, signature) &&
           enqueue(recorder, execution, signature, rule_id, now);
}

/* ---- lines --------------------------------------------------------------------------------------- */

static bool refuse(struct recorder *recorder, const char *why)
{
    tell("line %zu is not recorded: %s", recorder->line_number, why);
    recorder->refused++;
    return true;
}

/* A line that is refused costs only itself; false when the store fails. */
static bool record_line(struct recorder *recorder, enum line_kind kind, struct slice line)
{
    char why[256];
    struct execution execution;
    int64_t now = timestamp_now();
    recorder->line_number++;
    if (kind == LINE_TOO_LONG)
        return refuse(recorder, "it has more than 1 MiB");
    const struct json *object = json_parse(recorder->arena, json_mend(recorder->arena, line), why, sizeof why);
    if (object == NULL)
        return refuse(recorder, why);
    if (json_type_of(object) != JSON_OBJECT)
        return refuse(recorder, "it is no JSON object");
    if (!execution_read(&execution, recorder->settings, object, now, why, sizeof why))
        return refuse(recorder, why);
    return record(recorder, &execution, now);
}

/* Drops what has waited too long, then the oldest of what is too much, and tells how many. */
static bool bound_queue(struct recorder *recorder)
{
    struct store *store = recorder->store;
    struct query *old = query_begin(store, "DELETE FROM queue WHERE queued_at < ?1");
    query_integer(old, timestamp_now() - recorder->settings->queue_days * DAY_US);
    if (!query_run(old))
        return false;
    int64_t dropped = store_changes(store), before;
    struct query *excess =
        query_begin(store, "DELETE FROM queue WHERE id <= (SELECT id FROM queue ORDER BY id DESC LIMIT 1 OFFSET ?1)");
    query_integer(excess, recorder->settings->queue_limit);
    if (!query_run(excess))
        return false;
    dropped += store_changes(store);
    if (dropped == 0)
        return true;
    tell("%lld executions will not be sent: they were more than %ld or older than %ld days", (long long)dropped,
         recorder->settings->queue_limit, recorder->settings->queue_days);
    return meta_get_integer(store, META_DROPPED_EXECUTIONS, 0, &before) &&
           meta_set_integer(store, META_DROPPED_EXECUTIONS, before + dropped);
}

static bool forget_old_ids(struct store *store)
{
    struct query *query = query_begin(store, "DELETE FROM recorded WHERE at < ?1 OR at <= "
                                             "(SELECT at FROM recorded ORDER BY at DESC LIMIT 1 OFFSET ?2)");
    query_integer(query, timestamp_now() - KEPT_DAYS * DAY_US);
    query_integer(query, KEPT_IDS);
    return query_run(query);
}

/* The lines that have arrived, in one transaction: either all of them are kept, or none. */
static bool record_arrived(struct recorder *recorder)
{
    struct slice line;
    enum line_kind kind = lines_next(&recorder->lines, &line);
    if (kind == LINE_NONE)
        return true;
    size_t first = recorder->line_number + 1;
    bool kept = store_begin(recorder->store);
    for (; kept && kind != LINE_NONE; kind = lines_next(&recorder->lines, &line)) {
        kept = record_line(recorder, kind, line);
        arena_reset(recorder->arena);
    }
    if (kept && bound_queue(recorder) && store_commit(recorder->store))
        return true;
    tell("nothing is recorded from line %zu on: %s", first, store_why(recorder->store));
    store_rollback(recorder->store);
    return false;
}

static bool record_all(struct recorder *recorder)
{
    if (!forget_old_ids(recorder->store))
        return tell_false("cannot write to the state file: %s", store_why(recorder->store));
    bool more = true;
    while (more) {
        more = lines_read(&recorder->lines);
        if (!record_arrived(recorder))
            return false;
    }
    return !recorder->lines.failed || tell_false("standard input cannot be read");
}

int command_record(const struct settings *settings)
{
    char why[512];
    struct store *store = store_open(settings->state_file, why, sizeof why);
    if (store == NULL || !identity_check(store, settings, why, sizeof why)) {
        store_close(store);
        tell("%s", why);
        return COMMAND_FAILED;
    }
    struct recorder recorder = {settings, store, arena_new(ARENA_LIMIT), lines_make(0), buffer_make(BODY_CEILING), 0, 0};
    bool done = record_all(&recorder) && recorder.refused == 0;
    buffer_free(&recorder.body);
    lines_free(&recorder.lines);
    arena_free(recorder.arena);
    store_close(store);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
