#include "promotion/acknowledge.h"

#include <stdio.h>

#include "base/timestamp.h"
#include "promotion/report_identity.h"
#include "rules/redact.h"
#include "rules/rule_id.h"

DB_STATEMENT(acknowledge_hold_rules, 0, "SELECT rules_revision, rules_full_below FROM hold_site_rules()");

/* Its row is what serialises an appliance's acknowledgements, and what tells a late one: that touches nothing. */
DB_STATEMENT(
    acknowledge_revision, 5,
    "INSERT INTO appliance_rule_sync AS y (appliance_id, site_id, partner_id, acknowledged_revision, agent, last_error, "
    "last_error_at, engine_errors, dropped_executions) SELECT current_appliance(), current_site(), current_partner(), "
    "$1::bigint, $2::text, $3::text, CASE WHEN $3::text IS NOT NULL THEN now() END, coalesce($4::jsonb, '[]'), "
    "coalesce($5::bigint, 0) ON CONFLICT (appliance_id) DO UPDATE SET acknowledged_revision = EXCLUDED.acknowledged_revision, "
    "acknowledged_at = CASE WHEN y.acknowledged_revision = EXCLUDED.acknowledged_revision THEN y.acknowledged_at "
    "ELSE now() END, agent = coalesce($2::text, y.agent), last_error = $3::text, "
    "last_error_at = CASE WHEN y.last_error = $3::text THEN y.last_error_at ELSE EXCLUDED.last_error_at END, "
    "engine_errors = coalesce($4::jsonb, y.engine_errors), "
    "dropped_executions = coalesce($5::bigint, y.dropped_executions) "
    "WHERE y.acknowledged_revision <= EXCLUDED.acknowledged_revision");

/* Compares what was said with each rule as it stands at that revision. Who says to be at a revision has done what it asks:
 * a rule that is not to be installed, and is not said to have failed, is gone.
 *
 * What was said comes as an object by rule ($2: [outcome, error]), and as the list of its ids ($3), of which the unknown ones
 * are told by their places. Objects and hashed lists keep the time proportional to the number of rules, whatever the planner
 * believes that to be. */
DB_STATEMENT(
    acknowledge_deployments, 3,
    "WITH standing AS MATERIALIZED (SELECT d.rule_id, d.deployment_status AS old_state, d.rule_version, d.error AS old_error, "
    "d.proven_at, r.version, r.revision <= $1::bigint AS is_told, r.status = 'active' AND r.released_at IS NOT NULL "
    "AS is_installable, $2::jsonb -> d.rule_id ->> 0 AS outcome, $2::jsonb -> d.rule_id ->> 1 AS error "
    "FROM promoted_rule_deployments d CROSS JOIN LATERAL (SELECT * FROM promoted_rules x WHERE x.site_id = d.site_id "
    "AND x.rule_id = d.rule_id LIMIT 1) r WHERE d.site_id = current_site() AND d.appliance_id = current_appliance() "
    "AND EXISTS (SELECT FROM appliance_rule_sync y WHERE y.appliance_id = current_appliance() "
    "AND y.acknowledged_revision = $1::bigint)), "
    "states AS (SELECT t.*, CASE WHEN outcome = 'failed' THEN 'failed' WHEN NOT is_installable THEN 'removed' "
    "WHEN outcome = 'removed' THEN 'pending' ELSE outcome END AS state FROM standing t WHERE is_told), "
    "news AS MATERIALIZED (SELECT jsonb_object_agg(rule_id, jsonb_build_array(state, version, error)) AS by_rule FROM states "
    "WHERE (old_state, rule_version, old_error, proven_at) IS DISTINCT FROM (state, version, error, NULL) "
    "AND state IS NOT NULL), "
    "settled AS (UPDATE promoted_rule_deployments d SET deployment_status = n.by_rule -> d.rule_id ->> 0, "
    "rule_version = (n.by_rule -> d.rule_id ->> 1)::int, error = n.by_rule -> d.rule_id ->> 2, proven_at = NULL, "
    "delivered_at = CASE WHEN n.by_rule -> d.rule_id ->> 0 <> 'pending' THEN d.delivered_at END, "
    "acknowledged_at = CASE WHEN n.by_rule -> d.rule_id ->> 0 = 'pending' THEN NULL "
    "WHEN n.by_rule -> d.rule_id ->> 0 = d.deployment_status AND (n.by_rule -> d.rule_id ->> 1)::int = d.rule_version "
    "THEN d.acknowledged_at ELSE now() END FROM news n WHERE d.site_id = current_site() "
    "AND d.appliance_id = current_appliance() AND n.by_rule ? d.rule_id) "
    "SELECT c.told, u.place - 1 FROM (SELECT count(*) AS told FROM standing WHERE is_told AND outcome IS NOT NULL) c "
    "LEFT JOIN (SELECT e.place FROM json_array_elements_text($3::json) WITH ORDINALITY AS e(rule_id, place) "
    "WHERE e.rule_id NOT IN (SELECT rule_id FROM standing)) u ON true");

