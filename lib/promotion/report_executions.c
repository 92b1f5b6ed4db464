#include <math.h>
#include <stdlib.h>

#include "base/timestamp.h"
#include "promotion/report_identity.h"
#include "promotion/reports.h"
#include "rules/incident.h"
#include "rules/redact.h"
#include "rules/signature.h"

/* Partitions are made before the transaction that needs them, and only for a caller that was recognised. */
DB_STATEMENT(report_prepare_months, 1,
             "SELECT ensure_execution_partitions($1::timestamptz[]) WHERE current_site() IS NOT NULL");

/* An execution whose pattern was not sent belongs to the pattern of the rule that acted, else to the one pattern of the
 * site with its incident type, else to none. The ids decide what is new; of an id that comes twice the first counts.
 *
 * An appliance that has never acknowledged anything, because its agent knows no acknowledgements, proves by a rule's L1
 * execution that it has installed that rule; which version of it cannot be told, so the first proof is the only one. */
DB_STATEMENT(
    report_record_executions, 2,
    "WITH sent AS (SELECT DISTINCT ON (x.execution_id) x.* FROM json_to_recordset($1::json) AS x(n int, "
    "execution_id text, created_at timestamptz, incident_id text, runbook_id text, rule_id text, "
    "pattern_signature text, hostname text, host_id text, platform text, incident_type text, check_type text, "
    "severity text, recommended_action text, started_at timestamptz, completed_at timestamptz, "
    "duration_seconds float8, success boolean, status text, verification_passed boolean, confidence float8, "
    "resolution_level text, failure_type text, error_message text, error_step text, retry_count int, "
    "evidence_bundle_id text, incident jsonb, state_before jsonb, state_after jsonb, state_diff jsonb, "
    "executed_steps jsonb) ORDER BY x.execution_id, x.n), "
    "fresh AS (INSERT INTO execution_ids (site_id, execution_id, partner_id, created_at) "
    "SELECT current_site(), execution_id, current_partner(), created_at FROM sent ORDER BY execution_id "
    "ON CONFLICT DO NOTHING RETURNING execution_id), "
    "stored AS (INSERT INTO execution_telemetry (created_at, partner_id, site_id, appliance_id, execution_id, "
    "incident_id, runbook_id, rule_id, pattern_signature, hostname, host_id, platform, incident_type, check_type, "
    "severity, recommended_action, started_at, completed_at, duration_seconds, success, status, "
    "verification_passed, confidence, resolution_level, failure_type, error_message, error_step, retry_count, "
    "evidence_bundle_id, incident, state_before, state_after, state_diff, executed_steps) "
    "SELECT s.created_at, current_partner(), current_site(), $2, s.execution_id, s.incident_id, s.runbook_id, "
    "coalesce(s.rule_id, r.rule_id), coalesce(s.pattern_signature, r.pattern_signature, "
    "(SELECT min(a.pattern_signature) FROM aggregated_pattern_stats a WHERE a.site_id = current_site() "
    "AND a.incident_type = s.incident_type HAVING count(*) = 1)), s.hostname, s.host_id, s.platform, "
    "s.incident_type, s.check_type, s.severity, s.recommended_action, s.started_at, s.completed_at, "
    "s.duration_seconds, s.success, s.status, s.verification_passed, s.confidence, s.resolution_level, "
    "s.failure_type, s.error_message, s.error_step, s.retry_count, s.evidence_bundle_id, s.incident, "
    "s.state_before, s.state_after, s.state_diff, s.executed_steps FROM sent s JOIN fresh USING (execution_id) "
    "LEFT JOIN promoted_rules r ON r.site_id = current_site() AND r.rule_id = coalesce(s.rule_id, s.runbook_id)), "
    "proven AS (UPDATE promoted_rule_deployments d SET deployment_status = 'applied', acknowledged_at = p.moment, "
    "proven_at = p.moment, error = NULL FROM (SELECT coalesce(s.rule_id, s.runbook_id) AS rule_id, "
    "min(s.created_at) AS moment FROM sent s JOIN fresh USING (execution_id) WHERE s.resolution_level = 'L1' GROUP BY 1) p "
    "WHERE d.site_id = current_site() AND d.appliance_id = $2 AND d.rule_id = p.rule_id AND d.proven_at IS NULL "
    "AND NOT EXISTS (SELECT FROM appliance_rule_sync y WHERE y.appliance_id = $2)) "
    "SELECT s.n FROM sent s JOIN fresh USING (execution_id)");

DB_STATEMENT(report_note_execution_contact, 1,
             "UPDATE site_appliances SET last_seen_at = now() WHERE appliance_id = $1");

