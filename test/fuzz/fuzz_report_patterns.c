/* Pushes of pattern counters: whatever was sent, the rows that go to the database keep to the columns' types and
 * constraints, and every element is either stored or told. */
#include <math.h>

#include "base/timestamp.h"
#include "fuzz.h"
#include "no_database.h"
#include "promotion/reports.h"
#include "rules/signature.h"

static int64_t count_of(const struct json *row, const char *name, int64_t highest)
{
    int64_t count = -1;
    MUST(json_as_integer(json_member(row, name), &count) && count >= 0 && count <= highest);
    return count;
}

static void check_word(struct slice word)
{
    if (slice_present(word))
        MUST(word.len >= 1 && word.len <= 64 && !slice_has_control(word, false));
}

static void check_row(const struct json *row)
{
    int64_t total = count_of(row, "total", INT32_MAX), moment;
    int64_t levels = count_of(row, "l1", total) + count_of(row, "l2", total) + count_of(row, "l3", total);
    MUST(levels <= total && count_of(row, "ok", INT32_MAX) <= total);
    double ms = json_as_number(json_member(row, "ms"));
    MUST(json_type_of(json_member(row, "ms")) == JSON_NUMBER && ms >= 0 && ms <= 0x1p53 && ms == trunc(ms));
    MUST(signature_valid(fuzz_text_of(row, "pattern_signature")));
    struct slice last_seen = fuzz_text_of(row, "last_seen"), action = fuzz_text_of(row, "action");
    MUST(!slice_present(last_seen) || timestamp_parse(last_seen, &moment));
    MUST(!slice_present(action) || (slice_code_points(action) <= 200 && !slice_has_control(action, false)));
    check_word(fuzz_text_of(row, "check_type"));
    check_word(fuzz_text_of(row, "incident_type"));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    char why[160];
    struct session session = {.arena = arena, .needed = SCOPE_AGENT};
    struct buffer answer = buffer_make(1 << 24);
    struct error error;
    error_clear(&error);
    no_database_reset(1);
    const struct json *document = json_parse(arena, json_mend(arena, input), why, sizeof why);
    if (json_type_of(document) != JSON_OBJECT)
        return;
    if (!report_pattern_stats(&session, document, &answer, &error)) {
        MUST(no_database_sent("report_merge_patterns", 1) == NULL);
        fuzz_check_error(arena, &error);
        buffer_free(&answer);
        return;
    }
    const struct json *rows = fuzz_parse(arena, slice_of(no_database_sent("report_merge_patterns", 1)));
    const struct json *rejected = json_member(fuzz_parse(arena, buffer_slice(&answer)), "rejected");
    MUST(json_type_of(rows) == JSON_ARRAY && json_type_of(rejected) == JSON_ARRAY);
    MUST(json_count(rows) + json_count(rejected) == json_count(json_member(document, "pattern_stats")));
    for (const struct json *row = json_first(rows); row != NULL; row = json_next(row))
        check_row(row);
    buffer_free(&answer);
}