/* Who stands at nothing that counts (its state was lost, or this database was restored) and refuses the answer that would mend
 * it can say so, and only that. */
DB_STATEMENT(
    acknowledge_complaint, 2,
    "INSERT INTO appliance_rule_sync AS y (appliance_id, site_id, partner_id, acknowledged_revision, agent, last_error, "
    "last_error_at) SELECT current_appliance(), current_site(), current_partner(), 0, $1::text, $2::text, now() "
    "ON CONFLICT (appliance_id) DO UPDATE SET last_error = $2::text, "
    "last_error_at = CASE WHEN y.last_error = $2::text THEN y.last_error_at ELSE now() END");

DB_STATEMENT(acknowledge_note_contact, 0,
             "UPDATE site_appliances SET last_seen_at = now() WHERE appliance_id = current_appliance()");

enum {
    ROWS_CEILING = 16 * 1024 * 1024,
    ENGINE_ERRORS = 20,
    ERROR_LENGTH = 500,
    NAME_LENGTH = 100,
    ENGINE_ERRORS_CEILING = ENGINE_ERRORS * (2 * ERROR_LENGTH * 4 + 100), /* 4: bytes of a character, escaped or not */
};

/* An element of one of the lists. */
struct said {
    const char *list;
    size_t index;
    struct slice rule_id;
    bool is_id;      /* of the form of one */
    bool is_unknown; /* no rule of that id was sent to this appliance */
};

/* An acknowledgement being taken apart. */
struct acknowledgement {
    struct session *session;
    int64_t now, revision;
    const char *agent, *error, *engine_errors, *dropped; /* as parameters: NULL for what was not said */
    struct said *said;
    size_t count;
    struct buffer outcomes, ids; /* the same for the database */
    int64_t site_revision;
    bool is_late;
    int64_t acknowledged;
};

/* ---- what was sent ----------------------------------------------------------------------------------------------- */

static bool is_missing(const struct json *value)
{
    return json_type_of(value) == JSON_ABSENT || json_type_of(value) == JSON_NULL;
}

static bool check_type(const struct json *document, const char *name, enum json_type type, struct error *error)
{
    const struct json *value = json_member(document, name);
    char pointer[ERROR_POINTER_SIZE];
    snprintf(pointer, sizeof pointer, "/%s", name);
    return is_missing(value) || json_type_of(value) == type || error_add(error, pointer, "must be %s", json_type_name(type));
}

/* All members are looked at, so that all that are wrong are told. */
static bool check_document(struct acknowledgement *ack, const struct json *document, struct error *error)
{
    const struct json *dropped = json_member(document, "dropped_executions");
    int64_t count = 0;
    if (!json_as_integer(json_member(document, "revision"), &ack->revision) || ack->revision < 0)
        error_fill_item(error, "/revision", "must be the revision that the appliance has reached, a whole number of 0 or more");
    bool good = check_type(document, "applied", JSON_ARRAY, error);
    good &= check_type(document, "failed", JSON_ARRAY, error);
    good &= check_type(document, "removed", JSON_ARRAY, error);
    good &= check_type(document, "engine_errors", JSON_ARRAY, error);
    good &= check_type(document, "error", JSON_STRING, error);
    good &= check_type(document, "agent", JSON_STRING, error);
    if (!is_missing(dropped) && (!json_as_integer(dropped, &count) || count < 0))
        good = error_add(error, "/dropped_executions", "must be a whole number of 0 or more");
    ack->dropped = is_missing(dropped) ? NULL : arena_printf(ack->session->arena, "%lld", (long long)count);
    return good && error->kind == ERROR_NONE;
}