enum {
    ROWS_CEILING = 32 * 1024 * 1024,
    NAME_LENGTH = 255,
    PROSE_LENGTH = 2000,
    DOCUMENT_BYTES = 64 * 1024, /* of one state or incident; larger ones are left out */
};
static const int64_t OLDEST_US = (int64_t)5 * 366 * 86400 * 1000000; /* a clock that is further off is broken */
static const int64_t AHEAD_US = (int64_t)300 * 1000000;

/* A batch being taken apart. */
struct batch {
    struct session *session;
    bool single;
    size_t count;
    const char **ids;     /* per item; NULL: rejected */
    const char **reasons; /* per rejected item */
    bool *recorded;       /* per item: stored by this request */
    int64_t now, reported_at;
    struct buffer rows;
    struct json_writer writer;
    struct buffer months; /* text of a timestamptz[] */
};

/* ---- one execution ------------------------------------------------------------------------------------------ */

static bool moment_of(const struct json *execution, const char *name, int64_t *moment)
{
    return timestamp_parse(json_as_string(json_member(execution, name)), moment);
}

/* When it happened: completed, else started, else reported; now, when the appliance's clock cannot be believed. */
static int64_t happened_at(const struct batch *batch, const struct json *execution)
{
    int64_t moment;
    if (!moment_of(execution, "completed_at", &moment) && !moment_of(execution, "started_at", &moment))
        moment = batch->reported_at;
    bool credible = moment <= batch->now + AHEAD_US && moment >= batch->now - OLDEST_US;
    return credible && moment < batch->now ? moment : batch->now;
}

static void copy_text(struct batch *batch, const struct json *execution, const char *name, size_t limit)
{
    json_string(&batch->writer, name, report_text(batch->session->arena, json_member(execution, name), limit));
}

/* What a program printed: without what tells who somebody is. */
static void copy_prose(struct batch *batch, const struct json *execution, const char *name, size_t limit)
{
    enum { LOOKED_AT = 5 }; /* times the limit: redacting mostly shortens */
    struct arena *arena = batch->session->arena;
    struct slice text = report_text(arena, json_member(execution, name), limit * LOOKED_AT);
    json_string(&batch->writer, name, redact_and_cut(arena, text, limit));
}

static void copy_moment(struct batch *batch, const struct json *execution, const char *name)
{
    int64_t moment;
    bool known = moment_of(execution, name, &moment);
    json_text(&batch->writer, name, known ? timestamp_text(batch->session->arena, moment) : NULL);
}

static void copy_number(struct batch *batch, const struct json *execution, const char *name, double highest)
{
    const struct json *value = json_member(execution, name);
    double number = json_as_number(value);
    if (json_type_of(value) != JSON_NUMBER || !isfinite(number) || number < 0 || number > highest)
        json_null(&batch->writer, name);
    else
        json_number(&batch->writer, name, slice_of(arena_printf(batch->session->arena, "%.17g", number)));
}

static void copy_bool(struct batch *batch, const struct json *execution, const char *name)
{
    const struct json *value = json_member(execution, name);
    if (json_type_of(value) == JSON_BOOL)
        json_bool(&batch->writer, name, json_as_bool(value));
    else
        json_null(&batch->writer, name);
}

/* Of objects and arrays the members on the allow-list are kept, up to a size. */
static void copy_document(struct batch *batch, const struct json *execution, const char *name)
{
    const struct json *value = json_member(execution, name);
    enum json_type type = json_type_of(value);
    struct buffer text = buffer_make(DOCUMENT_BYTES);
    struct json_writer writer = json_writer_make(&text);
    if (type == JSON_OBJECT || type == JSON_ARRAY)
        incident_write(batch->session->arena, &writer, NULL, value);
    bool kept = text.len > 0 && buffer_ok(&text);
    json_raw(&batch->writer, name, kept ? buffer_slice(&text) : SLICE_ABSENT);
    buffer_free(&text);
}

static struct slice level_of(const struct json *execution)
{
    static const char *const levels[] = {"L1", "L2", "L3"};
    struct slice level = json_as_string(json_member(execution, "resolution_level"));
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        if (level.len == 2 && (level.ptr[0] == 'L' || level.ptr[0] == 'l') && level.ptr[1] == levels[i][1])
            return slice_of(levels[i]);
    return SLICE_ABSENT;
}

static bool member_is(const struct json *execution, const char *name, const char *text)
{
    return slice_is(json_as_string(json_member(execution, name)), text);
}

/* Handed to a person: whatever the report says of success, nothing was healed automatically. */
static bool was_escalated(const struct json *execution)
{
    return slice_is(level_of(execution), "L3") || member_is(execution, "status", "escalated") ||
           member_is(execution, "runbook_id", "L2-escalate") || member_is(execution, "runbook_id", "escalate") ||
           member_is(execution, "recommended_action", "escalate");
}

