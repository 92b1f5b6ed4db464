/* What appliances report: counters of patterns, and executions.
 *
 * An appliance speaks for itself only: the token says which appliance and site it is, and a body that names another is
 * ERROR_FORBIDDEN. One bad element of a report is told and does not cost the others. */
#ifndef PROMOTION_REPORTS_H
#define PROMOTION_REPORTS_H

#include "base/json.h"
#include "promotion/session.h"

/* Merges a push of cumulative counters, and renders {accepted, merged, rejected: [{index, detail}], server_time} into
 * `answer`. The push is applied as a whole: repeating it changes nothing, an older one changes nothing. */
bool report_pattern_stats(struct session *session, const struct json *document, struct buffer *answer,
                          struct error *error) MUST_USE;

/* Records the member `execution` or the members of `executions`, and renders {status, execution_id}, respectively {results:
 * [{index, status, execution_id, detail}], recorded, duplicates, rejected, server_time}. An execution counts once,
 * whatever number of times it is sent. Values that cannot be stored as they are are left out rather than refused, since a
 * refused execution is sent again for ever; only one without a usable execution_id is rejected. */
bool report_executions(struct session *session, const struct json *document, struct buffer *answer,
                       struct error *error) MUST_USE;

#endif
