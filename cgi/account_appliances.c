#include "promotion/appliances.h"

#include "cgi/account.h"
#include "cgi/service.h"

static void write_appliance(struct json_writer *json, const struct appliance *appliance)
{
    json_open_object(json, NULL);
    json_string(json, "appliance_id", appliance->appliance_id);
    json_string(json, "site_id", appliance->site_id);
    json_string(json, "site_name", appliance->site_name);
    json_string(json, "status", appliance->status);
    json_pg_time(json, "created_at", appliance->created_at);
    json_pg_time(json, "last_seen_at", appliance->last_seen_at);
    json_pg_bool(json, "silent", appliance->silent);
    json_pg_bool(json, "failing", appliance->failing);
    json_number(json, "acknowledged_revision", appliance->acknowledged_revision);
    json_pg_time(json, "acknowledged_at", appliance->acknowledged_at);
    json_number(json, "site_revision", appliance->site_revision);
    json_number(json, "revisions_behind", appliance->revisions_behind);
    json_string(json, "agent", appliance->agent);
    json_string(json, "last_error", appliance->last_error);
    json_pg_time(json, "last_error_at", appliance->last_error_at);
    json_raw(json, "engine_errors", appliance->engine_errors);
    json_number(json, "dropped_executions", appliance->dropped_executions);
    json_number(json, "rules_applied", appliance->rules_applied);
    json_number(json, "rules_pending", appliance->rules_pending);
    json_number(json, "rules_failed", appliance->rules_failed);
    json_number(json, "rules_to_withdraw", appliance->rules_to_withdraw);
    json_close(json);
}

bool list_appliances(struct call *call)
{
    const struct appliance_filter filter = {
        .site_id = query_text(&call->inputs, "site_id"),
        .state = query_text(&call->inputs, "state"),
        .q = query_text(&call->inputs, "q"),
    };
    const char *scope = call_scope(call, "appliances");
    struct page page;
    struct list list;
    struct slice last[APPLIANCE_KEYS];
    if (!call_page(call, scope, APPLIANCE_KEYS, &page) ||
        !appliances_page(&call->session, &filter, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "appliances");
    for (size_t i = 0; i < list.count; i++) {
        struct appliance appliance = appliance_at(&list, i);
        write_appliance(&json, &appliance);
    }
    json_close(&json);
    if (list.more)
        appliance_keys(&list, list.count - 1, last);
    call_end_list(call, &json, &list, scope, last, APPLIANCE_KEYS);
    return true;
}