static void write_success(struct batch *batch, const struct json *execution)
{
    if (was_escalated(execution))
        json_bool(&batch->writer, "success", false);
    else
        copy_bool(batch, execution, "success"); /* not said: unknown, which never counts as success */
}

static void write_signature(struct batch *batch, const struct json *execution)
{
    struct slice signature = json_as_string(json_member(execution, "pattern_signature"));
    bool valid = slice_present(signature) && signature_valid(signature);
    json_string(&batch->writer, "pattern_signature", valid ? signature : SLICE_ABSENT);
}

/* Members of the incident that have columns of their own. */
static void write_from_incident(struct batch *batch, const struct json *execution)
{
    static const char *const names[] = {"host_id", "severity"};
    const struct json *incident = json_member(execution, "incident");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct json *own = json_member(execution, names[i]);
        const struct json *value = own != NULL || json_type_of(incident) != JSON_OBJECT ? own
                                                                                        : json_member(incident, names[i]);
        json_string(&batch->writer, names[i], report_text(batch->session->arena, value, NAME_LENGTH));
    }
}

static void write_execution(struct batch *batch, const struct json *execution, size_t index, const char *id,
                            int64_t created_at)
{
    static const char *const texts[] = {"incident_id", "runbook_id",   "rule_id", "hostname",
                                        "platform",    "recommended_action", "status",  "failure_type",
                                        "evidence_bundle_id"};
    static const char *const documents[] = {"incident", "state_before", "state_after", "state_diff", "executed_steps"};
    struct json_writer *writer = &batch->writer;
    json_open_object(writer, NULL);
    json_integer(writer, "n", (int64_t)index);
    json_text(writer, "execution_id", id);
    json_text(writer, "created_at", timestamp_text(batch->session->arena, created_at));
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        copy_text(batch, execution, texts[i], NAME_LENGTH);
    copy_prose(batch, execution, "error_message", PROSE_LENGTH);
    copy_prose(batch, execution, "error_step", NAME_LENGTH);
    json_string(writer, "incident_type", report_word(json_member(execution, "incident_type")));
    json_string(writer, "check_type", report_word(json_member(execution, "check_type")));
    write_signature(batch, execution);
    write_from_incident(batch, execution);
    copy_moment(batch, execution, "started_at");
    copy_moment(batch, execution, "completed_at");
    copy_number(batch, execution, "duration_seconds", 1e9);
    copy_number(batch, execution, "confidence", 1);
    int64_t retries;
    if (json_as_integer(json_member(execution, "retry_count"), &retries) && retries >= 0 && retries <= INT32_MAX)
        json_integer(writer, "retry_count", retries);
    write_success(batch, execution);
    copy_bool(batch, execution, "verification_passed");
    json_string(writer, "resolution_level", level_of(execution));
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        copy_document(batch, execution, documents[i]);
    json_close(writer);
}

/* ---- the batch ---------------------------------------------------------------------------------------------- */

/* The id as it is stored, or NULL with a reason. */
static const char *usable_id(struct batch *batch, const struct json *execution, const char **reason)
{
    struct slice id = json_as_string(json_member(execution, "execution_id"));
    *reason = "an execution must be an object";
    if (json_type_of(execution) != JSON_OBJECT)
        return NULL;
    *reason = "execution_id must be a text of 1 to 255 characters without control characters";
    if (!slice_present(id) || id.len == 0 || slice_code_points(id) > NAME_LENGTH || slice_has_control(id, false))
        return NULL;
    return arena_text(batch->session->arena, id);
}

static bool take_execution(struct batch *batch, const struct json *execution, size_t index, struct error *error)
{
    batch->ids[index] = usable_id(batch, execution, &batch->reasons[index]);
    if (batch->ids[index] == NULL)
        return !batch->single ||
               error_add(error, json_type_of(execution) == JSON_OBJECT ? "/execution/execution_id" : "/execution", "%s",
                         batch->reasons[index]);
    if (!report_is_callers_own(&batch->session->principal, execution, error)) {
        if (batch->single)
            return false;
        batch->reasons[index] = "the execution names another site or appliance than the token";
        batch->ids[index] = NULL;
        error_clear(error);
        return true;
    }
    int64_t created_at = happened_at(batch, execution);
    write_execution(batch, execution, index, batch->ids[index], created_at);
    buffer_append_format(&batch->months, "%s\"%.7s-01T00:00:00Z\"", batch->months.len > 1 ? "," : "",
                         timestamp_text(batch->session->arena, created_at));
    return true;
}

