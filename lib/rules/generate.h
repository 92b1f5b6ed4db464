/* From evidence to a rule.
 *
 * rule_generate is the only place where a rule is made. The preview of a candidate and its approval
 * call it with the same evidence and so get the same rule, member for member.
 *
 * What it refuses, it refuses with ERROR_INVALID, a sentence that tells the approver what is
 * missing, and one of these slugs:
 *
 *   no-action            the pattern recommends nothing
 *   escalated-pattern    the pattern was solved by a person, there is nothing to repeat
 *   unknown-runbook      the recommended runbook is not in the catalogue
 *   no-runbook           neither the recommendation nor the check type leads to a runbook
 *   risk-tier            the runbook is R3: irreversible, identity or data; never promoted
 *   unknown-action       the catalogue gives the runbook an action that appliances do not know
 *   no-condition         nothing tells this pattern's incidents from any other drift
 *   check-type-needed    the runbook serves several check types; rule_check_type_choices names them
 *   check-type-mismatch  the named check type contradicts the pattern, or is not one of the choices
 *   ambiguous-value      the condition's value is a number, boolean or date to some YAML reader
 *   custom-name          the custom name is blank, too long, or holds control characters
 *   evidence-range       the figures cannot be: a rate outside 0–1, a negative count
 *
 * Pure and thread-safe: no clock, no database, no HTTP. */
#ifndef RULES_GENERATE_H
#define RULES_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "rules/rule.h"

/* An entry of the runbook catalogue. */
struct runbook {
    struct slice runbook_id;
    struct slice platform;  /* `windows`, `linux`, … */
    struct slice action;    /* known action; absent or empty: follows from the platform */
    struct slice risk_tier; /* `R0` … `R3` */
    struct rule_names hipaa_controls;
    struct rule_names check_types;
};

/* What is known about a pattern. Absent and empty slices both mean "not known". */
struct rule_evidence {
    struct slice pattern_signature;
    struct slice rule_id;     /* chosen before by rule_id_choose */
    struct slice custom_name; /* absent: "Auto-promoted: <recommended_action>" */
    struct slice recommended_action;
    double success_rate; /* fraction 0–1 */
    int64_t total_occurrences;
    struct slice check_type;                   /* of the pattern */
    struct slice execution_check_type;         /* seen in its executions */
    struct slice incident_type;                /* of the pattern */
    struct slice execution_incident_type;      /* of its executions */
    struct slice chosen_check_type;            /* named by the approver */
    const struct runbook *recommended_runbook; /* entry of recommended_action, NULL: none */
    const struct runbook *check_type_runbook;  /* entry the check type maps to, NULL: none */
};

/* Makes the rule that approving now would create. `out` borrows from `evidence` and `arena`.
 * On false, `error` says why (see the slugs above) and `out` is undefined. */
MUST_USE bool rule_generate(struct arena *arena, const struct rule_evidence *evidence,
                            struct rule *out, struct error *error);

/* The check types an approver has to choose from: those of the runbook, when neither the pattern
 * nor its executions tell a check type or an incident type and the runbook serves several. Empty
 * when no choice is needed or none can be offered. Borrows from the evidence. */
struct rule_names rule_check_type_choices(const struct rule_evidence *evidence);

/* The check type as far as it is known without the approver: the pattern's, else its executions'.
 * Absent when neither is known. For looking `check_type_runbook` up. */
struct slice rule_known_check_type(const struct rule_evidence *evidence);

#endif
