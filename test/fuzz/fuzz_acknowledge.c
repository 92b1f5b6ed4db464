/* Acknowledgements: whatever was sent, what goes to the database keeps to the columns' types and bounds, every element has its
 * place there, and nothing goes there when something is refused. */
#include "fuzz.h"
#include "no_database.h"
#include "promotion/acknowledge.h"
#include "rules/rule_id.h"

static size_t count_of(const struct json *document, const char *name)
{
    return json_count(json_member(document, name));
}

static void check_text(struct slice text, size_t limit)
{
    for (size_t i = 0; i < text.len; i++)
        MUST(((unsigned char)text.ptr[i] >= 0x20 && text.ptr[i] != 0x7F) || text.ptr[i] == '\n' || text.ptr[i] == '\t');
    if (slice_present(text))
        MUST(text.len > 0 && slice_is_utf8(text) && slice_code_points(text) <= limit);
}

/* An object of [outcome, error] by rule. */
static void check_outcomes(const struct json *outcomes)
{
    MUST(json_type_of(outcomes) == JSON_OBJECT);
    for (const struct json *said = json_first(outcomes); said != NULL; said = json_next(said)) {
        const struct json *outcome = json_first(said), *reason = json_next(outcome);
        MUST(rule_id_valid(slice_of(json_name(said))) && json_count(said) == 2);
        MUST(json_type_of(outcome) == JSON_STRING && (json_type_of(reason) == JSON_NULL || json_type_of(reason) == JSON_STRING));
        check_text(json_as_string(reason), 500);
    }
}

static void check_ids(const struct json *ids, size_t count)
{
    MUST(json_type_of(ids) == JSON_ARRAY && json_count(ids) == count);
    for (const struct json *id = json_first(ids); id != NULL; id = json_next(id))
        MUST(json_as_string(id).len == 0 || rule_id_valid(json_as_string(id)));
}

static void check_engine_errors(const struct json *errors)
{
    MUST(json_type_of(errors) == JSON_ARRAY && json_count(errors) <= 20);
    for (const struct json *e = json_first(errors); e != NULL; e = json_next(e)) {
        check_text(json_as_string(json_member(e, "file")), 500);
        check_text(json_as_string(json_member(e, "error")), 500);
    }
}

/* Who does not count is heard to say why it refuses, and nothing else of it is kept. */
static void check_complaint(void)
{
    check_text(slice_of(no_database_sent("acknowledge_complaint", 0)), 100);
    check_text(slice_of(no_database_sent("acknowledge_complaint", 1)), 500);
    MUST(no_database_sent("acknowledge_revision", 0) == NULL);
}

/* json_parse refuses an object in which a name comes twice, so the object is looked at through its last members. */
static void check_sent(struct arena *arena, const struct json *document)
{
    const char *engine_errors = no_database_sent("acknowledge_revision", 3);
    const char *outcomes = no_database_sent("acknowledge_deployments", 1);
    check_text(slice_of(no_database_sent("acknowledge_revision", 1)), 100);
    check_text(slice_of(no_database_sent("acknowledge_revision", 2)), 500);
    if (engine_errors != NULL)
        check_engine_errors(fuzz_parse(arena, slice_of(engine_errors)));
    check_ids(fuzz_parse(arena, slice_of(no_database_sent("acknowledge_deployments", 2))),
              count_of(document, "applied") + count_of(document, "removed") + count_of(document, "failed"));
    char why[160];
    const struct json *parsed = json_parse(arena, slice_of(outcomes), why, sizeof why);
    if (parsed != NULL)
        check_outcomes(parsed);
    else
        MUST(strstr(why, "twice") != NULL);
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
    if (acknowledge_rules(&session, document, &answer, &error)) {
        if (no_database_sent("acknowledge_deployments", 1) != NULL)
            check_sent(arena, document);
        else
            check_complaint();
        MUST(json_type_of(json_member(fuzz_parse(arena, buffer_slice(&answer)), "rejected")) == JSON_ARRAY);
    } else {
        MUST(no_database_sent("acknowledge_deployments", 1) == NULL);
        fuzz_check_error(arena, &error);
    }
    buffer_free(&answer);
}
