#include "promotion/delivery.h"

#include "base/json.h"
#include "base/timestamp.h"
#include "promotion/report_identity.h"
#include "rules/manifest.h"

/* One statement, so that revision and rules are of the same moment. `after` is -1 when everything is asked for. What waits to
 * be sent is in the answer whatever its revision, and noted as delivered only where the same question brings it again: answers
 * get lost. What is to go is in it until the appliance has acknowledged that it is gone. A LATERAL with a LIMIT is one look
 * into an index for each row: the planner cannot know whether a site has three rules or ten thousand. */
DB_STATEMENT(
    delivery_of_appliance, 3,
    "WITH site AS MATERIALIZED (SELECT s.site_id, s.rules_revision, CASE WHEN $3::bigint BETWEEN s.rules_full_below "
    "AND s.rules_revision THEN $3::bigint ELSE -1 END AS after FROM sites s WHERE s.site_id = current_site() "
    "AND coalesce($1::text, s.site_id) = s.site_id AND coalesce($2::text, current_appliance()) = current_appliance()), "
    "rules AS MATERIALIZED (SELECT r.* FROM site JOIN promoted_rules r ON r.site_id = site.site_id "
    "AND r.revision > site.after WHERE r.status = 'active' AND r.released_at IS NOT NULL "
    "UNION ALL SELECT r.* FROM site JOIN promoted_rule_deployments d ON d.appliance_id = current_appliance() "
    "AND d.deployment_status = 'pending' CROSS JOIN LATERAL (SELECT * FROM promoted_rules x WHERE x.site_id = d.site_id "
    "AND x.rule_id = d.rule_id LIMIT 1) r WHERE r.revision <= site.after AND r.status = 'active' "
    "AND r.released_at IS NOT NULL), "
    "removed AS (SELECT r.rule_id, r.updated_at FROM site JOIN promoted_rules r ON r.site_id = site.site_id "
    "CROSS JOIN LATERAL (SELECT x.deployment_status FROM promoted_rule_deployments x WHERE x.site_id = r.site_id "
    "AND x.rule_id = r.rule_id AND x.appliance_id = current_appliance() LIMIT 1) d "
    "WHERE (r.status <> 'active' OR r.released_at IS NULL) "
    "AND (r.revision > site.after OR d.deployment_status <> 'removed')), "
    "delivered AS (UPDATE promoted_rule_deployments d SET deployment_status = 'delivered', delivered_at = now() FROM site "
    "WHERE d.appliance_id = current_appliance() AND d.deployment_status = 'pending' AND d.rule_version = (SELECT r.version "
    "FROM promoted_rules r WHERE r.site_id = d.site_id AND r.rule_id = d.rule_id AND r.status = 'active' "
    "AND r.released_at IS NOT NULL AND r.revision > site.after)), "
    "seen AS (UPDATE site_appliances a SET last_seen_at = now() FROM site WHERE a.appliance_id = current_appliance() "
    "AND coalesce(a.last_seen_at < now() - interval '30 seconds', true)) "
    "SELECT site.rules_revision, site.after < 0, (extract(epoch FROM now()) * 1000000)::bigint, e.* FROM site "
    "LEFT JOIN (SELECT rule_id, NULL::timestamptz AS removed_at, version, yaml_digest, pattern_signature, rule_yaml, "
    "promoted_at, promoted_by FROM rules UNION ALL SELECT rule_id, updated_at, NULL, NULL, NULL, NULL, NULL, NULL "
    "FROM removed) AS e ON true ORDER BY e.removed_at IS NULL DESC, e.rule_id");

enum { REVISION, IS_FULL, NOW, RULE_ID, REMOVED_AT, VERSION, DIGEST, SIGNATURE, YAML, PROMOTED_AT, PROMOTED_BY };

/* The rules to be installed come first, then those to be removed; a single row without any says that there are none. */
static void count_rows(const struct db_rows *rows, struct rule_manifest *manifest)
{
    size_t total = slice_present(db_value(rows, 0, RULE_ID)) ? db_count(rows) : 0;
    while (manifest->rule_count < total && !slice_present(db_value(rows, manifest->rule_count, REMOVED_AT)))
        manifest->rule_count++;
    manifest->removed_count = total - manifest->rule_count;
}

