#include "unit.h"

#include "base/json.h"
#include "rules/manifest.h"

static const char DIGEST[] = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";

/* 2026-11-22T12:00:00.000001Z */
static const int64_t ISSUED = INT64_C(1795348800000001);

static const char GOLDEN[] =
    "{\"appliance_id\":\"box-1\",\"expires_at\":\"2026-11-24T12:00:00.000001Z\",\"full\":false,"
    "\"issued_at\":\"2026-11-22T12:00:00.000001Z\",\"removed\":[\"L1-PROMOTED-OLD\"],\"revision\":7,\"rules\":[{\"digest\":"
    "\"b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c\",\"rule_id\":\"L1-PROMOTED-6C4A6B5B\",\"version\":2}],"
    "\"since_revision\":5,\"site_id\":\"lakeside\"}";

static struct rule_manifest example(void)
{
    static struct manifest_rule rule;
    static const struct slice removed = {"L1-PROMOTED-OLD", 15};
    rule = (struct manifest_rule){SLICE("L1-PROMOTED-6C4A6B5B"), 2, slice_of(DIGEST)};
    return (struct rule_manifest){
        .appliance_id = SLICE("box-1"),
        .site_id = SLICE("lakeside"),
        .revision = 7,
        .since_revision = 5,
        .issued_at = ISSUED,
        .expires_at = ISSUED + MANIFEST_LIFETIME_US,
        .rules = &rule,
        .rule_count = 1,
        .removed = &removed,
        .removed_count = 1,
    };
}

static void a_manifest_is_written_in_canonical_form(void **state)
{
    struct rule_manifest manifest = example();
    assert_slice(manifest_to_json(*state, &manifest), GOLDEN);
    manifest = (struct rule_manifest){.appliance_id = SLICE("a"), .site_id = SLICE("s"), .full = true,
                                      .since_revision = MANIFEST_NO_REVISION};
    assert_slice(manifest_to_json(*state, &manifest),
                 "{\"appliance_id\":\"a\",\"expires_at\":\"1970-01-01T00:00:00.000000Z\",\"full\":true,"
                 "\"issued_at\":\"1970-01-01T00:00:00.000000Z\",\"removed\":[],\"revision\":0,\"rules\":[],"
                 "\"since_revision\":null,\"site_id\":\"s\"}");
}

static void a_manifest_comes_back_as_it_was(void **state)
{
    struct rule_manifest in = example(), out;
    struct error error = {0};
    assert_true(manifest_parse(*state, manifest_to_json(*state, &in), &out, &error));
    assert_slice(out.appliance_id, "box-1");
    assert_slice(out.site_id, "lakeside");
    assert_int_equal(out.revision, 7);
    assert_int_equal(out.since_revision, 5);
    assert_false(out.full);
    assert_int_equal(out.issued_at, ISSUED);
    assert_int_equal(out.expires_at, ISSUED + MANIFEST_LIFETIME_US);
    assert_int_equal(out.rule_count, 1);
    assert_slice(out.rules[0].rule_id, "L1-PROMOTED-6C4A6B5B");
    assert_int_equal(out.rules[0].version, 2);
    assert_slice(out.rules[0].digest, DIGEST);
    assert_int_equal(out.removed_count, 1);
    assert_slice(out.removed[0], "L1-PROMOTED-OLD");
    assert_slice(manifest_to_json(*state, &out), GOLDEN);
}

/* GOLDEN with `from` replaced by `to`. */
static struct slice changed(struct arena *arena, const char *from, const char *to)
{
    const char *at = strstr(GOLDEN, from);
    assert_non_null(at);
    return slice_of(arena_printf(arena, "%.*s%s%s", (int)(at - GOLDEN), GOLDEN, to, at + strlen(from)));
}

static void members_of_other_servers_are_passed_over(void **state)
{
    struct rule_manifest out;
    struct error error = {0};
    assert_true(manifest_parse(*state, changed(*state, "\"since_revision\":5", "\"more\":[{}]"), &out, &error));
    assert_int_equal(out.since_revision, MANIFEST_NO_REVISION);
    assert_true(manifest_parse(*state, changed(*state, "\"since_revision\":5", "\"since_revision\":null"), &out, &error));
    assert_int_equal(out.since_revision, MANIFEST_NO_REVISION);
    assert_true(manifest_parse(*state, changed(*state, "{\"appliance_id\":\"box-1\",", "{ \"x\" : 1 , \"appliance_id\" : \"box-1\" ,"),
                               &out, &error));
}

