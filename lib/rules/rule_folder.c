#include "rules/rule_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/load.h"
#include "rules/rule_copy.h"

struct rule_folder {
    struct arena *arena;
    struct arena *work; /* of one file */
    rule_report *report;
    void *context;
    void *ids; /* of all rules: a tree of tsearch(3) */
    struct rule *rules;
    size_t count, capacity;
};

enum { WORK_BYTES = 512 * 1024 * 1024 /* more than the rules of a file of RULE_FILE_LIMIT can need */ };

static void *need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

struct rule_folder *rule_folder_new(struct arena *arena, rule_report *report, void *context)
{
    struct rule_folder *folder = need(calloc(1, sizeof *folder));
    *folder = (struct rule_folder){
        .arena = arena, .work = arena_new(WORK_BYTES), .report = report, .context = context};
    return folder;
}

/* ---- rules --------------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void keep_rule(struct rule_folder *folder, const struct rule *rule)
{
    if (folder->count == folder->capacity) {
        folder->capacity = folder->capacity > 0 ? 2 * folder->capacity : 64;
        folder->rules = need(reallocarray(folder->rules, folder->capacity, sizeof *folder->rules));
    }
    struct rule *kept = &folder->rules[folder->count++];
    *kept = rule_copy(folder->arena, rule);
    need(tsearch(kept->id.ptr, &folder->ids, compare_ids));
}

/* The first of the rules whose id an earlier file has; NULL when all are new. */
static const struct rule *find_known(const struct rule_folder *folder, const struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tfind(rules[i].id.ptr, &folder->ids, compare_ids) != NULL)
            return &rules[i];
    return NULL;
}

static bool pass_over(struct rule_folder *folder, const char *name, const char *reason)
{
    folder->report(folder->context, name, reason);
    return false;
}

static bool take_rules(struct rule_folder *folder, const char *name, struct slice yaml)
{
    const struct rule *rules = NULL;
    size_t count = 0;
    struct error error;
    error_clear(&error);
    if (!rule_load_file(folder->work, yaml, &rules, &count, &error))
        return pass_over(folder, name, error.detail);
    const struct rule *known = find_known(folder, rules, count);
    if (known != NULL)
        return pass_over(folder, name,
                         arena_printf(folder->work, "An earlier file has a rule with the id %s.", known->id.ptr));
    for (size_t i = 0; i < count; i++)
        keep_rule(folder, &rules[i]);
    return true;
}

bool rule_folder_add_text(struct rule_folder *folder, const char *name, struct slice yaml)
{
    bool taken = take_rules(folder, name, yaml);
    arena_reset(folder->work);
    return taken;
}

static void leave_id(void *id)
{
    (void)id; /* lies in the arena */
}

void rule_folder_finish(struct rule_folder *folder, const struct rule **rules, size_t *count)
{
    struct rule *kept = arena_array(folder->arena, folder->count, sizeof *kept);
    if (folder->count > 0)
        memcpy(kept, folder->rules, folder->count * sizeof *kept);
    *rules = kept;
    *count = folder->count;
    tdestroy(folder->ids, leave_id);
    arena_free(folder->work);
    free(folder->rules);
    free(folder);
}

/* ---- files --------------------------------------------------------------------------------------- */

/* Reads at most RULE_FILE_LIMIT bytes; the reason why it cannot, else NULL. */
static const char *read_open_file(int file, struct arena *arena, struct slice *text)
{
    struct stat status;
    if (fstat(file, &status) != 0)
        return strerrordesc_np(errno);
    if (!S_ISREG(status.st_mode))
        return "This is not a regular file.";
    if (status.st_size > RULE_FILE_LIMIT)
        return "A file of rules must have at most 1048576 bytes.";
    size_t size = (size_t)status.st_size, length = 0;
    char *bytes = arena_alloc(arena, size + 1);
    while (length < size) {
        ssize_t more = read(file, bytes + length, size - length);
        if (more < 0 && errno != EINTR)
            return strerrordesc_np(errno);
        if (more == 0)
            break;
        length += more > 0 ? (size_t)more : 0;
    }
    *text = (struct slice){bytes, length};
    return NULL;
}

static void add_file(struct rule_folder *folder, int directory, const char *name, const char *path)
{
    struct arena *text_arena = arena_new((size_t)2 * RULE_FILE_LIMIT);
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct slice text = SLICE_ABSENT;
    const char *reason = file >= 0 ? read_open_file(file, text_arena, &text) : NULL;
    if (file < 0)
        reason = errno == ELOOP ? "This is not a regular file." : strerrordesc_np(errno);
    if (reason == NULL)
        rule_folder_add_text(folder, path, text);
    else
        (void)pass_over(folder, path, reason);
    if (file >= 0)
        close(file);
    arena_free(text_arena);
}

bool rule_folder_names(const char *name)
{
    const char *ending = strrchr(name, '.');
    return name[0] != '.' && ending != NULL && (strcmp(ending, ".yaml") == 0 || strcmp(ending, ".yml") == 0);
}

static int is_rule_file(const struct dirent *entry)
{
    return rule_folder_names(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool unreadable(const char *path, struct error *error)
{
    bool missing = errno == ENOENT;
    return error_set(error, missing ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE, "rules-unreadable",
                     "The directory %s cannot be read: %s.", path, strerrordesc_np(errno));
}

bool rule_folder_add_directory(struct rule_folder *folder, const char *path, struct error *error)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return unreadable(path, error);
    struct dirent **entries = NULL;
    int count = scandirat(directory, ".", &entries, is_rule_file, by_name);
    bool listed = count >= 0 || unreadable(path, error);
    for (int i = 0; i < count; i++) {
        char *full = NULL;
        if (asprintf(&full, "%s/%s", path, entries[i]->d_name) < 0)
            abort();
        add_file(folder, directory, entries[i]->d_name, full);
        free(full);
        free(entries[i]);
    }
    free(entries);
    close(directory);
    return listed;
}

static void add_promoted(struct rule_folder *folder, const char *directory)
{
    char *path = NULL;
    struct error error;
    error_clear(&error);
    if (asprintf(&path, "%s/promoted", directory) < 0)
        abort();
    if (!rule_folder_add_directory(folder, path, &error) && error.kind != ERROR_NOT_FOUND)
        (void)pass_over(folder, path, error.detail);
    free(path);
}

bool rule_folder_load(struct arena *arena, const char *directory, rule_report *report, void *context,
                      const struct rule **rules, size_t *count, struct error *error)
{
    struct rule_folder *folder = rule_folder_new(arena, report, context);
    bool readable = rule_folder_add_directory(folder, directory, error);
    if (readable)
        add_promoted(folder, directory);
    rule_folder_finish(folder, rules, count);
    return readable;
}
