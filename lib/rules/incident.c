#include "rules/incident.h"

#include <ctype.h>
#include <string.h>

#include "base/compiler.h"
#include "rules/redact.h"

#define WORD(name) {name, INCIDENT_WORD}
#define TEXT(name) {name, INCIDENT_TEXT}
#define FIGURE(ending) {ending, INCIDENT_FIGURE}

/* The allow-list. */
static const struct incident_member members[] = {
    /* what happened, and where */
    WORD("id"), WORD("incident_id"), WORD("type"), WORD("incident_type"), WORD("check_type"), WORD("check_id"), WORD("drift_type"),
    WORD("category"), WORD("severity"), WORD("source"), WORD("platform"), WORD("os"), WORD("os_name"), WORD("os_version"),
    WORD("host_id"), WORD("hostname"), WORD("site_id"), WORD("appliance_id"), WORD("drift_detected"), WORD("detected_at"),
    WORD("timestamp"), WORD("created_at"), WORD("first_seen"), WORD("last_seen"),
    /* what was done about it */
    WORD("action"), WORD("recommended_action"), WORD("runbook_id"), WORD("rule_id"), WORD("step"), WORD("phase"), WORD("task"),
    WORD("attempt"), WORD("attempts"), WORD("retries"), WORD("status"), WORD("result"), WORD("outcome"), WORD("ok"), WORD("success"),
    WORD("failed"), WORD("skipped"), WORD("exit_code"), WORD("return_code"), WORD("error_code"), WORD("code"), WORD("started_at"),
    WORD("completed_at"), WORD("duration"), WORD("resolution_level"), WORD("failure_type"),
    /* states of things */
    WORD("state"), WORD("compliant"), WORD("enabled"), WORD("disabled"), WORD("running"), WORD("installed"), WORD("available"),
    WORD("active"), WORD("healthy"), WORD("encrypted"), WORD("expired"), WORD("exists"), WORD("present"), WORD("missing"),
    WORD("pending"), WORD("required"), WORD("locked"), WORD("start_type"), WORD("startup_type"), WORD("mode"), WORD("level"),
    WORD("policy"), WORD("profile"), WORD("protocol"), WORD("port"), WORD("protection_status"), WORD("real_time_protection"),
    WORD("cipher"), WORD("method"), WORD("edition"), WORD("product"), WORD("version"), WORD("build"), WORD("kernel"), WORD("kb"),
    WORD("unit"), WORD("service"), WORD("service_name"), WORD("package"), WORD("event_id"), WORD("thumbprint"), WORD("algorithm"),
    WORD("not_before"), WORD("not_after"), WORD("expires_at"), WORD("last_success"), WORD("last_run"), WORD("last_update"),
    WORD("last_reboot"), WORD("stratum"), WORD("interface"), WORD("zone"),
    /* figures */
    WORD("count"), WORD("total"), WORD("size"), WORD("used"), WORD("free"), WORD("age"), WORD("offset"), WORD("threshold"),
    WORD("minimum"), WORD("maximum"), WORD("timeout"), WORD("percent"),
    FIGURE("_enabled"), FIGURE("_disabled"), FIGURE("_installed"), FIGURE("_running"), FIGURE("_ok"), FIGURE("_compliant"),
    FIGURE("_count"), FIGURE("_percent"), FIGURE("_days"), FIGURE("_hours"), FIGURE("_minutes"), FIGURE("_seconds"), FIGURE("_ms"),
    FIGURE("_bytes"), FIGURE("_mb"), FIGURE("_gb"), FIGURE("_length"), FIGURE("_level"),
    /* free text */
    TEXT("message"), TEXT("error"), TEXT("error_message"), TEXT("error_step"), TEXT("description"), TEXT("reason"), TEXT("output"),
    TEXT("stdout"), TEXT("stderr"), TEXT("name"), TEXT("display_name"), TEXT("title"), TEXT("command"), TEXT("path"), TEXT("file"),
    TEXT("directory"), TEXT("mount"), TEXT("mount_point"), TEXT("volume"), TEXT("drive"), TEXT("device"), TEXT("registry_path"),
    TEXT("setting"), TEXT("option"), TEXT("parameter"), TEXT("value"), TEXT("expected"), TEXT("actual"), TEXT("current"),
    TEXT("desired"), TEXT("baseline"), TEXT("target"), TEXT("server"), TEXT("repository"), TEXT("issuer"),
    /* what holds others */
    TEXT("details"), TEXT("checks"), TEXT("steps"), TEXT("items"), TEXT("values"), TEXT("before"), TEXT("after"), TEXT("from"), TEXT("to"),
    TEXT("old"), TEXT("new"), TEXT("changed"), TEXT("added"), TEXT("removed"), TEXT("diff"), TEXT("metrics"), TEXT("thresholds"),
    TEXT("services"), TEXT("packages"), TEXT("updates"), TEXT("volumes"), TEXT("disks"), TEXT("certificates"), TEXT("files"),
    TEXT("profiles"), TEXT("domain"), TEXT("private"), TEXT("public"), TEXT("exclusions"), TEXT("rules"),
};

