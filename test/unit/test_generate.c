#include "unit.h"

#include <math.h>

#include "rules/render.h"
#include "rules_fixture.h"

static struct rule made(struct arena *arena, const struct rule_evidence *evidence)
{
    struct rule rule;
    struct error error;
    error_clear(&error);
    if (!rule_generate(arena, evidence, &rule, &error))
        fail_msg("refused: %s: %s", error.slug, error.detail);
    return rule;
}

static struct error refused(struct arena *arena, const struct rule_evidence *evidence)
{
    struct rule rule;
    struct error error;
    error_clear(&error);
    assert_false(rule_generate(arena, evidence, &rule, &error));
    assert_int_equal(error.kind, ERROR_INVALID);
    assert_true(strlen(error.detail) > 20);
    return error;
}

static void assert_condition(const struct rule *rule, const char *field, const char *value)
{
    assert_int_equal(rule->condition_count, 1);
    assert_slice(rule->conditions[0].field, field);
    assert_int_equal(rule->conditions[0].op, RULE_EQ);
    assert_int_equal(rule->conditions[0].value.type, RULE_STRING);
    assert_slice(rule->conditions[0].value.text, value);
}

static void the_story_gives_this_rule(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    struct rule rule = made(*state, &evidence);
    assert_slice(rule.id, "L1-PROMOTED-PRINT-SP");
    assert_slice(rule.name, "Print Spooler Auto-Restart");
    assert_slice(rule.description, "Promoted from L2 with 93% success rate over 15 occurrences");
    assert_condition(&rule, "check_type", "windows_service");
    assert_slice(rule.action, "run_windows_runbook");
    assert_slice(rule.action_params.runbook_id, "RB-WIN-SERVICES-001");
    assert_int_equal(rule.action_params.phases.count, 2);
    assert_slice(rule.action_params.phases.items[0], "remediate");
    assert_slice(rule.action_params.phases.items[1], "verify");
    assert_int_equal(rule.hipaa_controls.count, 2);
    assert_slice(rule.hipaa_controls.items[1], "164.312(b)");
    assert_int_equal(rule.severity_filter.count, 0);
    assert_true(rule.enabled);
    assert_int_equal(rule.priority, 50);
    assert_int_equal(rule.cooldown_seconds, 300);
    assert_int_equal(rule.max_retries, 1);
    assert_slice(rule.source, "promoted");
}

static void p10_preview_and_approval_make_the_same_rule(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    struct rule first = made(*state, &evidence), second = made(*state, &evidence);
    assert_true(rule_equal(&first, &second));
    assert_true(slice_equal(rule_digest(*state, &first), rule_digest(*state, &second)));
}

static void without_a_custom_name_the_rule_is_called_after_its_action(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.custom_name = SLICE_ABSENT;
    assert_slice(made(*state, &evidence).name, "Auto-promoted: RB-WIN-SERVICES-001");
}

static void a_custom_name_is_trimmed_and_checked(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.custom_name = SLICE("\u2003 No \u00A0");
    assert_slice(made(*state, &evidence).name, "No");
    char longest[201 * 4 + 1];
    for (size_t i = 0; i < 201; i++)
        memcpy(longest + i * 4, "😀", 5);
    evidence.custom_name = (struct slice){longest, 200 * 4};
    assert_int_equal(slice_code_points(made(*state, &evidence).name), 200);
    const struct slice bad[] = {SLICE(""),     SLICE(" \u3000"), SLICE("a\nb"),     SLICE("a\x7F"),
                                SLICE("a\0b"), SLICE("\xFF"),    {longest, 201 * 4}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        evidence.custom_name = bad[i];
        struct error error = refused(*state, &evidence);
        assert_slug(&error, "custom-name");
        assert_string_equal(error.items[0].pointer, "/custom_name");
    }
}

