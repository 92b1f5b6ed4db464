#include "execution.h"

#include <math.h>
#include <stdio.h>

#include "base/timestamp.h"
#include "rules/signature.h"

enum { ID_LIMIT = 255, WORD_LIMIT = 64, ACTION_LIMIT = 200 };
static const double SECONDS_LIMIT = 1e9;

/* ---- members ------------------------------------------------------------------------------------- */

static struct slice text_of(const struct json *object, const char *name)
{
    if (json_type_of(object) != JSON_OBJECT)
        return SLICE_ABSENT;
    struct slice text = json_as_string(json_member(object, name));
    return text.len > 0 ? text : SLICE_ABSENT;
}

static bool is_text(const struct json *object, const char *name, const char *text)
{
    return slice_is(text_of(object, name), text);
}

static struct slice fault_text(const struct execution *execution, const char *name)
{
    const struct json *incident = json_member(execution->object, "incident");
    struct slice text = text_of(incident, name);
    if (!slice_present(text) && json_type_of(incident) == JSON_OBJECT)
        text = text_of(json_member(incident, "details"), name);
    return text;
}

static struct slice any_text(const struct execution *execution, const char *name)
{
    struct slice text = fault_text(execution, name);
    return slice_present(text) ? text : text_of(execution->object, name);
}

static struct slice type_of(const struct execution *execution)
{
    struct slice type = any_text(execution, "incident_type");
    return slice_present(type) ? type : any_text(execution, "type");
}

/* What the server takes for a check or incident type. */
static struct slice as_word(struct slice text)
{
    bool good = text.len > 0 && text.len <= WORD_LIMIT;
    for (size_t i = 0; good && i < text.len; i++) {
        char c = text.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
    }
    return good ? text : SLICE_ABSENT;
}

/* ---- reading ------------------------------------------------------------------------------------- */

static int level_of(const struct json *object)
{
    struct slice level = text_of(object, "resolution_level");
    bool known = level.len == 2 && (level.ptr[0] == 'L' || level.ptr[0] == 'l') && level.ptr[1] >= '1' && level.ptr[1] <= '3';
    return known ? level.ptr[1] - '0' : 0;
}

/* Handed to a person: whatever it says of success, nothing was healed automatically. */
static bool was_escalated(const struct execution *execution)
{
    const struct json *object = execution->object;
    return execution->level == 3 || is_text(object, "status", "escalated") || is_text(object, "runbook_id", "escalate") ||
           is_text(object, "runbook_id", "L2-escalate") || is_text(object, "recommended_action", "escalate");
}

static int64_t time_of(const struct json *object)
{
    double seconds = json_as_number(json_member(object, "duration_seconds"));
    return seconds > 0 && seconds <= SECONDS_LIMIT ? llround(seconds * 1000) : 0;
}

/* A clock that was ahead when the execution ended does not make it a future one. */
static int64_t moment_of(const struct json *object, int64_t now)
{
    int64_t moment;
    if (!timestamp_parse(text_of(object, "completed_at"), &moment) && !timestamp_parse(text_of(object, "started_at"), &moment))
        moment = now;
    return moment < now ? moment : now;
}

/* What it recommends, else the runbook that an L2 planner chose: `L2-<action>`, or its id. */
static struct slice action_of(const struct execution *execution)
{
    struct slice action = text_of(execution->object, "recommended_action");
    if (!slice_present(action) && execution->level == 2) {
        action = text_of(execution->object, "runbook_id");
        if (slice_starts_with(action, "L2-"))
            action = (struct slice){action.ptr + 3, action.len - 3};
    }
    bool good = action.len > 0 && slice_code_points(action) <= ACTION_LIMIT && !slice_has_control(action, false);
    return good && !was_escalated(execution) ? action : SLICE_ABSENT;
}

static bool is_own(const struct json *object, const char *name, const char *own)
{
    enum json_type type = json_type_of(json_member(object, name));
    return type == JSON_ABSENT || type == JSON_NULL || is_text(object, name, own);
}

static const char *find_flaw(const struct settings *settings, const struct json *object)
{
    struct slice id = text_of(object, "execution_id");
    if (!slice_present(id) || slice_code_points(id) > ID_LIMIT || slice_has_control(id, false))
        return "execution_id must be a text of 1 to 255 characters without control characters";
    if (!is_own(object, "site_id", settings->site_id) || !is_own(object, "appliance_id", settings->appliance_id))
        return "it names another site or appliance than the configuration";
    return NULL;
}

bool execution_read(struct execution *execution, const struct settings *settings, const struct json *object, int64_t now,
                    char *why, size_t why_size)
{
    const char *flaw = find_flaw(settings, object);
    if (flaw != NULL) {
        snprintf(why, why_size, "%s", flaw);
        return false;
    }
    struct slice signature = text_of(object, "pattern_signature"), rule_id = text_of(object, "rule_id");
    *execution = (struct execution){.object = object, .id = text_of(object, "execution_id"), .level = level_of(object)};
    execution->signature = slice_present(signature) && signature_valid(signature) ? signature : SLICE_ABSENT;
    execution->rule_id = slice_present(rule_id) ? rule_id : text_of(object, "runbook_id");
    execution->healed = json_as_bool(json_member(object, "success")) && !was_escalated(execution);
    execution->time_ms = time_of(object);
    execution->happened_at = moment_of(object, now);
    execution->action = action_of(execution);
    execution->check_type = as_word(any_text(execution, "check_type"));
    execution->incident_type = as_word(type_of(execution));
    return true;
}

struct slice execution_signature(struct arena *arena, const struct execution *execution)
{
    struct signature_input input = {.type = type_of(execution),
                                    .check_type = any_text(execution, "check_type"),
                                    .drift_type = any_text(execution, "drift_type"),
                                    .service_name = any_text(execution, "service_name"),
                                    .error_message = fault_text(execution, "error_message")};
    if (!slice_present(input.type))
        input.type = slice_present(input.check_type) ? input.check_type : SLICE("unknown");
    return signature_compute(arena, &input);
}

/* ---- writing ------------------------------------------------------------------------------------- */

static bool is_ours(const char *name)
{
    static const char *const ours[] = {"appliance_id", "pattern_signature", "rule_id"};
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (strcmp(name, ours[i]) == 0)
            return true;
    return false;
}

void execution_write(struct json_writer *writer, const struct execution *execution, const char *appliance_id,
                     struct slice signature, struct slice rule_id)
{
    json_open_object(writer, NULL);
    for (const struct json *member = json_first(execution->object); member != NULL; member = json_next(member))
        if (!is_ours(json_name(member)))
            json_copy(writer, json_name(member), member);
    json_text(writer, "appliance_id", appliance_id);
    json_string(writer, "pattern_signature", signature);
    if (slice_present(rule_id))
        json_string(writer, "rule_id", rule_id);
    json_close(writer);
}
