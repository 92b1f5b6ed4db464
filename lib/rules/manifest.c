#include "rules/manifest.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/timestamp.h"
#include "rules/rule_id.h"

#define REFUSE(error, ...) error_set((error), ERROR_INVALID, "manifest-refused", __VA_ARGS__)

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* The names are in the order of their code units, as RFC 8785 section 3.2.3 wants them. */
static void write_rule(struct json_writer *writer, const struct manifest_rule *rule)
{
    json_open_object(writer, NULL);
    json_string(writer, "digest", rule->digest);
    json_string(writer, "rule_id", rule->rule_id);
    json_integer(writer, "version", rule->version);
    json_close(writer);
}

static void write_manifest(struct arena *arena, struct json_writer *writer, const struct rule_manifest *manifest)
{
    json_open_object(writer, NULL);
    json_string(writer, "appliance_id", manifest->appliance_id);
    json_text(writer, "expires_at", timestamp_text(arena, manifest->expires_at));
    json_bool(writer, "full", manifest->full);
    json_text(writer, "issued_at", timestamp_text(arena, manifest->issued_at));
    json_open_array(writer, "removed");
    for (size_t i = 0; i < manifest->removed_count; i++)
        json_string(writer, NULL, manifest->removed[i]);
    json_close(writer);
    json_integer(writer, "revision", manifest->revision);
    json_open_array(writer, "rules");
    for (size_t i = 0; i < manifest->rule_count; i++)
        write_rule(writer, &manifest->rules[i]);
    json_close(writer);
    if (manifest->since_revision == MANIFEST_NO_REVISION)
        json_null(writer, "since_revision");
    else
        json_integer(writer, "since_revision", manifest->since_revision);
    json_string(writer, "site_id", manifest->site_id);
    json_writer_end(writer);
}

struct slice manifest_to_json(struct arena *arena, const struct rule_manifest *manifest)
{
    struct buffer text = buffer_make(MANIFEST_CEILING);
    struct json_writer writer = json_writer_make(&text);
    write_manifest(arena, &writer, manifest);
    struct slice bytes = buffer_ok(&text) ? arena_copy(arena, buffer_slice(&text)) : SLICE_ABSENT;
    buffer_free(&text);
    return bytes;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static bool read_text(const struct json *object, const char *name, struct slice *text, struct error *error)
{
    *text = json_as_string(json_member(object, name));
    return (slice_present(*text) && text->len > 0) || REFUSE(error, "The member %s must be a text.", name);
}

static bool read_number(const struct json *object, const char *name, int64_t lowest, int64_t *number, struct error *error)
{
    return (json_as_integer(json_member(object, name), number) && *number >= lowest) ||
           REFUSE(error, "The member %s must be a whole number.", name);
}

static bool read_moment(const struct json *object, const char *name, int64_t *moment, struct error *error)
{
    return timestamp_parse(json_as_string(json_member(object, name)), moment) ||
           REFUSE(error, "The member %s must be a date and time.", name);
}

static bool read_bool(const struct json *object, const char *name, bool *truth, struct error *error)
{
    const struct json *value = json_member(object, name);
    *truth = json_as_bool(value);
    return json_type_of(value) == JSON_BOOL || REFUSE(error, "The member %s must be true or false.", name);
}

static bool read_since(const struct json *object, int64_t *since, struct error *error)
{
    enum json_type type = json_type_of(json_member(object, "since_revision"));
    *since = MANIFEST_NO_REVISION;
    return type == JSON_ABSENT || type == JSON_NULL || read_number(object, "since_revision", 0, since, error);
}

static bool read_list(const struct json *object, const char *name, const struct json **list, struct error *error)
{
    *list = json_member(object, name);
    return json_type_of(*list) == JSON_ARRAY || REFUSE(error, "The member %s must be a list.", name);
}

static bool is_digest(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (memchr("0123456789abcdef", text.ptr[i], 16) == NULL)
            return false;
    return text.len == 64;
}

static bool read_rule(const struct json *value, struct manifest_rule *rule, struct error *error)
{
    rule->rule_id = json_as_string(json_member(value, "rule_id"));
    rule->digest = json_as_string(json_member(value, "digest"));
    return (rule_id_valid(rule->rule_id) || REFUSE(error, "A rule has no id that can be accepted.")) &&
           (is_digest(rule->digest) || REFUSE(error, "A rule's digest must be 64 hexadecimal digits.")) &&
           read_number(value, "version", 1, &rule->version, error);
}

static bool read_rules(struct arena *arena, const struct json *list, struct rule_manifest *out, struct error *error)
{
    size_t count = json_count(list), i = 0;
    struct manifest_rule *rules = arena_array(arena, count + 1, sizeof *rules);
    for (const struct json *value = json_first(list); value != NULL; value = json_next(value))
        if (!read_rule(value, &rules[i++], error))
            return false;
    out->rules = rules;
    out->rule_count = count;
    return true;
}

static bool read_removed(struct arena *arena, const struct json *list, struct rule_manifest *out, struct error *error)
{
    size_t count = json_count(list), i = 0;
    struct slice *removed = arena_array(arena, count + 1, sizeof *removed);
    for (const struct json *value = json_first(list); value != NULL; value = json_next(value)) {
        removed[i] = json_as_string(value);
        if (!rule_id_valid(removed[i++]))
            return REFUSE(error, "The list of removed rules has an id that cannot be accepted.");
    }
    out->removed = removed;
    out->removed_count = count;
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    return slice_compare(*x, *y);
}

/* No rule twice, and none both to be installed and to be removed. */
static bool check_ids(struct arena *arena, const struct rule_manifest *manifest, struct error *error)
{
    size_t count = manifest->rule_count + manifest->removed_count;
    struct slice *ids = arena_array(arena, count + 1, sizeof *ids);
    for (size_t i = 0; i < manifest->rule_count; i++)
        ids[i] = manifest->rules[i].rule_id;
    for (size_t i = 0; i < manifest->removed_count; i++)
        ids[manifest->rule_count + i] = manifest->removed[i];
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count; i++)
        if (slice_equal(ids[i - 1], ids[i]))
            return REFUSE(error, "Rule %.*s is named twice.", (int)ids[i].len, ids[i].ptr);
    return true;
}

bool manifest_parse(struct arena *arena, struct slice bytes, struct rule_manifest *out, struct error *error)
{
    char why[160];
    const struct json *object = json_parse(arena, bytes, why, sizeof why), *rules, *removed;
    if (object == NULL)
        return REFUSE(error, "What was signed is no JSON: %s.", why);
    if (json_type_of(object) != JSON_OBJECT)
        return REFUSE(error, "What was signed is no object.");
    return read_text(object, "appliance_id", &out->appliance_id, error) &&
           read_text(object, "site_id", &out->site_id, error) &&
           read_number(object, "revision", 0, &out->revision, error) && read_bool(object, "full", &out->full, error) &&
           read_since(object, &out->since_revision, error) &&
           read_moment(object, "issued_at", &out->issued_at, error) &&
           read_moment(object, "expires_at", &out->expires_at, error) &&
           read_list(object, "rules", &rules, error) && read_list(object, "removed", &removed, error) &&
           read_rules(arena, rules, out, error) && read_removed(arena, removed, out, error) &&
           check_ids(arena, out, error);
}