/* What the rows say, less its times. */
static struct rule_manifest manifest_of(struct arena *arena, const struct principal *caller, const struct db_rows *rows,
                                        const struct delivery_request *request)
{
    struct rule_manifest manifest = {
        .appliance_id = caller->appliance_id,
        .site_id = caller->site_id,
        .revision = db_integer(rows, 0, REVISION),
        .full = db_bool(rows, 0, IS_FULL),
    };
    manifest.since_revision = manifest.full ? MANIFEST_NO_REVISION : request->revision;
    count_rows(rows, &manifest);
    struct manifest_rule *rules = arena_array(arena, manifest.rule_count + 1, sizeof *rules);
    struct slice *removed = arena_array(arena, manifest.removed_count + 1, sizeof *removed);
    for (size_t i = 0; i < manifest.rule_count; i++)
        rules[i] = (struct manifest_rule){db_value(rows, i, RULE_ID), db_integer(rows, i, VERSION), db_value(rows, i, DIGEST)};
    for (size_t i = 0; i < manifest.removed_count; i++)
        removed[i] = db_value(rows, manifest.rule_count + i, RULE_ID);
    manifest.rules = rules;
    manifest.removed = removed;
    return manifest;
}

static void write_rule(struct json_writer *json, const struct db_rows *rows, size_t row)
{
    json_open_object(json, NULL);
    json_string(json, "rule_id", db_value(rows, row, RULE_ID));
    json_string(json, "pattern_signature", db_value(rows, row, SIGNATURE));
    json_string(json, "rule_yaml", db_value(rows, row, YAML));
    json_pg_time(json, "promoted_at", db_value(rows, row, PROMOTED_AT));
    json_string(json, "promoted_by", db_value(rows, row, PROMOTED_BY));
    json_text(json, "source", "server_promoted");
    json_number(json, "version", db_value(rows, row, VERSION));
    json_string(json, "digest", db_value(rows, row, DIGEST));
    json_close(json);
}

static void write_removed(struct json_writer *json, const struct db_rows *rows, size_t row)
{
    json_open_object(json, NULL);
    json_string(json, "rule_id", db_value(rows, row, RULE_ID));
    json_pg_time(json, "removed_at", db_value(rows, row, REMOVED_AT));
    json_close(json);
}

static void render(struct arena *arena, const struct db_rows *rows, const struct rule_manifest *manifest,
                   struct slice signed_text, const struct signing_key *key, struct buffer *answer)
{
    unsigned char signature[ED25519_SIGNATURE];
    signing_sign(key, signed_text, signature);
    struct json_writer json = json_writer_make(answer);
    json_open_object(&json, NULL);
    json_open_array(&json, "rules");
    for (size_t i = 0; i < manifest->rule_count; i++)
        write_rule(&json, rows, i);
    json_close(&json);
    json_open_array(&json, "removed");
    for (size_t i = 0; i < manifest->removed_count; i++)
        write_removed(&json, rows, manifest->rule_count + i);
    json_close(&json);
    json_integer(&json, "revision", manifest->revision);
    json_bool(&json, "full", manifest->full);
    json_text(&json, "server_time", timestamp_text(arena, manifest->issued_at));
    json_text(&json, "signed", base64_text(arena, signed_text));
    json_text(&json, "signature", base64_text(arena, (struct slice){(const char *)signature, sizeof signature}));
    json_writer_end(&json);
}

/* The statement gives no row to who goes by another name than the token's, nor for a site that was erased this moment. */
static bool check_rows(const struct principal *caller, const struct delivery_request *request, const struct db_rows *rows,
                       struct error *error)
{
    return report_is_own_name(request->site_id, caller->site_id, "site", error) &&
           report_is_own_name(request->appliance_id, caller->appliance_id, "appliance", error) &&
           (db_count(rows) > 0 ||
            error_set(error, ERROR_UNAUTHENTICATED, "credentials-refused", "The site of this token is no longer there."));
}

static const char *named(struct arena *arena, struct slice name)
{
    return name.len > 0 ? arena_text(arena, name) : NULL;
}

bool delivery_pull(struct session *session, const struct delivery_request *request, const struct signing_key *key,
                   struct buffer *answer, struct sha256 *identity, struct error *error)
{
    struct arena *arena = session->arena;
    const char *values[] = {
        named(arena, request->site_id),
        named(arena, request->appliance_id),
        request->has_revision ? arena_printf(arena, "%lld", (long long)request->revision) : NULL,
    };
    const struct db_call call = {&delivery_of_appliance, values};
    const struct db_rows *rows;
    if (!session_read(session, &call, 1, &rows, error) || !check_rows(&session->principal, request, rows, error))
        return false;
    struct rule_manifest manifest = manifest_of(arena, &session->principal, rows, request);
    const struct slice parts[] = {manifest_to_json(arena, &manifest),
                                  {(const char *)signing_key_public(key), ED25519_PUBLIC}};
    *identity = sha256_of_parts(parts, COUNT_OF(parts));
    manifest.issued_at = db_integer(rows, 0, NOW);
    manifest.expires_at = manifest.issued_at + MANIFEST_LIFETIME_US;
    struct slice signed_text = manifest_to_json(arena, &manifest);
    if (!slice_present(signed_text))
        return error_set(error, ERROR_INTERNAL, "answer-too-large", "The site has more rules than can be signed at once.");
    render(arena, rows, &manifest, signed_text, key, answer);
    return true;
}
