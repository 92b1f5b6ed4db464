/* What was signed: whatever is accepted is written the same way again and again, and comes back as it was. */
#include "fuzz.h"
#include "rules/manifest.h"
#include "rules/rule_id.h"

static void check_same(const struct rule_manifest *a, const struct rule_manifest *b)
{
    MUST(slice_equal(a->appliance_id, b->appliance_id) && slice_equal(a->site_id, b->site_id));
    MUST(a->revision == b->revision && a->since_revision == b->since_revision && a->full == b->full);
    MUST(a->issued_at == b->issued_at && a->expires_at == b->expires_at);
    MUST(a->rule_count == b->rule_count && a->removed_count == b->removed_count);
    for (size_t i = 0; i < a->rule_count; i++)
        MUST(slice_equal(a->rules[i].rule_id, b->rules[i].rule_id) && rule_id_valid(a->rules[i].rule_id) &&
             slice_equal(a->rules[i].digest, b->rules[i].digest) && a->rules[i].version == b->rules[i].version);
    for (size_t i = 0; i < a->removed_count; i++)
        MUST(slice_equal(a->removed[i], b->removed[i]) && rule_id_valid(a->removed[i]));
}

void fuzz_one(struct arena *arena, struct slice input)
{
    struct rule_manifest manifest, again;
    struct error error;
    error_clear(&error);
    if (!manifest_parse(arena, input, &manifest, &error)) {
        MUST(error.kind == ERROR_INVALID && error.detail[0] != '\0');
        return;
    }
    struct slice text = manifest_to_json(arena, &manifest);
    MUST(slice_present(text));
    MUST(manifest_parse(arena, fuzz_exact(arena, text), &again, &error));
    check_same(&manifest, &again);
    MUST(slice_equal(manifest_to_json(arena, &again), text));
}