static void the_success_rate_is_rounded_half_up(void **state)
{
    static const struct {
        double rate;
        const char *percent;
    } cases[] = {{14.0 / 15.0, " 93% "}, {0.925, " 93% "}, {0.915, " 92% "}, {0.9249, " 92% "},
                 {0.145, " 15% "},       {1.0, " 100% "},  {0.9, " 90% "},   {0.0, " 0% "}};
    struct rule_evidence evidence = spooler_evidence();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        evidence.success_rate = cases[i].rate;
        assert_non_null(strstr(made(*state, &evidence).description.ptr, cases[i].percent));
    }
}

static void p15_a_rate_of_93_is_refused_not_shown_as_9300_percent(void **state)
{
    const double impossible[] = {93.3, -0.1, NAN, INFINITY};
    struct rule_evidence evidence = spooler_evidence();
    for (size_t i = 0; i < COUNT_OF(impossible); i++) {
        evidence.success_rate = impossible[i];
        struct error error = refused(*state, &evidence);
        assert_slug(&error, "evidence-range");
    }
}

static void p1_the_runbook_is_the_recommended_one_not_the_check_types(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.check_type_runbook = &firewall_runbook;
    assert_slice(made(*state, &evidence).action_params.runbook_id, "RB-WIN-SERVICES-001");
}

static void p1_a_named_action_is_its_own_remedy(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.recommended_action = SLICE("restart_av_service");
    evidence.recommended_runbook = NULL;
    struct rule rule = made(*state, &evidence);
    assert_slice(rule.action, "restart_av_service");
    assert_slice(rule.action_params.runbook_id, "restart_av_service");
    assert_int_equal(rule.hipaa_controls.count, 0);
}

static void p1_any_other_recommendation_means_the_check_types_runbook(void **state)
{
    const struct slice vague[] = {SLICE("restart the thing"), SLICE("run_linux_runbook")};
    for (size_t i = 0; i < COUNT_OF(vague); i++) {
        struct rule_evidence evidence = spooler_evidence();
        evidence.recommended_action = vague[i];
        evidence.recommended_runbook = NULL;
        evidence.check_type_runbook = &firewall_runbook;
        struct rule rule = made(*state, &evidence);
        assert_slice(rule.action_params.runbook_id, "LIN-FW-001");
        assert_slice(rule.action, "run_linux_runbook");
    }
}

static void p9_a_runbook_that_does_not_exist_is_refused_by_name(void **state)
{
    const struct slice unknown[] = {SLICE("RB-WIN-NOPE-999"), SLICE("LIN-NOPE-999")};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        struct rule_evidence evidence = spooler_evidence();
        evidence.recommended_action = unknown[i];
        evidence.recommended_runbook = NULL;
        struct error error = refused(*state, &evidence);
        assert_slug(&error, "unknown-runbook");
        assert_non_null(strstr(error.detail, unknown[i].ptr));
    }
}

static void p9_no_runbook_at_all_is_refused(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.recommended_action = SLICE("something");
    evidence.recommended_runbook = NULL;
    evidence.check_type_runbook = NULL;
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "no-runbook");
}

static void a_pattern_without_an_action_or_solved_by_a_person_is_refused(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.recommended_action = SLICE_ABSENT;
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "no-action");
    evidence.recommended_action = SLICE("escalate");
    error = refused(*state, &evidence);
    assert_slug(&error, "escalated-pattern");
}

static void an_r3_runbook_is_refused_and_the_lesser_tiers_are_not(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.recommended_action = risky_runbook.runbook_id;
    evidence.recommended_runbook = &risky_runbook;
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "risk-tier");
    evidence.recommended_action = SLICE("fix it");
    evidence.recommended_runbook = NULL;
    evidence.check_type_runbook = &risky_runbook;
    error = refused(*state, &evidence);
    assert_slug(&error, "risk-tier");
    const struct slice lesser[] = {SLICE("R0"), SLICE("R1"), SLICE("R2")};
    for (size_t i = 0; i < COUNT_OF(lesser); i++) {
        struct runbook runbook = risky_runbook;
        runbook.risk_tier = lesser[i];
        evidence.check_type_runbook = &runbook;
        assert_slice(made(*state, &evidence).action_params.runbook_id, "RB-WIN-ENCRYPTION-001");
    }
}