static void P25_what_is_not_a_manifest_is_refused(void **state)
{
    const struct {
        const char *from, *to, *about;
    } bad[] = {
        {"\"box-1\"", "7", "appliance_id"},
        {"\"box-1\"", "\"\"", "appliance_id"},
        {"\"appliance_id\"", "\"appliance\"", "appliance_id"},
        {"\"site_id\"", "\"Site_Id\"", "site_id"},
        {"\"revision\":7", "\"revision\":-1", "revision"},
        {"\"revision\":7", "\"revision\":7.5", "revision"},
        {"\"revision\":7", "\"revision\":\"7\"", "revision"},
        {"\"revision\":7", "\"revision\":9007199254740993", "revision"},
        {"\"revision\":7", "\"revision\":7,\"revision\":8", "JSON"},
        {"\"full\":false", "\"full\":0", "full"},
        {"\"since_revision\":5", "\"since_revision\":-5", "since_revision"},
        {"2026-11-24T12:00:00.000001Z", "never", "expires_at"},
        {"\"issued_at\"", "\"issued\"", "issued_at"},
        {"\"rules\":[", "\"rules\":[7,", "id"},
        {"\"rules\"", "\"rulez\"", "rules"},
        {"\"removed\":[\"L1-PROMOTED-OLD\"]", "\"removed\":{}", "removed"},
        {"[\"L1-PROMOTED-OLD\"]", "[\"../../etc/passwd\"]", "removed"},
        {"[\"L1-PROMOTED-OLD\"]", "[null]", "removed"},
        {"L1-PROMOTED-6C4A6B5B", "../L1-PROMOTED", "id"},
        {"L1-PROMOTED-6C4A6B5B", "L1", "id"},
        {"\"version\":2", "\"version\":0", "version"},
        {"b5bb9d8014", "B5BB9D8014", "digest"},
        {"b5bb9d8014", "b5bb9d801", "digest"},
        {"L1-PROMOTED-OLD", "L1-PROMOTED-6C4A6B5B", "twice"},
        {"[\"L1-PROMOTED-OLD\"]", "[\"L1-PROMOTED-OLD\",\"ABC\",\"L1-PROMOTED-OLD\"]", "twice"},
        {"{\"appliance_id\"", "[{\"appliance_id\"", "JSON"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct rule_manifest out;
        struct error error = {0};
        assert_false(manifest_parse(*state, changed(*state, bad[i].from, bad[i].to), &out, &error));
        assert_slug(&error, "manifest-refused");
        if (strstr(error.detail, bad[i].about) == NULL)
            fail_msg("%s → %s: %s", bad[i].from, bad[i].to, error.detail);
    }
    const struct slice others[] = {SLICE(""), SLICE("[]"), SLICE("null"), SLICE("{}"), SLICE("\xFF")};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct rule_manifest out;
        struct error error = {0};
        assert_false(manifest_parse(*state, others[i], &out, &error));
        assert_slug(&error, "manifest-refused");
    }
}

static void a_manifest_has_a_ceiling(void **state)
{
    enum { MANY = 100000 };
    struct rule_manifest manifest = example();
    struct manifest_rule *rules = arena_array(*state, MANY, sizeof *rules);
    for (size_t i = 0; i < MANY; i++)
        rules[i] = manifest.rules[0];
    manifest.rules = rules;
    manifest.rule_count = 10000;
    assert_true(slice_present(manifest_to_json(*state, &manifest)));
    manifest.rule_count = MANY;
    assert_false(slice_present(manifest_to_json(*state, &manifest)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_manifest_is_written_in_canonical_form),
        UNIT_TEST(a_manifest_comes_back_as_it_was),
        UNIT_TEST(members_of_other_servers_are_passed_over),
        UNIT_TEST(P25_what_is_not_a_manifest_is_refused),
        UNIT_TEST(a_manifest_has_a_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