/* What a program said of a failure: without what tells who somebody is. */
static struct slice reason_of(struct arena *arena, const struct json *object, const char *name)
{
    enum { LOOKED_AT = 5 }; /* times the limit: redacting mostly shortens */
    return redact_and_cut(arena, report_text(arena, json_member(object, name), (size_t)ERROR_LENGTH * LOOKED_AT), ERROR_LENGTH);
}

static const char *engine_errors_of(struct arena *arena, const struct json *list)
{
    if (is_missing(list))
        return NULL;
    struct buffer text = buffer_make(ENGINE_ERRORS_CEILING);
    struct json_writer writer = json_writer_make(&text);
    json_open_array(&writer, NULL);
    size_t kept = 0;
    for (const struct json *e = json_first(list); e != NULL && kept < ENGINE_ERRORS; e = json_next(e), kept++) {
        json_open_object(&writer, NULL);
        json_string(&writer, "file", reason_of(arena, e, "file"));
        json_string(&writer, "error", reason_of(arena, e, "error"));
        json_close(&writer);
    }
    json_writer_end(&writer);
    const char *copy = arena_text(arena, buffer_slice(&text));
    buffer_free(&text);
    return copy;
}

/* Of `applied` and `removed` the elements are ids; of `failed` objects. */
static void take_element(struct acknowledgement *ack, const char *list, const struct json *element, size_t index)
{
    bool failed = json_type_of(element) == JSON_OBJECT && strcmp(list, "failed") == 0;
    struct slice rule_id = json_as_string(failed ? json_member(element, "rule_id") : element);
    ack->said[ack->count++] = (struct said){list, index, rule_id, rule_id_valid(rule_id), false};
}

/* Of an id that was said several times the database keeps the last: what has failed has failed. */
static void write_said(struct acknowledgement *ack, const struct json *document)
{
    struct json_writer outcomes = json_writer_make(&ack->outcomes), ids = json_writer_make(&ack->ids);
    const struct json *failure = json_first(json_member(document, "failed"));
    json_open_object(&outcomes, NULL);
    json_open_array(&ids, NULL);
    for (size_t i = 0; i < ack->count; i++) {
        const struct said *said = &ack->said[i];
        bool failed = strcmp(said->list, "failed") == 0;
        json_string(&ids, NULL, said->is_id ? said->rule_id : SLICE(""));
        if (said->is_id) {
            json_open_array(&outcomes, arena_text(ack->session->arena, said->rule_id));
            json_text(&outcomes, NULL, said->list);
            json_string(&outcomes, NULL, failed ? reason_of(ack->session->arena, failure, "error") : SLICE_ABSENT);
            json_close(&outcomes);
        }
        failure = failed ? json_next(failure) : failure;
    }
    json_writer_end(&outcomes);
    json_writer_end(&ids);
}

static bool take_document(struct acknowledgement *ack, const struct json *document, struct error *error)
{
    static const char *const lists[] = {"applied", "removed", "failed"};
    struct arena *arena = ack->session->arena;
    size_t total = 0;
    if (!check_document(ack, document, error))
        return false;
    ack->agent = arena_text(arena, report_text(arena, json_member(document, "agent"), NAME_LENGTH));
    ack->error = arena_text(arena, reason_of(arena, document, "error"));
    ack->engine_errors = engine_errors_of(arena, json_member(document, "engine_errors"));
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        total += json_count(json_member(document, lists[i]));
    if (!report_fits(total, &ack->outcomes, error))
        return false;
    ack->said = arena_array(arena, total + 1, sizeof *ack->said);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        size_t index = 0;
        for (const struct json *e = json_first(json_member(document, lists[i])); e != NULL; e = json_next(e))
            take_element(ack, lists[i], e, index++);
    }
    write_said(ack, document);
    return report_fits(total, &ack->outcomes, error);
}

/* ---- what becomes of it ------------------------------------------------------------------------------------------ */