const struct incident_member *incident_members(size_t *count)
{
    *count = COUNT_OF(members);
    return members;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t len = strlen(name), tail = strlen(ending);
    return len > tail && len <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len &&
           strcmp(name + len - tail, ending) == 0;
}

/* The entry that keeps a member of that name and value; NULL when none does. */
static const struct incident_member *entry_of(const char *name, const struct json *value)
{
    bool figure = json_type_of(value) == JSON_NUMBER || json_type_of(value) == JSON_BOOL;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct incident_member *entry = &members[i];
        bool is_kept = entry->kind == INCIDENT_FIGURE ? figure && ends_with(name, entry->name)
                                                      : entry->name[0] == name[0] && strcmp(entry->name, name) == 0;
        if (is_kept)
            return entry;
    }
    return NULL;
}

/* An id, a word, a number or a moment, as programs write them. */
static bool is_word(struct slice text)
{
    enum { LONGEST = 128 };
    for (size_t i = 0; i < text.len; i++)
        if (!isalnum((unsigned char)text.ptr[i]) && memchr("._:%/+-", text.ptr[i], 7) == NULL)
            return false;
    return text.len <= LONGEST;
}

static void write_string(struct arena *arena, struct json_writer *writer, const char *name, struct slice text,
                         enum incident_kind kind)
{
    bool to_the_letter = kind == INCIDENT_WORD && is_word(text);
    json_string(writer, name, to_the_letter ? text : redact_and_cut(arena, text, INCIDENT_TEXT_CHARS));
}

/* `kind`: that of the member which the value, or the array that it is in, belongs to. */
static void write_value(struct arena *arena, struct json_writer *writer, const char *name, const struct json *value,
                        enum incident_kind kind)
{
    enum json_type type = json_type_of(value);
    if (type == JSON_STRING) {
        write_string(arena, writer, name, json_as_string(value), kind);
    } else if (type == JSON_OBJECT) {
        json_open_object(writer, name);
        for (const struct json *member = json_first(value); member != NULL; member = json_next(member)) {
            const struct incident_member *entry = entry_of(json_name(member), member);
            if (entry != NULL)
                write_value(arena, writer, json_name(member), member, entry->kind);
        }
        json_close(writer);
    } else if (type == JSON_ARRAY) {
        json_open_array(writer, name);
        for (const struct json *element = json_first(value); element != NULL; element = json_next(element))
            write_value(arena, writer, NULL, element, kind);
        json_close(writer);
    } else {
        json_copy(writer, name, value);
    }
}

void incident_write(struct arena *arena, struct json_writer *writer, const char *name, const struct json *value)
{
    write_value(arena, writer, name, value, INCIDENT_TEXT);
}
