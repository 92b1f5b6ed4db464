/* Acknowledgements: what an appliance says that it has installed, could not install, or has removed.
 *
 * "Deployed" means this and nothing else. An acknowledgement is for a revision, the one that the appliance has reached; of rules
 * that have changed since it says nothing. Repeating one changes nothing, and one for a revision below that which was
 * acknowledged before, or which a restored back-up no longer knows, is late and changes nothing either. */
#ifndef PROMOTION_ACKNOWLEDGE_H
#define PROMOTION_ACKNOWLEDGE_H

#include "base/json.h"
#include "promotion/session.h"

/* Takes {revision, applied: [rule_id], failed: [{rule_id, error}], removed: [rule_id], error, engine_errors: [{file, error}],
 * dropped_executions, agent}, of which only `revision` must be there, and renders {status, acknowledged, rejected: [{list,
 * index, rule_id, detail}], revision, server_time} into `answer`. An element that names no rule which was sent to this
 * appliance is rejected; the others count. ERROR_INVALID when a member is not what it must be, or the revision is ahead of
 * the site's. */
bool acknowledge_rules(struct session *session, const struct json *document, struct buffer *answer, struct error *error) MUST_USE;

#endif
