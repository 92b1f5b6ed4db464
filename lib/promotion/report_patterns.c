#include <math.h>
#include <stdio.h>

#include "base/timestamp.h"
#include "promotion/report_identity.h"
#include "promotion/reports.h"
#include "rules/signature.h"

/* The row of the appliance's last push is what serialises its pushes: the second one waits here. */
DB_STATEMENT(report_start_push, 4,
             "INSERT INTO appliance_pattern_sync AS y (appliance_id, site_id, partner_id, agent_synced_at, "
             "patterns_received, patterns_rejected) SELECT a.appliance_id, a.site_id, a.partner_id, $2::timestamptz, "
             "$3::int, $4::int FROM site_appliances a WHERE a.appliance_id = $1 "
             "ON CONFLICT (appliance_id) DO UPDATE SET synced_at = now(), "
             "agent_synced_at = EXCLUDED.agent_synced_at, patterns_received = EXCLUDED.patterns_received, "
             "patterns_rejected = EXCLUDED.patterns_rejected");

/* Patterns that the site has not had begin at zero, so that what follows only ever adds to rows that are there and can be
 * locked: two appliances that meet a pattern at the same moment would else lose one's counters. */
DB_STATEMENT(
    report_begin_patterns, 1,
    "INSERT INTO aggregated_pattern_stats (partner_id, site_id, pattern_signature, first_seen, last_seen) "
    "SELECT DISTINCT ON (p.pattern_signature) current_partner(), current_site(), p.pattern_signature, m.moment, m.moment "
    "FROM json_to_recordset($1::json) AS p(pattern_signature text, total int, last_seen timestamptz), "
    "LATERAL (SELECT least(coalesce(p.last_seen, now()), now()) AS moment) m "
    "WHERE NOT EXISTS (SELECT FROM aggregated_pattern_stats a WHERE a.site_id = current_site() "
    "AND a.pattern_signature = p.pattern_signature) "
    "ORDER BY p.pattern_signature, p.total DESC ON CONFLICT (site_id, pattern_signature) DO NOTHING");

/* Takes the differences to what this appliance reported before, and adds them to the site's sums. An element of which any
 * counter is lower than before is an older push and moves nothing. All rows are locked in the order of their signature, so
 * that pushes of two appliances wait for each other instead of deadlocking.
 *
 * The planner cannot know how many elements a push has, so the statement leaves it no choice: a LATERAL with a LIMIT is one
 * look into an index for each element, and the new sums are written by an upsert, which finds its row by the unique key.
 * (Every row is there and locked by then: the upsert never inserts.) */