static bool take_batch(struct batch *batch, const struct json *document, struct error *error)
{
    struct arena *arena = batch->session->arena;
    const struct json *single = json_member(document, "execution");
    const struct json *several = json_member(document, "executions");
    batch->single = single != NULL;
    if ((single != NULL) == (several != NULL) || (several != NULL && json_type_of(several) != JSON_ARRAY))
        return error_add(error, "/executions", "send either the member 'execution' or an array 'executions'");
    batch->count = batch->single ? 1 : json_count(several);
    batch->ids = arena_array(arena, batch->count + 1, sizeof *batch->ids);
    batch->reasons = arena_array(arena, batch->count + 1, sizeof *batch->reasons);
    batch->recorded = arena_array(arena, batch->count + 1, sizeof *batch->recorded);
    if (!moment_of(document, "reported_at", &batch->reported_at))
        batch->reported_at = batch->now;
    json_open_array(&batch->writer, NULL);
    buffer_append_char(&batch->months, '{');
    const struct json *execution = batch->single ? single : json_first(several);
    for (size_t i = 0; i < batch->count; i++, execution = json_next(execution))
        if (!take_execution(batch, execution, i, error))
            return false;
    json_writer_end(&batch->writer);
    buffer_append_char(&batch->months, '}');
    return report_fits(batch->count, &batch->rows, error);
}

static bool in_change(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    (void)answer;
    struct batch *batch = argument;
    struct arena *arena = batch->session->arena;
    const char *appliance = arena_text(arena, batch->session->principal.appliance_id);
    const char *values[] = {buffer_text(&batch->rows), appliance};
    const struct db_call calls[] = {{&report_record_executions, values}, {&report_note_execution_contact, &appliance}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!db_run(change->transaction, calls, COUNT_OF(calls), rows, error))
        return false;
    memset(batch->recorded, 0, batch->count * sizeof *batch->recorded);
    for (size_t i = 0; i < db_count(rows[0]); i++)
        batch->recorded[db_integer(rows[0], i, 0)] = true;
    return true;
}

static bool store(struct batch *batch, struct error *error)
{
    const struct idempotency none = {0};
    struct buffer nothing = buffer_make(1);
    struct answer unused = {.body = &nothing};
    const char *months = buffer_text(&batch->months);
    const struct db_call prepare = {&report_prepare_months, &months};
    const struct db_rows *rows;
    return session_read(batch->session, &prepare, 1, &rows, error) &&
           change_run(batch->session, &none, in_change, batch, NULL, &unused, error);
}

static const char *status_of(const struct batch *batch, size_t i)
{
    if (batch->ids[i] == NULL)
        return "rejected";
    return batch->recorded[i] ? "recorded" : "duplicate";
}

static void render_results(const struct batch *batch, struct json_writer *json)
{
    int64_t recorded = 0, duplicates = 0;
    json_open_array(json, "results");
    for (size_t i = 0; i < batch->count; i++) {
        json_open_object(json, NULL);
        json_integer(json, "index", (int64_t)i);
        json_text(json, "status", status_of(batch, i));
        json_text(json, "execution_id", batch->ids[i]);
        if (batch->ids[i] == NULL)
            json_text(json, "detail", batch->reasons[i]);
        json_close(json);
        recorded += batch->recorded[i];
        duplicates += batch->ids[i] != NULL && !batch->recorded[i];
    }
    json_close(json);
    json_integer(json, "recorded", recorded);
    json_integer(json, "duplicates", duplicates);
    json_integer(json, "rejected", (int64_t)batch->count - recorded - duplicates);
}

static void render(const struct batch *batch, struct buffer *answer)
{
    struct json_writer json = json_writer_make(answer);
    json_open_object(&json, NULL);
    if (batch->single) {
        json_text(&json, "status", "recorded");
        json_text(&json, "execution_id", batch->ids[0]);
        json_bool(&json, "duplicate", !batch->recorded[0]);
    } else {
        render_results(batch, &json);
    }
    json_text(&json, "server_time", timestamp_text(batch->session->arena, batch->now));
    json_writer_end(&json);
}

bool report_executions(struct session *session, const struct json *document, struct buffer *answer, struct error *error)
{
    struct batch batch = {.session = session, .rows = buffer_make(ROWS_CEILING), .months = buffer_make(ROWS_CEILING)};
    batch.writer = json_writer_make(&batch.rows);
    bool done = session_begin(session, &batch.now, error) &&
                report_is_callers_own(&session->principal, document, error) && take_batch(&batch, document, error) &&
                store(&batch, error);
    if (done)
        render(&batch, answer);
    buffer_free(&batch.rows);
    buffer_free(&batch.months);
    return done;
}
