#include "cgi/view.h"

void view_candidate(struct json_writer *json, const char *name, const struct candidate *candidate)
{
    json_open_object(json, name);
    json_string(json, "id", candidate->id);
    json_string(json, "pattern_signature", candidate->pattern_signature);
    json_string(json, "site_id", candidate->site_id);
    json_string(json, "site_name", candidate->site_name);
    json_string(json, "check_type", candidate->check_type);
    json_string(json, "incident_type", candidate->incident_type);
    json_number(json, "total_occurrences", candidate->total_occurrences);
    json_number(json, "l1_resolutions", candidate->l1_resolutions);
    json_number(json, "l2_resolutions", candidate->l2_resolutions);
    json_number(json, "l3_resolutions", candidate->l3_resolutions);
    json_number(json, "success_count", candidate->success_count);
    json_number(json, "success_rate", candidate->success_rate);
    json_number(json, "avg_resolution_time_ms", candidate->avg_resolution_time_ms);
    json_string(json, "recommended_action", candidate->recommended_action);
    json_string(json, "risk_tier", candidate->risk_tier);
    json_bool(json, "eligible", candidate->eligible);
    json_pg_time(json, "first_seen", candidate->first_seen);
    json_pg_time(json, "last_seen", candidate->last_seen);
    json_string(json, "approval_status", candidate->approval_status);
    json_close(json);
}

void view_execution(struct json_writer *json, const struct execution *execution)
{
    json_open_object(json, NULL);
    json_string(json, "execution_id", execution->execution_id);
    json_string(json, "incident_id", execution->incident_id);
    json_string(json, "site_id", execution->site_id);
    json_string(json, "site_name", execution->site_name);
    json_string(json, "appliance_id", execution->appliance_id);
    json_string(json, "hostname", execution->hostname);
    json_string(json, "runbook_id", execution->runbook_id);
    json_string(json, "rule_id", execution->rule_id);
    json_string(json, "pattern_signature", execution->pattern_signature);
    json_string(json, "incident_type", execution->incident_type);
    json_string(json, "check_type", execution->check_type);
    json_pg_bool(json, "success", execution->success);
    json_string(json, "status", execution->status);
    json_string(json, "failure_type", execution->failure_type);
    json_string(json, "resolution_level", execution->resolution_level);
    json_number(json, "duration_seconds", execution->duration_seconds);
    json_pg_time(json, "created_at", execution->created_at);
    json_close(json);
}

void view_promoted_rule(struct json_writer *json, const struct promoted_rule *rule)
{
    json_open_object(json, NULL);
    json_string(json, "id", rule->id);
    json_string(json, "rule_id", rule->rule_id);
    json_string(json, "pattern_signature", rule->pattern_signature);
    json_string(json, "site_id", rule->site_id);
    json_string(json, "site_name", rule->site_name);
    json_string(json, "name", rule->name);
    json_string(json, "status", rule->status);
    json_number(json, "version", rule->version);
    json_number(json, "deployment_count", rule->deployment_count);
    json_number(json, "acknowledged_count", rule->acknowledged_count);
    json_number(json, "failed_count", rule->failed_count);
    json_bool(json, "held", !slice_present(rule->released_at));
    json_string(json, "promoted_by", rule->promoted_by);
    json_pg_time(json, "promoted_at", rule->promoted_at);
    json_pg_time(json, "last_deployed_at", rule->last_deployed_at);
    json_string(json, "notes", rule->notes);
    json_string(json, "rule_digest", rule->rule_digest);
    json_string(json, "rule_yaml", rule->rule_yaml);
    json_close(json);
}
