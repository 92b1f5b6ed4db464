/* Evidence to rule. The input's members, in order: signature, site, custom name, recommended action, success rate in
 * millionths, occurrences, check type, its executions' check type, incident type, its executions' incident type, chosen
 * check type; then twice a runbook (id, platform, action, risk tier, controls, check types; lists by commas), of the
 * recommended action and of the check type, absent with an empty id; then the partner's other rules (id, signature, site). */
#include <ctype.h>

#include "fuzz.h"
#include "rules/generate.h"
#include "rules/load.h"
#include "rules/render.h"
#include "rules/rule_id.h"
#include "rules/scalar.h"
#include "rules/signature.h"

enum { NAMES = 8, TAKEN = 12 };

static struct slice known(struct slice text)
{
    return slice_present(text) ? text : SLICE("");
}

static struct rule_names take_names(struct arena *arena, struct slice *rest)
{
    struct slice text = known(fuzz_take_text(rest));
    struct slice *items = arena_array(arena, NAMES, sizeof *items);
    size_t count = 0;
    while (text.len > 0 && count < NAMES) {
        const char *comma = memchr(text.ptr, ',', text.len);
        size_t len = comma != NULL ? (size_t)(comma - text.ptr) : text.len;
        items[count++] = (struct slice){text.ptr, len};
        len += comma != NULL;
        text = (struct slice){text.ptr + len, text.len - len};
    }
    return (struct rule_names){items, count};
}

static const struct runbook *take_runbook(struct arena *arena, struct slice *rest)
{
    struct runbook *runbook = arena_alloc(arena, sizeof *runbook);
    runbook->runbook_id = known(fuzz_take_text(rest));
    runbook->platform = known(fuzz_take_text(rest));
    runbook->action = fuzz_take_text(rest);
    runbook->risk_tier = known(fuzz_take_text(rest));
    runbook->hipaa_controls = take_names(arena, rest);
    runbook->check_types = take_names(arena, rest);
    return runbook->runbook_id.len > 0 ? runbook : NULL;
}

/* An id for the rule, and what rule_id_choose promises of it. */
static struct slice choose_id(struct arena *arena, struct slice signature, struct slice site, struct slice *rest)
{
    struct rule_id_taken taken[TAKEN];
    size_t count = 0;
    bool has_one = false, is_taken = false;
    while (rest->len > 0 && count < TAKEN) {
        struct rule_id_taken *one = &taken[count];
        one->rule_id = fuzz_take(rest);
        one->signature = fuzz_take(rest);
        one->site_id = fuzz_take(rest);
        bool own = slice_equal(one->signature, signature) && slice_equal(one->site_id, site);
        bool good = rule_id_valid(one->rule_id);
        for (size_t i = 0; i < one->rule_id.len; i++)
            good = good && !islower((unsigned char)one->rule_id.ptr[i]);
        has_one = has_one || (good && own);
        count += good;
    }
    struct slice id = rule_id_choose(arena, signature, site, taken, count);
    for (size_t i = 0; i < count; i++)
        is_taken = is_taken || slice_equal(taken[i].rule_id, id);
    MUST(rule_id_valid(id) && strlen(id.ptr) == id.len);
    for (size_t i = 0; i < id.len; i++)
        MUST(!islower((unsigned char)id.ptr[i]));
    MUST(is_taken == has_one);
    if (!has_one)
        MUST(slice_starts_with(id, arena_text(arena, rule_id_family(arena, signature))));
    return id;
}

static void check_refusal(struct arena *arena, const struct error *error)
{
    static const char *const slugs[] = {
        "no-action",      "escalated-pattern", "unknown-runbook",   "no-runbook",          "risk-tier",   "unknown-action",
        "no-condition",   "check-type-needed", "check-type-mismatch", "ambiguous-value", "custom-name", "evidence-range"};
    bool documented = false;
    for (size_t i = 0; i < COUNT_OF(slugs); i++)
        documented = documented || strcmp(error->slug, slugs[i]) == 0;
    MUST(documented && error->kind == ERROR_INVALID);
    fuzz_check_error(arena, error);
}

static void check_rule(const struct rule *rule, const struct rule_evidence *evidence)
{
    MUST(slice_equal(rule->id, evidence->rule_id));
    MUST(rule->condition_count == 1 && rule->conditions[0].op == RULE_EQ);
    MUST(rule->conditions[0].value.type == RULE_STRING);
    MUST(rule->conditions[0].value.text.len > 0 && scalar_kind(rule->conditions[0].value.text) == SCALAR_STRING);
    MUST(rule_action_known(rule->action) && !slice_is(rule->action, "escalate"));
    MUST(rule->enabled && rule->priority == RULE_PRIORITY);
    if (!slice_present(evidence->custom_name))
        return;
    MUST(rule->name.len > 0 && slice_code_points(rule->name) <= RULE_NAME_LIMIT);
    MUST(!slice_has_control(rule->name, false) && slice_equal(slice_trim(rule->name), rule->name));
}

static void check_texts(struct arena *arena, const struct rule *rule)
{
    struct error error;
    struct slice yaml;
    struct rule loaded;
    error_clear(&error);
    if (!rule_to_yaml(arena, rule, &yaml, &error)) {
        MUST(strcmp(error.slug, "rule-too-large") == 0);
        return;
    }
    MUST(yaml.len <= RULE_YAML_LIMIT);
    MUST(rule_load_yaml(arena, fuzz_exact(arena, yaml), &loaded, &error));
    MUST(slice_equal(loaded.id, rule->id) && rule_equal(&loaded, rule));
    MUST(slice_equal(rule_digest(arena, &loaded), rule_digest(arena, rule)));
    const struct json *json = fuzz_parse(arena, rule_to_json(arena, rule));
    MUST(slice_equal(fuzz_text_of(json, "id"), rule->id) && slice_equal(fuzz_text_of(json, "name"), rule->name));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct slice signature = fuzz_take(&input), site = fuzz_take(&input);
    if (!signature_valid(signature))
        signature = SLICE("print-spooler-restart");
    struct slice custom_name = fuzz_take(&input); /* need not be UTF-8 */
    struct rule_evidence evidence = {
        .pattern_signature = signature,
        .custom_name = slice_is(custom_name, "~") ? SLICE_ABSENT : custom_name,
        .recommended_action = fuzz_take_text(&input),
        .success_rate = (double)fuzz_take_number(&input) / 1e6,
        .total_occurrences = fuzz_take_number(&input),
    };
    evidence.check_type = fuzz_take_text(&input);
    evidence.execution_check_type = fuzz_take_text(&input);
    evidence.incident_type = fuzz_take_text(&input);
    evidence.execution_incident_type = fuzz_take_text(&input);
    evidence.chosen_check_type = fuzz_take_text(&input);
    evidence.recommended_runbook = take_runbook(arena, &input);
    evidence.check_type_runbook = take_runbook(arena, &input);
    evidence.rule_id = choose_id(arena, signature, site, &input);
    struct error error;
    struct rule rule, preview;
    error_clear(&error);
    if (!rule_generate(arena, &evidence, &rule, &error)) {
        check_refusal(arena, &error);
        return;
    }
    MUST(rule_generate(arena, &evidence, &preview, &error) && rule_equal(&rule, &preview));
    MUST(rule_check_type_choices(&evidence).count == 0 || slice_present(evidence.chosen_check_type));
    check_rule(&rule, &evidence);
    check_texts(arena, &rule);
}
