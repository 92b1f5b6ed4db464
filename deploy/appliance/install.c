#include "install.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/timestamp.h"
#include "identity.h"
#include "rules/load.h"
#include "tell.h"

enum { IDS_CEILING = 8 * 1024 * 1024, RULE_MEMORY = 8 * 1024 * 1024 };

/* Runs a statement whose one value is a rule's id. */
static bool run_with_id(struct store *store, const char *sql, struct slice rule_id)
{
    struct query *query = query_begin(store, sql);
    query_text(query, rule_id);
    return query_run(query);
}

static bool forget_refusal(struct store *store, struct slice rule_id)
{
    return run_with_id(store, "DELETE FROM refused WHERE rule_id = ?1", rule_id);
}

static bool mark_removed(struct store *store, struct slice rule_id)
{
    struct query *query = query_begin(store, "INSERT OR IGNORE INTO removed (rule_id, removed_at) VALUES (?1, ?2)");
    query_text(query, rule_id);
    query_integer(query, timestamp_now());
    return query_run(query);
}

static bool remove_rule(struct store *store, struct slice rule_id)
{
    return run_with_id(store, "DELETE FROM installed WHERE rule_id = ?1", rule_id) && forget_refusal(store, rule_id) &&
           mark_removed(store, rule_id);
}

/* The version that is installed already stays as it is, with its time. */
static bool keep_rule(struct store *store, const struct manifest_rule *rule, const struct delivered_rule *text)
{
    struct query *query = query_begin(
        store, "INSERT INTO installed (rule_id, version, digest, pattern_signature, yaml, installed_at) "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (rule_id) DO UPDATE SET version = excluded.version, "
               "digest = excluded.digest, pattern_signature = excluded.pattern_signature, yaml = excluded.yaml, "
               "installed_at = excluded.installed_at, written = 0 "
               "WHERE version <> excluded.version OR digest <> excluded.digest");
    query_text(query, rule->rule_id);
    query_integer(query, rule->version);
    query_text(query, rule->digest);
    query_text(query, text->pattern_signature);
    query_bytes(query, text->yaml);
    query_integer(query, timestamp_now());
    return query_run(query) && forget_refusal(store, rule->rule_id) &&
           run_with_id(store, "DELETE FROM removed WHERE rule_id = ?1", rule->rule_id);
}

static bool refuse_rule(struct store *store, struct slice rule_id, const char *why)
{
    struct query *query = query_begin(store, "INSERT OR REPLACE INTO refused (rule_id, error) VALUES (?1, ?2)");
    query_text(query, rule_id);
    query_text(query, slice_of(why));
    return query_run(query);
}

/* The engine's own checks. */
static bool loads(struct arena *arena, struct slice rule_id, struct slice yaml, struct error *error)
{
    struct rule rule;
    return rule_load_yaml(arena, yaml, &rule, error) &&
           (slice_equal(rule.id, rule_id) ||
            error_set(error, ERROR_INVALID, "rule-refused", "its text has another id: %.*s", (int)rule.id.len,
                      rule.id.ptr));
}

static bool take_rules(struct cycle *cycle, const struct delivery *delivery)
{
    struct arena *arena = arena_new(RULE_MEMORY);
    bool done = true;
    for (size_t i = 0; done && i < delivery->manifest.rule_count; i++) {
        const struct manifest_rule *rule = &delivery->manifest.rules[i];
        struct error error;
        arena_reset(arena);
        done = loads(arena, rule->rule_id, delivery->rules[i].yaml, &error)
                   ? keep_rule(cycle->store, rule, &delivery->rules[i])
                   : refuse_rule(cycle->store, rule->rule_id, error.detail);
    }
    arena_free(arena);
    return done;
}

static bool take_removed(struct cycle *cycle, const struct rule_manifest *manifest)
{
    bool done = true;
    for (size_t i = 0; done && i < manifest->removed_count; i++)
        done = remove_rule(cycle->store, manifest->removed[i]);
    return done;
}

/* All rules of the answer, as JSON: for statements about the others. */
static struct slice rule_ids(struct arena *arena, const struct rule_manifest *manifest)
{
    struct buffer text = buffer_make(IDS_CEILING);
    struct json_writer json = json_writer_make(&text);
    json_open_array(&json, NULL);
    for (size_t i = 0; i < manifest->rule_count; i++)
        json_string(&json, NULL, manifest->rules[i].rule_id);
    json_writer_end(&json);
    struct slice ids = arena_copy(arena, buffer_slice(&text));
    buffer_free(&text);
    return ids;
}

/* What a full answer does not name is to go. */
static bool remove_others(struct cycle *cycle, const struct rule_manifest *manifest)
{
    struct slice ids = rule_ids(cycle->scratch, manifest);
    struct query *query = query_begin(
        cycle->store, "INSERT OR IGNORE INTO removed (rule_id, removed_at) SELECT rule_id, ?2 FROM installed "
                      "WHERE rule_id NOT IN (SELECT value FROM json_each(?1))");
    query_text(query, ids);
    query_integer(query, timestamp_now());
    return query_run(query) &&
           run_with_id(cycle->store, "DELETE FROM installed WHERE rule_id NOT IN (SELECT value FROM json_each(?1))", ids) &&
           run_with_id(cycle->store, "DELETE FROM refused WHERE rule_id NOT IN (SELECT value FROM json_each(?1))", ids);
}

static bool take_figures(struct store *store, const struct rule_manifest *manifest, const char *etag)
{
    return meta_set_integer(store, META_REVISION, manifest->revision) &&
           meta_set_integer(store, META_SIGNED_UNTIL, manifest->expires_at) &&
           meta_set_text(store, META_ETAG, *etag != '\0' ? slice_of(etag) : SLICE_ABSENT);
}

bool install_delivery(struct cycle *cycle, const struct delivery *delivery, const char *etag)
{
    const struct rule_manifest *manifest = &delivery->manifest;
    if (store_begin(cycle->store) && take_rules(cycle, delivery) && take_removed(cycle, manifest) &&
        (!manifest->full || remove_others(cycle, manifest)) && take_figures(cycle->store, manifest, etag) &&
        identity_keep(cycle->store, cycle->settings) && store_commit(cycle->store))
        return true;
    cycle_fail_store(cycle);
    store_rollback(cycle->store);
    return false;
}