/* The site's rules stay as they are until the end of the transaction. */
static bool hold_rules(struct change *change, struct acknowledgement *ack, struct error *error)
{
    const struct db_rows *rows;
    if (!db_query(change->transaction, &acknowledge_hold_rules, NULL, &rows, error))
        return false;
    ack->site_revision = db_integer(rows, 0, 0);
    bool refuses_to_go_back = ack->revision > ack->site_revision && ack->error != NULL;
    ack->is_late = ack->revision < db_integer(rows, 0, 1) || refuses_to_go_back;
    return ack->revision <= ack->site_revision || refuses_to_go_back ||
           error_add(error, "/revision", "is ahead of the site's, which is %lld", (long long)ack->site_revision);
}

static void read_outcome(struct acknowledgement *ack, const struct db_rows *rows)
{
    ack->acknowledged = db_integer(rows, 0, 0);
    for (size_t i = 0; i < ack->count; i++)
        ack->said[i].is_unknown = false;
    for (size_t i = 0; i < db_count(rows); i++)
        if (slice_present(db_value(rows, i, 1)))
            ack->said[db_integer(rows, i, 1)].is_unknown = true;
}

static bool keep_complaint(struct change *change, const struct acknowledgement *ack, struct error *error)
{
    const char *values[] = {ack->agent, ack->error};
    const struct db_rows *rows;
    return db_query(change->transaction, &acknowledge_complaint, values, &rows, error);
}

static bool settle(struct change *change, void *argument, struct answer *answer, struct error *error)
{
    (void)answer;
    struct acknowledgement *ack = argument;
    const char *revision = arena_printf(ack->session->arena, "%lld", (long long)ack->revision);
    const char *sync[] = {revision, ack->agent, ack->error, ack->engine_errors, ack->dropped};
    const char *deployments[] = {revision, buffer_text(&ack->outcomes), buffer_text(&ack->ids)};
    const struct db_call calls[] = {
        {&acknowledge_note_contact, NULL}, {&acknowledge_revision, sync}, {&acknowledge_deployments, deployments}};
    const struct db_rows *rows[COUNT_OF(calls)];
    if (!hold_rules(change, ack, error) || !db_run(change->transaction, calls, ack->is_late ? 1 : COUNT_OF(calls), rows, error))
        return false;
    bool counts_no_more = ack->is_late || ack->revision == 0;
    ack->is_late = ack->is_late || db_affected(rows[1]) == 0;
    if (!ack->is_late)
        read_outcome(ack, rows[2]);
    return !ack->is_late || !counts_no_more || ack->error == NULL || keep_complaint(change, ack, error);
}

static void render_rejection(const struct said *said, struct json_writer *json)
{
    if (!said->is_unknown)
        return;
    json_open_object(json, NULL);
    json_text(json, "list", said->list);
    json_integer(json, "index", (int64_t)said->index);
    json_string(json, "rule_id", said->rule_id);
    json_text(json, "detail", said->is_id ? "no such rule was sent to this appliance" : "must name a rule by its id");
    json_close(json);
}

static void render(const struct acknowledgement *ack, struct buffer *answer)
{
    struct json_writer json = json_writer_make(answer);
    json_open_object(&json, NULL);
    json_text(&json, "status", ack->is_late ? "outdated" : "recorded");
    json_integer(&json, "acknowledged", ack->is_late ? 0 : ack->acknowledged);
    json_open_array(&json, "rejected");
    for (size_t i = 0; i < ack->count && !ack->is_late; i++)
        render_rejection(&ack->said[i], &json);
    json_close(&json);
    json_integer(&json, "revision", ack->site_revision);
    json_text(&json, "server_time", timestamp_text(ack->session->arena, ack->now));
    json_writer_end(&json);
}

bool acknowledge_rules(struct session *session, const struct json *document, struct buffer *answer, struct error *error)
{
    struct acknowledgement ack = {
        .session = session, .outcomes = buffer_make(ROWS_CEILING), .ids = buffer_make(ROWS_CEILING)};
    const struct idempotency none = {0};
    struct answer unused = {.body = answer};
    bool done = session_begin(session, &ack.now, error) && report_is_callers_own(&session->principal, document, error) &&
                take_document(&ack, document, error) && change_run(session, &none, settle, &ack, NULL, &unused, error);
    if (done)
        render(&ack, answer);
    buffer_free(&ack.outcomes);
    buffer_free(&ack.ids);
    return done;
}
