/* Decisions about candidates: approve and reject.
 *
 * Each is one transaction: the candidate's state, the rule with its version, its deployments, the site's revision
 * and the audit log change together or not at all. */
#ifndef PROMOTION_DECISIONS_H
#define PROMOTION_DECISIONS_H

#include "promotion/proposal.h"
#include "promotion/session.h"

struct approval_request {
    struct slice candidate_id;
    struct slice custom_name; /* absent: the rule names itself */
    struct slice notes;
    struct slice rule_digest; /* of the rule that the approver saw; absent: whatever it is now */
    struct slice check_type;  /* the approver's choice where the runbook serves several */
    bool deploy_immediately;
};

struct approval {
    struct slice rule_id, pattern_signature, site_id, site_name, rule_yaml;
    long deployed_to; /* appliances for which it was queued */
    long version;
    bool held; /* made, but not sent */
};

/* Approves: makes the rule and queues it for the site's appliances. Refused with ERROR_NOT_FOUND, with ERROR_CONFLICT
 * (slugs `rule-exists`, naming the rule; `not-eligible`; `proposal-changed`) or with ERROR_INVALID (slugs of
 * rules/generate.h). */
bool candidate_approve(struct change *change, const struct approval_request *request, struct approval *approval,
                       struct error *error) MUST_USE;

/* Rejects with a reason. ERROR_CONFLICT when the candidate is approved: its rule is to be disabled instead. A rejection
 * of what is rejected already changes nothing. */
bool candidate_reject(struct change *change, struct slice candidate_id, struct slice reason, struct error *error) MUST_USE;

#endif
