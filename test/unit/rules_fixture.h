/* Evidence and runbooks as the shipped catalogue has them, for the tests of the rules floor. */
#ifndef TEST_UNIT_RULES_FIXTURE_H
#define TEST_UNIT_RULES_FIXTURE_H

#include "rules/generate.h"

static const struct slice services_check_types[] = {{"windows_service", 15}, {"print_spooler", 13}};
static const struct slice services_controls[] = {{"164.308(a)(5)(ii)(B)", 20}, {"164.312(b)", 10}};

static const struct runbook services_runbook = {
    .runbook_id = {"RB-WIN-SERVICES-001", 19},
    .platform = {"windows", 7},
    .action = {"run_windows_runbook", 19},
    .risk_tier = {"R1", 2},
    .hipaa_controls = {services_controls, 2},
    .check_types = {services_check_types, 2},
};

static const struct slice firewall_check_types[] = {{"linux_firewall", 14}};

static const struct runbook firewall_runbook = {
    .runbook_id = {"LIN-FW-001", 10},
    .platform = {"linux", 5},
    .risk_tier = {"R1", 2},
    .check_types = {firewall_check_types, 1},
};

static const struct runbook risky_runbook = {
    .runbook_id = {"RB-WIN-ENCRYPTION-001", 21},
    .platform = {"windows", 7},
    .action = {"run_windows_runbook", 19},
    .risk_tier = {"R3", 2},
    .check_types = {firewall_check_types, 1},
};

/* The story's pattern: print-spooler-restart at north-valley-dental. */
static inline struct rule_evidence spooler_evidence(void)
{
    return (struct rule_evidence){
        .pattern_signature = SLICE("print-spooler-restart"),
        .rule_id = SLICE("L1-PROMOTED-PRINT-SP"),
        .custom_name = SLICE("Print Spooler Auto-Restart"),
        .recommended_action = SLICE("RB-WIN-SERVICES-001"),
        .success_rate = 14.0 / 15.0,
        .total_occurrences = 15,
        .check_type = SLICE("windows_service"),
        .recommended_runbook = &services_runbook,
        .check_type_runbook = &services_runbook,
    };
}

#endif