DB_STATEMENT(
    report_merge_patterns, 2,
    "WITH pushed AS MATERIALIZED (SELECT DISTINCT ON (p.pattern_signature) p.pattern_signature, p.total, p.l1, p.l2, "
    "p.l3, p.ok, p.ms, least(coalesce(p.last_seen, now()), now()) AS last_seen, p.action, p.check_type, "
    "p.incident_type FROM json_to_recordset($2::json) AS p(pattern_signature text, total int, l1 int, l2 int, l3 int, "
    "ok int, ms bigint, last_seen timestamptz, action text, check_type text, incident_type text) "
    "ORDER BY p.pattern_signature, p.total DESC), "
    "news AS MATERIALIZED (SELECT p.pattern_signature, p.total, p.l1, p.l2, p.l3, p.ok, p.ms, p.last_seen, p.action, "
    "coalesce(p.check_type, k.check_type) AS check_type, coalesce(p.incident_type, k.check_type) AS incident_type, "
    "p.total - coalesce(b.total, 0) AS d_total, p.l1 - coalesce(b.l1, 0) AS d_l1, "
    "p.l2 - coalesce(b.l2, 0) AS d_l2, p.l3 - coalesce(b.l3, 0) AS d_l3, p.ok - coalesce(b.ok, 0) AS d_ok, "
    "p.ms - coalesce(b.ms, 0) AS d_ms, b.total IS NULL AS is_new FROM pushed p "
    "LEFT JOIN LATERAL (SELECT c.check_type FROM runbook_check_types c WHERE p.check_type IS NULL "
    "AND c.pattern_signature = p.pattern_signature LIMIT 1) k ON true "
    "LEFT JOIN LATERAL (SELECT s.total_occurrences AS total, s.l1_resolutions AS l1, s.l2_resolutions AS l2, "
    "s.l3_resolutions AS l3, s.success_count AS ok, s.total_resolution_time_ms AS ms FROM appliance_pattern_stats s "
    "WHERE s.appliance_id = $1 AND s.pattern_signature = p.pattern_signature LIMIT 1) b ON true "
    "WHERE b.total IS NULL OR (p.total >= b.total AND p.l1 >= b.l1 AND p.l2 >= b.l2 AND p.l3 >= b.l3 "
    "AND p.ok >= b.ok AND p.ms >= b.ms)), "
    "locked AS MATERIALIZED (SELECT n.*, a.* FROM (SELECT * FROM news ORDER BY pattern_signature OFFSET 0) n "
    "CROSS JOIN LATERAL (SELECT x.check_type AS old_check_type, x.incident_type AS old_incident_type, "
    "x.total_occurrences, x.l1_resolutions, x.l2_resolutions, x.l3_resolutions, x.success_count, "
    "x.total_resolution_time_ms, x.recommended_action, x.first_seen AS old_first_seen, x.last_seen AS old_last_seen "
    "FROM aggregated_pattern_stats x WHERE x.site_id = current_site() AND x.pattern_signature = n.pattern_signature "
    "LIMIT 1 FOR NO KEY UPDATE) a), "
    "sums AS (INSERT INTO aggregated_pattern_stats (partner_id, site_id, pattern_signature, check_type, incident_type, "
    "total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, "
    "recommended_action, first_seen, last_seen) "
    "SELECT current_partner(), current_site(), n.pattern_signature, coalesce(n.check_type, n.old_check_type), "
    "coalesce(n.incident_type, n.old_incident_type), n.total_occurrences + n.d_total, n.l1_resolutions + n.d_l1, "
    "n.l2_resolutions + n.d_l2, n.l3_resolutions + n.d_l3, n.success_count + n.d_ok, "
    "n.total_resolution_time_ms + n.d_ms, CASE WHEN n.action IS NOT NULL AND n.last_seen >= n.old_last_seen "
    "THEN n.action ELSE coalesce(n.recommended_action, n.action) END, least(n.old_first_seen, n.last_seen), "
    "greatest(n.old_last_seen, n.last_seen) FROM locked n ORDER BY n.pattern_signature "
    "ON CONFLICT (site_id, pattern_signature) DO UPDATE SET check_type = EXCLUDED.check_type, "
    "incident_type = EXCLUDED.incident_type, total_occurrences = EXCLUDED.total_occurrences, "
    "l1_resolutions = EXCLUDED.l1_resolutions, l2_resolutions = EXCLUDED.l2_resolutions, "
    "l3_resolutions = EXCLUDED.l3_resolutions, success_count = EXCLUDED.success_count, "
    "total_resolution_time_ms = EXCLUDED.total_resolution_time_ms, recommended_action = EXCLUDED.recommended_action, "
    "first_seen = EXCLUDED.first_seen, last_seen = EXCLUDED.last_seen, last_synced_at = now()), "
    "own AS (INSERT INTO appliance_pattern_stats AS s (appliance_id, pattern_signature, site_id, partner_id, "
    "total_occurrences, l1_resolutions, l2_resolutions, l3_resolutions, success_count, total_resolution_time_ms, "
    "last_seen) SELECT $1, n.pattern_signature, current_site(), current_partner(), n.total, n.l1, n.l2, n.l3, n.ok, "
    "n.ms, n.last_seen FROM news n ORDER BY n.pattern_signature "
    "ON CONFLICT (appliance_id, pattern_signature) DO UPDATE SET total_occurrences = EXCLUDED.total_occurrences, "
    "l1_resolutions = EXCLUDED.l1_resolutions, l2_resolutions = EXCLUDED.l2_resolutions, "
    "l3_resolutions = EXCLUDED.l3_resolutions, success_count = EXCLUDED.success_count, "
    "total_resolution_time_ms = EXCLUDED.total_resolution_time_ms, last_seen = EXCLUDED.last_seen, updated_at = now()) "
    "SELECT count(*) FILTER (WHERE is_new) FROM news");

DB_STATEMENT(report_finish_push, 3,
             "UPDATE appliance_pattern_sync SET patterns_accepted = $2::int, patterns_merged = $3::int "
             "WHERE appliance_id = $1");
DB_STATEMENT(report_note_contact, 1, "UPDATE site_appliances SET last_seen_at = now() WHERE appliance_id = $1");

enum { COUNTER_MAX = 2147483647, ROWS_CEILING = 32 * 1024 * 1024, ACTION_LENGTH = 200 };
static const double TIME_MAX = 9007199254740992.0; /* 2^53 ms */

/* A push being taken apart. */
struct push {
    struct session *session;
    const struct json *patterns;
    const struct json *synced_at;
    struct buffer rows; /* the good elements, for json_to_recordset */
    struct json_writer writer;
    size_t received, good;
    struct buffer rejected; /* the members of the answer's array */
    struct json_writer rejections;
    size_t rejected_count;
    long accepted;
    int64_t now; /* by the database's clock */
};

