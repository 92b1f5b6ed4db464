/* JSON bodies against a declared table: accepted values keep to their declaration, refusals can be shown. */
#include "fuzz.h"
#include "http/input.h"

static const char *const ACTIONS[] = {"enable", "disable", NULL};
static const struct input MEMBERS[] = {
    {.name = "name", .type = INPUT_NAME, .lowest = 0, .highest = 20},
    {.name = "reason", .type = INPUT_PROSE, .required = true, .lowest = 3, .highest = 20},
    {.name = "password", .type = INPUT_SECRET, .lowest = 1, .highest = 20},
    {.name = "limit", .type = INPUT_INTEGER, .lowest = -5, .highest = 200},
    {.name = "all", .type = INPUT_BOOLEAN},
    {.name = "action", .type = INPUT_CHOICE, .choices = ACTIONS},
    {.name = "actions", .type = INPUT_CHOICES, .lowest = 1, .highest = 2, .choices = ACTIONS},
};
enum { COUNT = COUNT_OF(MEMBERS) };

static void check_text(const struct input *input, struct slice text)
{
    size_t length = slice_code_points(text);
    MUST((long)length >= input->lowest && (long)length <= input->highest && slice_is_utf8(text));
    if (input->type == INPUT_SECRET)
        return;
    MUST(slice_equal(slice_trim(text), text) && !slice_has_control(text, input->type == INPUT_PROSE));
}

static void check_value(const struct input *input, const struct input_value *value, const struct json *member)
{
    if (!value->present) {
        MUST(!input->required && (member == NULL || json_type_of(member) == JSON_NULL));
        return;
    }
    switch (input->type) {
    case INPUT_INTEGER:
        MUST(json_as_number(member) == (double)value->integer);
        MUST(value->integer >= input->lowest && value->integer <= input->highest);
        break;
    case INPUT_BOOLEAN:
        MUST(json_type_of(member) == JSON_BOOL && json_as_bool(member) == value->truth);
        break;
    case INPUT_CHOICE:
        MUST(slice_is(value->text, "enable") || slice_is(value->text, "disable"));
        break;
    case INPUT_CHOICES:
        MUST(json_type_of(member) == JSON_ARRAY && json_count(member) >= 1 && json_count(member) <= 2);
        MUST(value->chosen != 0 && value->chosen < 4);
        break;
    default:
        MUST(json_type_of(member) == JSON_STRING);
        check_text(input, value->text);
        break;
    }
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct inputs inputs = {.body = MEMBERS, .body_count = COUNT};
    struct error error;
    error_clear(&error);
    if (!input_body(arena, input, &inputs, &error)) {
        bool readable = inputs.document != NULL || input.len == 0;
        MUST(error.kind == (readable ? ERROR_INVALID : ERROR_MALFORMED));
        fuzz_check_error(arena, &error);
        return;
    }
    MUST(inputs.document != NULL);
    size_t given = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const struct json *member = json_member(inputs.document, MEMBERS[i].name);
        check_value(&MEMBERS[i], &inputs.body_values[i], member);
        given += member != NULL;
    }
    MUST(json_count(inputs.document) == given);
}