static void a_catalogue_entry_with_an_action_no_appliance_knows_is_refused(void **state)
{
    const struct slice bad[] = {SLICE("format_disk"), SLICE("escalate")};
    struct rule_evidence evidence = spooler_evidence();
    struct runbook runbook = services_runbook;
    evidence.recommended_runbook = &runbook;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        runbook.action = bad[i];
        struct error error = refused(*state, &evidence);
        assert_slug(&error, "unknown-action");
    }
    runbook.action = SLICE_ABSENT;
    runbook.platform = SLICE("plan9");
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "unknown-action");
}

/* A pattern about which nothing but its recommendation is known. */
static struct rule_evidence bare_evidence(const struct runbook *runbook)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.check_type = SLICE_ABSENT;
    evidence.check_type_runbook = NULL;
    evidence.recommended_runbook = runbook;
    evidence.recommended_action = runbook->runbook_id;
    return evidence;
}

static void the_condition_comes_from_the_first_place_that_knows(void **state)
{
    struct rule_evidence evidence = bare_evidence(&services_runbook);
    evidence.execution_incident_type = SLICE("service_crash");
    struct rule rule = made(*state, &evidence);
    assert_condition(&rule, "incident_type", "service_crash");
    evidence.incident_type = SLICE("service_stopped");
    rule = made(*state, &evidence);
    assert_condition(&rule, "incident_type", "service_stopped");
    evidence.execution_check_type = SLICE("print_spooler");
    rule = made(*state, &evidence);
    assert_condition(&rule, "check_type", "print_spooler");
    evidence.check_type = SLICE("windows_service");
    rule = made(*state, &evidence);
    assert_condition(&rule, "check_type", "windows_service");
}

static void p9_empty_types_count_as_unknown(void **state)
{
    struct rule_evidence evidence = bare_evidence(&firewall_runbook);
    evidence.check_type = SLICE("");
    evidence.incident_type = SLICE("");
    struct rule rule = made(*state, &evidence);
    assert_condition(&rule, "check_type", "linux_firewall");
}

static void p9_a_runbook_of_one_check_type_gives_the_condition(void **state)
{
    struct rule_evidence evidence = bare_evidence(&firewall_runbook);
    struct rule rule = made(*state, &evidence);
    assert_condition(&rule, "check_type", "linux_firewall");
    assert_int_equal(rule_check_type_choices(&evidence).count, 0);
}

static void p9_of_several_check_types_the_approver_names_one(void **state)
{
    struct rule_evidence evidence = bare_evidence(&services_runbook);
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "check-type-needed");
    struct rule_names choices = rule_check_type_choices(&evidence);
    assert_int_equal(choices.count, 2);
    assert_slice(choices.items[0], "windows_service");
    evidence.chosen_check_type = SLICE("print_spooler");
    struct rule rule = made(*state, &evidence);
    assert_condition(&rule, "check_type", "print_spooler");
    evidence.chosen_check_type = SLICE("firewall");
    error = refused(*state, &evidence);
    assert_slug(&error, "check-type-mismatch");
    assert_string_equal(error.items[0].pointer, "/check_type");
}

static void p9_a_pattern_without_anything_to_tell_it_by_gets_no_rule(void **state)
{
    struct runbook runbook = services_runbook;
    runbook.check_types = (struct rule_names){NULL, 0};
    struct rule_evidence evidence = bare_evidence(&runbook);
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "no-condition");
    assert_int_equal(rule_check_type_choices(&evidence).count, 0);
    evidence.recommended_action = SLICE("run_backup_job");
    evidence.recommended_runbook = NULL;
    error = refused(*state, &evidence);
    assert_slug(&error, "no-condition");
}

