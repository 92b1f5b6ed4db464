/* How candidates, rules and executions look in JSON, wherever they appear. */
#ifndef CGI_VIEW_H
#define CGI_VIEW_H

#include "base/json.h"
#include "promotion/candidates.h"
#include "promotion/executions.h"
#include "promotion/promoted_rules.h"
#include "promotion/proposal.h"

void view_candidate(struct json_writer *json, const char *name, const struct candidate *candidate);

void view_execution(struct json_writer *json, const struct execution *execution);
void view_promoted_rule(struct json_writer *json, const struct promoted_rule *rule);

#endif
