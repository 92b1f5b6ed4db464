/* Any text as a condition's value, and any double as a number: neither changes on its way through a rule's YAML. */
#include <math.h>
#include <stdlib.h>

#include "fuzz.h"
#include "rules/load.h"
#include "rules/number.h"
#include "rules/render.h"
#include "rules/scalar.h"

static void check_round_trip(struct arena *arena, struct rule_value value)
{
    const struct rule_condition condition = {SLICE("a.b"), RULE_EQ, value};
    const struct rule rule = {
        .id = SLICE("ABC"), .name = SLICE(""), .description = SLICE(""), .source = SLICE(""),
        .conditions = &condition, .condition_count = 1, .action = SLICE("cleanup_disk_space"),
    };
    struct error error;
    struct slice yaml;
    struct rule loaded;
    error_clear(&error);
    if (!rule_to_yaml(arena, &rule, &yaml, &error)) {
        MUST(strcmp(error.slug, "rule-too-large") == 0);
        return;
    }
    MUST(rule_load_yaml(arena, fuzz_exact(arena, yaml), &loaded, &error));
    MUST(rule_equal(&rule, &loaded));
}

static void check_number(struct arena *arena, double number)
{
    char text[NUMBER_TEXT_SIZE], yaml[NUMBER_TEXT_SIZE];
    struct slice plain = number_text(text, number);
    MUST(strtod(text, NULL) == number && plain.len < NUMBER_TEXT_SIZE);
    MUST(json_as_number(fuzz_parse(arena, plain)) == number);
    MUST(scalar_kind(number_yaml_text(yaml, number)) == SCALAR_NUMBER && strtod(yaml, NULL) == number);
    check_round_trip(arena, (struct rule_value){.type = RULE_NUMBER, .number = number});
}

void fuzz_one(struct arena *arena, struct slice input)
{
    double number;
    if (input.len >= sizeof number) {
        memcpy(&number, input.ptr, sizeof number);
        if (isfinite(number))
            check_number(arena, number);
    }
    if (memchr(input.ptr, '\0', input.len) == NULL && scalar_kind(input) == SCALAR_NUMBER) {
        char *end, *text = arena_text(arena, input);
        double value = strtod(text, &end);
        MUST(*end == '\0');
        if (isfinite(value))
            check_number(arena, value);
    }
    if (slice_is_utf8(input) && memchr(input.ptr, '\0', input.len) == NULL)
        check_round_trip(arena, (struct rule_value){.type = RULE_STRING, .text = input});
}
