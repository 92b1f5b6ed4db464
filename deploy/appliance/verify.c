#include "verify.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "rules/render.h"
#include "rules/signature.h"

#define HOUR INT64_C(3600000000) /* microseconds */

#define REFUSE(error, ...) error_set((error), ERROR_INVALID, "answer-refused", __VA_ARGS__)

/* An element of one of the answer's lists, found again by its id. */
struct listed {
    struct slice rule_id;
    const struct json *value;
};

static int compare_listed(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    return slice_compare(x->rule_id, y->rule_id);
}

/* The elements of list `name`, by id; there must be `count`. NULL with a reason. */
static struct listed *read_list(struct arena *arena, const struct json *answer, const char *name, size_t count,
                                struct error *error)
{
    const struct json *list = json_member(answer, name);
    if (json_type_of(list) != JSON_ARRAY || json_count(list) != count) {
        (void)REFUSE(error, "the list '%s' is not the one that was signed: %zu were signed", name, count);
        return NULL;
    }
    struct listed *listed = arena_array(arena, count + 1, sizeof *listed);
    size_t i = 0;
    for (const struct json *value = json_first(list); value != NULL; value = json_next(value), i++) {
        listed[i] = (struct listed){json_as_string(json_member(value, "rule_id")), value};
        if (!slice_present(listed[i].rule_id)) {
            (void)REFUSE(error, "the list '%s' has an element without a rule_id", name);
            return NULL;
        }
    }
    qsort(listed, count, sizeof *listed, compare_listed);
    return listed;
}

static const struct json *find(const struct listed *listed, size_t count, struct slice rule_id)
{
    struct listed key = {rule_id, NULL};
    const struct listed *found = bsearch(&key, listed, count, sizeof *listed, compare_listed);
    return found != NULL ? found->value : NULL;
}

/* The text of one signed rule. */
static bool check_rule(struct arena *arena, const struct json *value, const struct manifest_rule *rule,
                       struct delivered_rule *out, struct error *error)
{
    int64_t version;
    const int length = (int)rule->rule_id.len;
    const char *name = rule->rule_id.ptr;
    if (value == NULL)
        return REFUSE(error, "rule %.*s was signed and is not in the list 'rules'", length, name);
    struct slice pattern = json_as_string(json_member(value, "pattern_signature"));
    *out = (struct delivered_rule){json_as_string(json_member(value, "rule_yaml")),
                                   signature_valid(pattern) ? pattern : SLICE_ABSENT};
    if (!json_as_integer(json_member(value, "version"), &version) || version != rule->version ||
        !slice_equal(json_as_string(json_member(value, "digest")), rule->digest))
        return REFUSE(error, "rule %.*s has another version or digest than was signed", length, name);
    if (!slice_present(out->yaml) || !slice_equal(bytes_digest(arena, out->yaml), rule->digest))
        return REFUSE(error, "the text of rule %.*s is not the one that was signed", length, name);
    return true;
}

static bool check_rules(struct arena *arena, const struct json *answer, struct delivery *out, struct error *error)
{
    const struct rule_manifest *manifest = &out->manifest;
    struct listed *listed = read_list(arena, answer, "rules", manifest->rule_count, error);
    if (listed == NULL)
        return false;
    struct delivered_rule *rules = arena_array(arena, manifest->rule_count + 1, sizeof *rules);
    for (size_t i = 0; i < manifest->rule_count; i++) {
        const struct json *value = find(listed, manifest->rule_count, manifest->rules[i].rule_id);
        if (!check_rule(arena, value, &manifest->rules[i], &rules[i], error))
            return false;
    }
    out->rules = rules;
    return true;
}

static bool check_removed(struct arena *arena, const struct json *answer, const struct rule_manifest *manifest,
                          struct error *error)
{
    struct listed *listed = read_list(arena, answer, "removed", manifest->removed_count, error);
    if (listed == NULL)
        return false;
    for (size_t i = 0; i < manifest->removed_count; i++)
        if (find(listed, manifest->removed_count, manifest->removed[i]) == NULL)
            return REFUSE(error, "the list 'removed' is not the one that was signed");
    return true;
}

/* `revision` and `full` beside what was signed: whoever changes them wants something. */
static bool check_figures(const struct json *answer, const struct rule_manifest *manifest, struct error *error)
{
    int64_t revision;
    const struct json *full = json_member(answer, "full");
    return (json_as_integer(json_member(answer, "revision"), &revision) && revision == manifest->revision &&
            json_type_of(full) == JSON_BOOL && json_as_bool(full) == manifest->full) ||
           REFUSE(error, "'revision' or 'full' is not what was signed");
}

static bool read_signed(struct arena *arena, const struct json *answer, const struct signature_keys *keys,
                        struct rule_manifest *manifest, struct error *error)
{
    struct slice text = base64_decode(arena, json_as_string(json_member(answer, "signed")));
    struct slice signature = base64_decode(arena, json_as_string(json_member(answer, "signature")));
    if (!slice_present(text) || !slice_present(signature))
        return REFUSE(error, "it is not signed: 'signed' and 'signature' must be base64");
    if (!signature_verify(keys, text, signature))
        return REFUSE(error, "it was signed with none of the keys that this appliance knows, or changed afterwards");
    return manifest_parse(arena, text, manifest, error);
}

/* For this appliance, now, and not from before. */
static bool check_meant_for(struct arena *arena, const struct rule_manifest *manifest,
                            const struct expected_delivery *expected, struct error *error)
{
    if (!slice_is(manifest->appliance_id, expected->appliance_id) || !slice_is(manifest->site_id, expected->site_id))
        return REFUSE(error, "it was made for appliance %.*s of site %.*s", (int)manifest->appliance_id.len,
                      manifest->appliance_id.ptr, (int)manifest->site_id.len, manifest->site_id.ptr);
    if (manifest->expires_at <= expected->now) /* by the hour, so that a cycle later the reason is the same */
        return REFUSE(error, "it was good until %s; the clock here says %s or later",
                      timestamp_text(arena, manifest->expires_at), timestamp_text(arena, expected->now - expected->now % HOUR));
    if (manifest->revision < expected->installed)
        return REFUSE(error, "it has revision %lld, older than the installed %lld", (long long)manifest->revision,
                      (long long)expected->installed);
    if (manifest->full)
        return true;
    if (expected->asked == MANIFEST_NO_REVISION)
        return REFUSE(error, "it holds changes only, and everything was asked for");
    if (manifest->since_revision != MANIFEST_NO_REVISION && manifest->since_revision != expected->asked)
        return REFUSE(error, "it holds what changed since revision %lld; asked was since %lld",
                      (long long)manifest->since_revision, (long long)expected->asked);
    return true;
}

bool delivery_verify(struct arena *arena, struct slice body, const struct expected_delivery *expected, struct delivery *out,
                     struct error *error)
{
    char why[160];
    const struct json *answer = json_parse(arena, body, why, sizeof why);
    if (answer == NULL)
        return REFUSE(error, "it is no JSON: %s", why);
    if (json_type_of(answer) != JSON_OBJECT)
        return REFUSE(error, "it is no JSON object");
    return read_signed(arena, answer, expected->keys, &out->manifest, error) &&
           check_meant_for(arena, &out->manifest, expected, error) &&
           check_figures(answer, &out->manifest, error) && check_rules(arena, answer, out, error) &&
           check_removed(arena, answer, &out->manifest, error);
}
