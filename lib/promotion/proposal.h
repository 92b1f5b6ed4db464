/* A proposal: the rule that approving a candidate now would create.
 *
 * The candidate's page and the approval build it with the same functions from the same evidence, so what a person was
 * shown is what a person gets. */
#ifndef PROMOTION_PROPOSAL_H
#define PROMOTION_PROPOSAL_H

#include "promotion/candidates.h"
#include "promotion/session.h"
#include "rules/generate.h"
#include "rules/rule.h"

/* The rule that the candidate's site has for the pattern already; `rule_id` absent when it has none. */
struct standing_rule {
    struct slice id, rule_id, status, version;
};

/* What people said about the candidate before. */
struct past_decision {
    struct slice approved_by, approved_at, rejected_by, rejected_at, rejection_reason, custom_rule_name, approval_notes;
};

struct proposal {
    struct candidate candidate;
    struct past_decision decision;
    struct standing_rule standing;
    struct rule_names check_type_choices; /* what the approver has to choose from; usually none */
    bool made;                            /* there is a rule; else `problem` says why not */
    struct rule rule;
    struct slice yaml, json, rule_digest, yaml_digest;
    struct error problem;
};

/* What the approver may say about the rule; absent slices where nothing was said. */
struct proposal_wishes {
    struct slice custom_name;
    struct slice check_type;
};

/* The pattern with this id and its proposal, read as the caller; one that is not eligible (any more) can still be looked at.
 * ERROR_NOT_FOUND for an id of nobody's or of another partner's. `history` (NULL: not wanted) gets the newest executions of the pattern. */
bool proposal_read(struct session *session, struct slice candidate_id, const struct proposal_wishes *wishes,
                   struct proposal *proposal, const struct db_rows **history, struct error *error) MUST_USE;

/* The same inside a change: locks the pattern, so that nobody else decides about it meanwhile, and the family of the
 * rule's id, so that nobody else takes it. */
bool proposal_lock(struct change *change, struct slice candidate_id, const struct proposal_wishes *wishes,
                   struct proposal *proposal, struct error *error) MUST_USE;

#endif