struct counters {
    int64_t total, l1, l2, l3, ok, ms;
};

static bool bad(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

/* A counter that was not sent is 0; anything but a whole number within its range is refused. */
static bool take_counter(const struct json *pattern, const char *name, int64_t *counter, char *why, size_t size)
{
    const struct json *value = json_member(pattern, name);
    *counter = 0;
    if (json_type_of(value) == JSON_ABSENT || json_type_of(value) == JSON_NULL)
        return true;
    if (json_as_integer(value, counter) && *counter >= 0 && *counter <= COUNTER_MAX)
        return true;
    snprintf(why, size, "%s must be a whole number from 0 to %d", name, COUNTER_MAX);
    return false;
}

/* Milliseconds may come with a fraction. */
static bool take_time(const struct json *pattern, int64_t *ms, char *why, size_t size)
{
    const struct json *value = json_member(pattern, "total_resolution_time_ms");
    double number = json_as_number(value);
    *ms = 0;
    if (json_type_of(value) == JSON_ABSENT || json_type_of(value) == JSON_NULL)
        return true;
    if (json_type_of(value) != JSON_NUMBER || !isfinite(number) || number < 0 || number > TIME_MAX)
        return bad(why, size, "total_resolution_time_ms must be a number of milliseconds, 0 or more");
    *ms = llround(number);
    return true;
}

static bool take_counters(const struct json *pattern, struct counters *counters, char *why, size_t size)
{
    if (!take_counter(pattern, "total_occurrences", &counters->total, why, size) ||
        !take_counter(pattern, "l1_resolutions", &counters->l1, why, size) ||
        !take_counter(pattern, "l2_resolutions", &counters->l2, why, size) ||
        !take_counter(pattern, "l3_resolutions", &counters->l3, why, size) ||
        !take_counter(pattern, "success_count", &counters->ok, why, size) ||
        !take_time(pattern, &counters->ms, why, size))
        return false;
    if (counters->ok > counters->total)
        return bad(why, size, "success_count must not exceed total_occurrences");
    if (counters->l1 + counters->l2 + counters->l3 > counters->total)
        return bad(why, size, "the resolutions of all levels together must not exceed total_occurrences");
    return true;
}

/* A type that was sent must have the form of one. */
static bool take_word(const struct json *pattern, const char *name, struct slice *word, char *why, size_t size)
{
    const struct json *value = json_member(pattern, name);
    *word = report_word(value);
    if (slice_present(*word) || json_type_of(value) == JSON_ABSENT || json_type_of(value) == JSON_NULL)
        return true;
    snprintf(why, size, "%s must be 1 to 64 characters of a-z, 0-9, '_', '.' and '-'", name);
    return false;
}

static bool take_last_seen(struct arena *arena, const struct json *pattern, const char **last_seen, char *why,
                           size_t size)
{
    const struct json *value = json_member(pattern, "last_seen");
    int64_t moment;
    *last_seen = NULL;
    if (json_type_of(value) == JSON_ABSENT || json_type_of(value) == JSON_NULL)
        return true;
    if (!timestamp_parse(json_as_string(value), &moment))
        return bad(why, size, "last_seen must be a date and time such as 2026-01-02T03:04:05Z");
    *last_seen = timestamp_text(arena, moment);
    return true;
}

static bool take_action(struct arena *arena, const struct json *pattern, struct slice *action, char *why, size_t size)
{
    const struct json *value = json_member(pattern, "recommended_action");
    enum json_type type = json_type_of(value);
    *action = SLICE_ABSENT;
    if (type == JSON_ABSENT || type == JSON_NULL)
        return true;
    if (type != JSON_STRING || slice_code_points(json_as_string(value)) > ACTION_LENGTH ||
        slice_has_control(json_as_string(value), false))
        return bad(why, size, "recommended_action must be one line of at most 200 characters");
    *action = report_text(arena, value, ACTION_LENGTH);
    return true;
}

static void write_row(struct json_writer *writer, struct slice signature, const struct counters *counters,
                      const char *last_seen, struct slice action, struct slice check_type, struct slice incident_type)
{
    json_open_object(writer, NULL);
    json_string(writer, "pattern_signature", signature);
    json_integer(writer, "total", counters->total);
    json_integer(writer, "l1", counters->l1);
    json_integer(writer, "l2", counters->l2);
    json_integer(writer, "l3", counters->l3);
    json_integer(writer, "ok", counters->ok);
    json_integer(writer, "ms", counters->ms);
    json_text(writer, "last_seen", last_seen);
    json_string(writer, "action", action);
    json_string(writer, "check_type", check_type);
    json_string(writer, "incident_type", incident_type);
    json_close(writer);
}

/* Checks one element and adds it to the rows. */
static bool take_pattern(struct push *push, const struct json *pattern, char *why, size_t size)
{
    struct arena *arena = push->session->arena;
    struct counters counters;
    struct slice check_type, incident_type, action;
    const char *last_seen;
    if (json_type_of(pattern) != JSON_OBJECT)
        return bad(why, size, "a pattern must be an object");
    struct slice signature = json_as_string(json_member(pattern, "pattern_signature"));
    if (!slice_present(signature) || !signature_valid(signature))
        return bad(why, size, "pattern_signature must be 1 to 64 characters of A-Z, a-z, 0-9, '.', '_', ':' and '-'");
    if (!take_counters(pattern, &counters, why, size) ||
        !take_word(pattern, "check_type", &check_type, why, size) ||
        !take_word(pattern, "incident_type", &incident_type, why, size) ||
        !take_last_seen(arena, pattern, &last_seen, why, size) || !take_action(arena, pattern, &action, why, size))
        return false;
    write_row(&push->writer, signature, &counters, last_seen, action, check_type, incident_type);
    return true;
}

static void take_patterns(struct push *push)
{
    char why[160];
    json_open_array(&push->writer, NULL);
    for (const struct json *p = json_first(push->patterns); p != NULL; p = json_next(p), push->received++) {
        if (take_pattern(push, p, why, sizeof why)) {
            push->good++;
            continue;
        }
        push->rejected_count++;
        json_open_object(&push->rejections, NULL);
        json_integer(&push->rejections, "index", (int64_t)push->received);
        json_text(&push->rejections, "detail", why);
        json_close(&push->rejections);
    }
    json_writer_end(&push->writer);
    json_writer_end(&push->rejections);
}

static bool merge(struct db_transaction *transaction, struct push *push, struct error *error)
{
    struct arena *arena = push->session->arena;
    const char *appliance = arena_text(arena, push->session->principal.appliance_id);
    const char *elements = buffer_text(&push->rows);
    const char *received = arena_printf(arena, "%zu", push->received);
    const char *rejected = arena_printf(arena, "%zu", push->rejected_count);
    int64_t moment;
    const char *synced_at =
        timestamp_parse(json_as_string(push->synced_at), &moment) ? timestamp_text(arena, moment) : NULL;
    const struct db_call calls[] = {
        {&report_start_push, (const char *const[]){appliance, synced_at, received, rejected}},
        {&report_begin_patterns, &elements},
        {&report_merge_patterns, (const char *const[]){appliance, elements}},
        {&report_note_contact, &appliance},
    };
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    push->accepted = (long)db_integer(rows[2], 0, 0);
    const char *finish[] = {appliance, arena_printf(arena, "%ld", push->accepted),
                            arena_printf(arena, "%ld", (long)push->good - push->accepted)};
    return db_query(transaction, &report_finish_push, finish, NULL, error);
}

static bool in_change(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    (void)answer;
    struct push *push = argument;
    return merge(change->transaction, push, error);
}

static bool check_document(struct push *push, const struct json *document, struct error *error)
{
    push->patterns = json_member(document, "pattern_stats");
    push->synced_at = json_member(document, "synced_at");
    if (json_type_of(push->patterns) != JSON_ARRAY)
        return error_add(error, "/pattern_stats", "must be an array of patterns");
    return true;
}

static void render(const struct push *push, struct buffer *answer)
{
    struct json_writer json = json_writer_make(answer);
    json_open_object(&json, NULL);
    json_integer(&json, "accepted", push->accepted);
    json_integer(&json, "merged", (int64_t)push->good - push->accepted);
    json_raw(&json, "rejected", buffer_slice(&push->rejected));
    json_text(&json, "server_time", timestamp_text(push->session->arena, push->now));
    json_writer_end(&json);
}

/* Who is calling is asked first, so that a stranger's body is not looked at; the change asks again. */
bool report_pattern_stats(struct session *session, const struct json *document, struct buffer *answer,
                          struct error *error)
{
    struct push push = {.session = session, .rows = buffer_make(ROWS_CEILING), .rejected = buffer_make(ROWS_CEILING)};
    push.writer = json_writer_make(&push.rows);
    push.rejections = json_writer_make(&push.rejected);
    json_open_array(&push.rejections, NULL);
    const struct idempotency none = {0};
    struct answer unused = {.body = answer};
    bool done = session_begin(session, &push.now, error) &&
                report_is_callers_own(&session->principal, document, error) && check_document(&push, document, error);
    if (done) {
        take_patterns(&push);
        done = report_fits(push.received, &push.rows, error) &&
               change_run(session, &none, in_change, &push, NULL, &unused, error);
    }
    if (done)
        render(&push, answer);
    buffer_free(&push.rows);
    buffer_free(&push.rejected);
    return done;
}
