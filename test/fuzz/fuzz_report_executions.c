/* Reports of executions: whatever was sent, the rows that go to the database keep to the columns' types and bounds, what was
 * handed to a person is no success, and every execution gets its status. */
#include "base/timestamp.h"
#include "fuzz.h"
#include "no_database.h"
#include "promotion/reports.h"
#include "rules/signature.h"

static const int64_t DAY_US = INT64_C(86400) * 1000000;

static void check_texts(const struct json *row)
{
    static const char *const names[] = {"execution_id", "incident_id", "runbook_id", "rule_id", "hostname", "host_id",
                                        "platform", "severity", "recommended_action", "status", "failure_type",
                                        "error_step", "evidence_bundle_id", "incident_type", "check_type",
                                        "error_message"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct slice text = fuzz_text_of(row, names[i]);
        MUST(!slice_present(text) || (text.len > 0 && slice_code_points(text) <= (i + 1 == COUNT_OF(names) ? 2000 : 255)));
    }
    struct slice signature = fuzz_text_of(row, "pattern_signature");
    MUST(!slice_present(signature) || signature_valid(signature));
}

static void check_number(const struct json *row, const char *name, double highest)
{
    const struct json *value = json_member(row, name);
    if (value == NULL || json_type_of(value) == JSON_NULL)
        return;
    MUST(json_type_of(value) == JSON_NUMBER && json_as_number(value) >= 0 && json_as_number(value) <= highest);
}

static void check_moment(const struct json *row, const char *name, bool credible)
{
    struct slice text = fuzz_text_of(row, name);
    int64_t moment, now = timestamp_now();
    if (!slice_present(text)) {
        MUST(!credible);
        return;
    }
    MUST(timestamp_parse(text, &moment));
    MUST(!credible || (moment <= now && moment >= now - 5 * 366 * DAY_US - DAY_US));
}

static void check_row(const struct json *row)
{
    check_texts(row);
    check_number(row, "duration_seconds", 1e9);
    check_number(row, "confidence", 1);
    check_number(row, "retry_count", INT32_MAX);
    check_moment(row, "created_at", true);
    check_moment(row, "started_at", false);
    check_moment(row, "completed_at", false);
    const struct json *success = json_member(row, "success");
    MUST(json_type_of(success) == JSON_BOOL || json_type_of(success) == JSON_NULL);
    if (slice_is(fuzz_text_of(row, "resolution_level"), "L3"))
        MUST(json_type_of(success) == JSON_BOOL && !json_as_bool(success));
}

static void check_answer(const struct json *document, const struct json *answer)
{
    const struct json *several = json_member(document, "executions"), *results = json_member(answer, "results");
    if (several == NULL) {
        MUST(slice_is(fuzz_text_of(answer, "status"), "recorded"));
        return;
    }
    double sum = json_as_number(json_member(answer, "recorded")) + json_as_number(json_member(answer, "duplicates")) +
                 json_as_number(json_member(answer, "rejected"));
    MUST(json_count(results) == json_count(several) && sum == (double)json_count(several));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    char why[160];
    struct session session = {.arena = arena, .needed = SCOPE_AGENT};
    struct buffer answer = buffer_make(1 << 24);
    struct error error;
    error_clear(&error);
    no_database_reset(0);
    const struct json *document = json_parse(arena, json_mend(arena, input), why, sizeof why);
    if (json_type_of(document) != JSON_OBJECT)
        return;
    if (!report_executions(&session, document, &answer, &error)) {
        MUST(no_database_sent("report_record_executions", 0) == NULL);
        fuzz_check_error(arena, &error);
        buffer_free(&answer);
        return;
    }
    const struct json *rows = fuzz_parse(arena, slice_of(no_database_sent("report_record_executions", 0)));
    MUST(json_type_of(rows) == JSON_ARRAY);
    fuzz_check_numbers(slice_of(no_database_sent("report_record_executions", 0)));
    for (const struct json *row = json_first(rows); row != NULL; row = json_next(row))
        check_row(row);
    check_answer(document, fuzz_parse(arena, buffer_slice(&answer)));
    buffer_free(&answer);
}