static void p9_no_refusal_leaves_drift_detected_as_the_condition(void **state)
{
    /* every combination of what can be known: a rule always has an eq on a type */
    for (unsigned known = 0; known < 32; known++) {
        struct rule_evidence evidence = bare_evidence(&services_runbook);
        if (known & 1)
            evidence.check_type = SLICE("windows_service");
        if (known & 2)
            evidence.execution_check_type = SLICE("windows_service");
        if (known & 4)
            evidence.incident_type = SLICE("windows_service");
        if (known & 8)
            evidence.execution_incident_type = SLICE("windows_service");
        if (known & 16)
            evidence.chosen_check_type = SLICE("windows_service");
        struct rule rule;
        struct error error;
        error_clear(&error);
        bool ok = rule_generate(*state, &evidence, &rule, &error);
        assert_int_equal(ok, known != 0);
        if (!ok)
            continue;
        bool check = (known & (1 | 2 | 16)) != 0;
        assert_condition(&rule, check ? "check_type" : "incident_type", "windows_service");
    }
}

static void a_named_check_type_must_not_contradict_the_patterns_own(void **state)
{
    struct rule_evidence evidence = spooler_evidence();
    evidence.chosen_check_type = SLICE("windows_service");
    made(*state, &evidence);
    evidence.chosen_check_type = SLICE("print_spooler");
    struct error error = refused(*state, &evidence);
    assert_slug(&error, "check-type-mismatch");
    assert_string_equal(error.items[0].pointer, "/check_type");
    assert_non_null(strstr(error.detail, "windows_service"));
    evidence.check_type = SLICE_ABSENT;
    evidence.incident_type = SLICE("service_crash");
    struct rule rule = made(*state, &evidence); /* a choice narrows a mere incident type */
    assert_condition(&rule, "check_type", "print_spooler");
}

static void a_value_that_reads_as_a_number_or_boolean_is_refused(void **state)
{
    const char *const values[] = {"no",   "on", "1e3",  "0x1f",       "1_000", "12:30:45", "12",
                                  "null", "~",  "true", "2026-01-02", ".5",    "y"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        struct rule_evidence evidence = spooler_evidence();
        evidence.check_type = slice_of(values[i]);
        struct error error = refused(*state, &evidence);
        assert_slug(&error, "ambiguous-value");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(the_story_gives_this_rule),
        UNIT_TEST(p10_preview_and_approval_make_the_same_rule),
        UNIT_TEST(without_a_custom_name_the_rule_is_called_after_its_action),
        UNIT_TEST(a_custom_name_is_trimmed_and_checked),
        UNIT_TEST(the_success_rate_is_rounded_half_up),
        UNIT_TEST(p15_a_rate_of_93_is_refused_not_shown_as_9300_percent),
        UNIT_TEST(p1_the_runbook_is_the_recommended_one_not_the_check_types),
        UNIT_TEST(p1_a_named_action_is_its_own_remedy),
        UNIT_TEST(p1_any_other_recommendation_means_the_check_types_runbook),
        UNIT_TEST(p9_a_runbook_that_does_not_exist_is_refused_by_name),
        UNIT_TEST(p9_no_runbook_at_all_is_refused),
        UNIT_TEST(a_pattern_without_an_action_or_solved_by_a_person_is_refused),
        UNIT_TEST(an_r3_runbook_is_refused_and_the_lesser_tiers_are_not),
        UNIT_TEST(a_catalogue_entry_with_an_action_no_appliance_knows_is_refused),
        UNIT_TEST(the_condition_comes_from_the_first_place_that_knows),
        UNIT_TEST(p9_empty_types_count_as_unknown),
        UNIT_TEST(p9_a_runbook_of_one_check_type_gives_the_condition),
        UNIT_TEST(p9_of_several_check_types_the_approver_names_one),
        UNIT_TEST(p9_a_pattern_without_anything_to_tell_it_by_gets_no_rule),
        UNIT_TEST(p9_no_refusal_leaves_drift_detected_as_the_condition),
        UNIT_TEST(a_named_check_type_must_not_contradict_the_patterns_own),
        UNIT_TEST(a_value_that_reads_as_a_number_or_boolean_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
