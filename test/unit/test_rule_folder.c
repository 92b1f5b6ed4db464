/* Folders of rules: each file for itself, told when it is passed over, in an order that nothing else decides. */
#include "engine_fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/rule_copy.h"
#include "rules/rule_folder.h"

#define RULE_TEXT(id) "id: " id "\nconditions: [{field: f, operator: eq, value: a}]\naction: escalate\n"

/* A folder of files, and what was told about them. */
struct folder {
    struct arena *arena;
    char path[64];
    char told[4096]; /* `name: reason` lines */
};

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static int make_folder(void **state)
{
    struct arena *arena = arena_new((size_t)64 * 1024 * 1024);
    struct folder *folder = arena_alloc(arena, sizeof *folder);
    *folder = (struct folder){.arena = arena, .path = "/tmp/flywheel-rules.XXXXXX"};
    *state = folder;
    return mkdtemp(folder->path) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_free(folder->arena);
    return 0;
}

static const char *path_of(struct folder *folder, const char *name)
{
    return arena_printf(folder->arena, "%s/%s", folder->path, name);
}

static void put_bytes(struct folder *folder, const char *name, struct slice text)
{
    FILE *file = fopen(path_of(folder, name), "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

static void put(struct folder *folder, const char *name, const char *text)
{
    put_bytes(folder, name, slice_of(text));
}

static void put_folder(struct folder *folder, const char *name)
{
    assert_int_equal(mkdir(path_of(folder, name), 0700), 0);
}

static void tell(void *context, const char *path, const char *reason)
{
    struct folder *folder = context;
    size_t length = strlen(folder->path), used = strlen(folder->told);
    assert_memory_equal(path, folder->path, length);
    snprintf(folder->told + used, sizeof folder->told - used, "%s: %s\n", path + length + 1, reason);
}

/* The ids that are loaded, each followed by a space. */
static const char *ids(struct folder *folder)
{
    const struct rule *rules = NULL;
    size_t count = 0;
    struct error error;
    error_clear(&error);
    folder->told[0] = '\0';
    if (!rule_folder_load(folder->arena, folder->path, tell, folder, &rules, &count, &error))
        fail_msg("%s", error.detail);
    const char *text = "";
    for (size_t i = 0; i < count; i++)
        text = arena_printf(folder->arena, "%s%.*s ", text, (int)rules[i].id.len, rules[i].id.ptr);
    return text;
}

static void p32_a_bad_file_costs_only_itself_and_is_told(void **state)
{
    struct folder *folder = *state;
    put(folder, "a.yaml", RULE_TEXT("R-A"));
    put(folder, "b.yaml", "id: [");
    put(folder, "c.yaml", "rules:\n- {id: R-C1, conditions: [{field: f, operator: eq, value: a}], action: escalate}\n- {id: R-C2}\n");
    put(folder, "d.yaml", "");
    put(folder, "e.yml", RULE_TEXT("R-E"));
    put_bytes(folder, "f.yaml", SLICE("id: R-F\0"));
    assert_string_equal(ids(folder), "R-A R-E ");
    assert_non_null(strstr(folder->told, "b.yaml: The text is not YAML"));
    assert_non_null(strstr(folder->told, "c.yaml: Rule 2 of the list"));
    assert_non_null(strstr(folder->told, "d.yaml: The text holds no rule."));
    assert_non_null(strstr(folder->told, "f.yaml: "));
    assert_null(strstr(folder->told, "a.yaml"));
}

static void p32_what_cannot_be_read_as_a_file_is_told(void **state)
{
    struct folder *folder = *state;
    put(folder, "good.yaml", RULE_TEXT("R-1"));
    put_folder(folder, "folder.yaml");
    assert_int_equal(mkfifo(path_of(folder, "pipe.yaml"), 0600), 0);
    assert_int_equal(symlink("good.yaml", path_of(folder, "link.yaml")), 0);
    assert_int_equal(symlink("/nowhere", path_of(folder, "lost.yaml")), 0);
    put(folder, "secret.yaml", RULE_TEXT("R-2"));
    bool everything = geteuid() == 0; /* the superuser reads it all the same */
    assert_int_equal(chmod(path_of(folder, "secret.yaml"), 0), 0);
    assert_string_equal(ids(folder), everything ? "R-1 R-2 " : "R-1 ");
    assert_non_null(strstr(folder->told, "folder.yaml: This is not a regular file."));
    assert_non_null(strstr(folder->told, "pipe.yaml: This is not a regular file."));
    assert_non_null(strstr(folder->told, "link.yaml: This is not a regular file."));
    assert_non_null(strstr(folder->told, "lost.yaml: This is not a regular file."));
    assert_int_equal(strstr(folder->told, "secret.yaml: Permission denied") == NULL, everything);
}

static void a_file_over_a_mebibyte_is_told_without_reading_it(void **state)
{
    struct folder *folder = *state;
    put(folder, "large.yaml", RULE_TEXT("R-1"));
    assert_int_equal(truncate(path_of(folder, "large.yaml"), (off_t)1024 * 1024 * 1024 * 1024), 0);
    assert_string_equal(ids(folder), "");
    assert_non_null(strstr(folder->told, "large.yaml: A file of rules must have at most 1048576 bytes."));
}

static void other_names_are_left_alone(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {".hidden.yaml", "notes.txt", "yaml", "x.yaml.tmp", "x.YAML", "x.yaml~", ".yaml"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        put(folder, names[i], "neither rule nor YAML: [");
    assert_string_equal(ids(folder), "");
    assert_string_equal(folder->told, "");
}

static void p31_files_are_taken_by_their_names(void **state)
{
    struct folder *folder = *state;
    put(folder, "c.yaml", RULE_TEXT("R-1"));
    put(folder, "a.yaml", RULE_TEXT("R-3"));
    put(folder, "B.yml", RULE_TEXT("R-2"));
    put_folder(folder, "promoted");
    put(folder, "promoted/A.yaml", RULE_TEXT("R-4"));
    assert_string_equal(ids(folder), "R-2 R-3 R-1 R-4 ");
}

static void an_operators_rule_comes_before_a_promoted_one_of_its_id(void **state)
{
    struct folder *folder = *state;
    put_folder(folder, "promoted");
    put(folder, "promoted/A.yaml", RULE_TEXT("R-1"));
    put(folder, "promoted/B.yaml", RULE_TEXT("R-2"));
    put(folder, "z.yaml", RULE_TEXT("R-1") "priority: 7\n");
    assert_string_equal(ids(folder), "R-1 R-2 ");
    assert_string_equal(folder->told, "promoted/A.yaml: An earlier file has a rule with the id R-1.\n");
}

static void a_missing_folder_is_an_error_a_missing_promoted_one_is_not(void **state)
{
    struct folder *folder = *state;
    const struct rule *rules = NULL;
    size_t count = 7;
    struct error error;
    error_clear(&error);
    assert_string_equal(ids(folder), "");
    assert_string_equal(folder->told, "");
    assert_false(rule_folder_load(folder->arena, path_of(folder, "none"), tell, folder, &rules, &count, &error));
    assert_int_equal(error.kind, ERROR_NOT_FOUND);
    assert_non_null(strstr(error.detail, "/none cannot be read: No such file or directory."));
    assert_int_equal(count, 0);
    put(folder, "promoted", "a file");
    put(folder, "a.yaml", RULE_TEXT("R-1"));
    assert_string_equal(ids(folder), "R-1 ");
    assert_non_null(strstr(folder->told, "promoted: "));
    assert_false(rule_folder_load(folder->arena, path_of(folder, "promoted"), tell, folder, &rules, &count, &error));
    assert_int_equal(error.kind, ERROR_UNAVAILABLE);
}

static void texts_are_added_like_files(void **state)
{
    struct folder *folder = *state;
    const struct rule *rules = NULL;
    size_t count = 0;
    struct error error;
    put(folder, "a.yaml", RULE_TEXT("R-1"));
    struct rule_folder *collected = rule_folder_new(folder->arena, tell, folder);
    assert_true(rule_folder_add_directory(collected, folder->path, &error));
    assert_true(rule_folder_add_text(collected, path_of(folder, "one"), SLICE(RULE_TEXT("R-2"))));
    assert_false(rule_folder_add_text(collected, path_of(folder, "two"), SLICE(RULE_TEXT("R-1"))));
    assert_false(rule_folder_add_text(collected, path_of(folder, "three"), SLICE("id: x")));
    rule_folder_finish(collected, &rules, &count);
    assert_int_equal(count, 2);
    assert_slice(rules[1].id, "R-2");
    assert_non_null(strstr(folder->told, "two: An earlier file has a rule with the id R-1."));
    assert_non_null(strstr(folder->told, "three: \"id\" must have"));
}

static void many_rules_match_after_their_files_are_gone(void **state)
{
    struct folder *folder = *state;
    enum { FILES = 300 };
    const struct rule *rules = NULL;
    size_t count = 0;
    struct error error;
    for (int i = 0; i < FILES; i++)
        put(folder, arena_printf(folder->arena, "%04d.yaml", i),
            arena_printf(folder->arena,
                         "id: R-%04d\nname: 'no %d'\nconditions:\n- {field: a.b, operator: in, value: [c%d, %d, true]}\n"
                         "- {field: t, operator: regex, value: '^x%d$'}\naction: escalate\nseverity_filter: [high]\n"
                         "hipaa_controls: ['1']\naction_params: {runbook_id: RB-%d, phases: [remediate, verify]}\n",
                         i, i, i, i, i, i));
    assert_true(rule_folder_load(folder->arena, folder->path, tell, folder, &rules, &count, &error));
    assert_int_equal(count, FILES);
    nftw(folder->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    const struct rule_set *set = set_of(folder->arena, rules, count);
    for (int i = 0; i < FILES; i += 7) {
        const char *text = arena_printf(folder->arena, "{\"a\":{\"b\":%d},\"t\":\"x%d\",\"severity\":\"high\"}", i, i);
        assert_string_equal(winner(folder->arena, set, text), arena_printf(folder->arena, "R-%04d", i));
        assert_slice(rules[i].action_params.phases.items[1], "verify");
        assert_slice(rules[i].name, arena_printf(folder->arena, "no %d", i));
    }
}

#define FOLDER_TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(p32_a_bad_file_costs_only_itself_and_is_told),
        FOLDER_TEST(p32_what_cannot_be_read_as_a_file_is_told),
        FOLDER_TEST(a_file_over_a_mebibyte_is_told_without_reading_it),
        FOLDER_TEST(other_names_are_left_alone),
        FOLDER_TEST(p31_files_are_taken_by_their_names),
        FOLDER_TEST(an_operators_rule_comes_before_a_promoted_one_of_its_id),
        FOLDER_TEST(a_missing_folder_is_an_error_a_missing_promoted_one_is_not),
        FOLDER_TEST(texts_are_added_like_files),
        FOLDER_TEST(many_rules_match_after_their_files_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
