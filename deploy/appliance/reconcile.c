#include "reconcile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "owner.h"
#include "promoted.h"
#include "rules/rule_folder.h"
#include "tell.h"

#define UNFINISHED ".installing" /* what is being written; no engine reads it */

enum { NAME_SIZE = 256, FINDINGS_CEILING = 64 * 1024 };

/* One run. */
struct work {
    struct cycle *cycle;
    int folder;                   /* rules_dir/promoted/ */
    bool changed;                 /* the folder must be synced */
    const char *why;              /* the latest reason */
    const struct rule *operators; /* the rules of the operator's files, by id */
    size_t operator_count;
    struct placed *placed;
};

/* A rule whose file was not marked as written and now is, or the other way round. */
struct placed {
    struct slice rule_id;
    bool written;
    struct placed *next;
};

/* ---- telling ------------------------------------------------------------------------------------------------------ */

/* Something is not as it should be. Whether the cycle fails shows when it ends: the server may have sent what mends it. */
static bool complain(struct work *work, const char *why)
{
    tell("%s", why);
    work->why = why;
    if (work->cycle->disorder == NULL)
        work->cycle->disorder = why;
    return false;
}

static bool fail(struct work *work, const char *what, const char *path, const char *reason)
{
    return complain(work, arena_printf(work->cycle->arena, "%s %s: %s", what, path, reason));
}

/* The same for a file in promoted/ and the system's reason. */
static bool fail_file(struct work *work, const char *what, const char *name)
{
    const char *reason = strerrordesc_np(errno);
    return fail(work, what, arena_printf(work->cycle->arena, "%s/%s", work->cycle->settings->promoted_dir, name), reason);
}

/* Adds {file, error} to the list that the server is to be told. */
static void keep_finding(struct cycle *cycle, const char *name, const char *why)
{
    char unreadable[160];
    struct slice before;
    bool read = meta_get_text(cycle->store, cycle->scratch, META_FINDINGS, &before);
    const struct json *list =
        slice_present(before) ? json_parse(cycle->scratch, before, unreadable, sizeof unreadable) : NULL;
    if (json_count(list) >= FINDINGS_LIMIT)
        return;
    struct buffer text = buffer_make(FINDINGS_CEILING);
    struct json_writer json = json_writer_make(&text);
    json_open_array(&json, NULL);
    for (const struct json *item = json_first(list); item != NULL; item = json_next(item))
        json_copy(&json, NULL, item);
    json_open_object(&json, NULL);
    json_text(&json, "file", name);
    json_text(&json, "error", why);
    json_writer_end(&json);
    if (!read || !meta_set_text(cycle->store, META_FINDINGS, json_mend(cycle->scratch, buffer_slice(&text))))
        (void)cycle_fail_store(cycle);
    buffer_free(&text);
}

static void find(struct work *work, const char *name, const char *why)
{
    tell("%s/%s: %s", work->cycle->settings->promoted_dir, name, why);
    keep_finding(work->cycle, name, why);
}

static void add_unmet(struct work *work, struct slice rule_id, const char *why)
{
    if (!cycle_is_unmet(work->cycle, rule_id))
        cycle_add_trouble(work->cycle, &work->cycle->unmet, rule_id, why);
}

/* ---- the operator's files ----------------------------------------------------------------------------------------- */

static void note_broken(void *context, const char *path, const char *reason)
{
    struct cycle *cycle = context;
    tell("%s: %s", path, reason);
    cycle_add_trouble(cycle, &cycle->broken, slice_of(path), reason);
}

static int compare_rules(const void *a, const void *b)
{
    return slice_compare(((const struct rule *)a)->id, ((const struct rule *)b)->id);
}

static bool read_operators(struct work *work)
{
    struct cycle *cycle = work->cycle;
    struct error error;
    struct rule_folder *folder = rule_folder_new(cycle->arena, note_broken, cycle);
    bool read = rule_folder_add_directory(folder, cycle->settings->rules_dir, &error);
    const struct rule *rules;
    rule_folder_finish(folder, &rules, &work->operator_count);
    struct rule *sorted = arena_array(cycle->arena, work->operator_count + 1, sizeof *sorted);
    for (size_t i = 0; i < work->operator_count; i++)
        sorted[i] = rules[i];
    qsort(sorted, work->operator_count, sizeof *sorted, compare_rules);
    work->operators = sorted;
    return read || fail(work, "cannot read the rules in", cycle->settings->rules_dir, error.detail);
}

static bool is_operators(const struct work *work, struct slice rule_id)
{
    struct rule key = {.id = rule_id};
    return bsearch(&key, work->operators, work->operator_count, sizeof key, compare_rules) != NULL;
}

/* ---- one file ----------------------------------------------------------------------------------------------------- */

static bool write_all(int file, struct slice text)
{
    for (size_t done = 0; done < text.len;) {
        ssize_t written = write(file, text.ptr + done, text.len - done);
        if (written < 0 && errno != EINTR)
            return false;
        done += written > 0 ? (size_t)written : 0;
    }
    return fsync(file) == 0;
}

/* The text under the name, whole or not at all. */
static bool write_file(struct work *work, const char *name, struct slice text)
{
    int file = openat(work->folder, UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                      S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    if (file < 0)
        return fail_file(work, "cannot write", name);
    bool written = write_all(file, text);
    int why = errno;
    close(file);
    errno = why;
    if (!written || renameat(work->folder, UNFINISHED, work->folder, name) != 0) {
        (void)fail_file(work, "cannot write", name);
        unlinkat(work->folder, UNFINISHED, 0); /* gives the space of a part back */
        return false;
    }
    work->changed = true;
    return true;
}

/* A rule whose file stays is not gone. */
static void remove_file(struct work *work, const char *name, struct slice rule_id)
{
    work->changed = true;
    if (unlinkat(work->folder, name, 0) == 0 || errno == ENOENT)
        return;
    (void)fail_file(work, "cannot remove", name);
    add_unmet(work, rule_id, work->why);
}

/* Where no engine reads it, so that whoever put it there can have it back. */
static void set_aside(struct work *work, const char *name)
{
    char other[NAME_SIZE];
    int length = snprintf(other, sizeof other, "%s.set-aside", name);
    errno = ENAMETOOLONG;
    if (length >= NAME_SIZE || renameat(work->folder, name, work->folder, other) != 0) {
        (void)fail_file(work, "cannot set aside", name);
        return;
    }
    work->changed = true;
    find(work, name, "the server has not sent this file; it was set aside");
}

/* ---- the rules of the store --------------------------------------------------------------------------------------- */

/* Marked in the store when the folder was synced. */
static void note_placed(struct work *work, struct slice rule_id, bool written)
{
    struct placed *placed = arena_alloc(work->cycle->arena, sizeof *placed);
    *placed = (struct placed){arena_copy(work->cycle->arena, rule_id), written, work->placed};
    work->placed = placed;
}

static void put_rule(struct work *work, const char *name, struct query *row, enum promoted_state state)
{
    struct slice rule_id = query_get_text(row, 0);
    if (!write_file(work, name, query_get_text(row, 2)))
        add_unmet(work, rule_id, work->why);
    else if (query_get_integer(row, 3) != 0)
        find(work, name,
             state == PROMOTED_EDITED ? "this file was changed; the server's text was put back"
                                      : "this file was missing; it was put back");
}

/* Takes the file of a rule away whose id an operator has given to another. */
static void withhold(struct work *work, const char *name, struct slice rule_id, enum promoted_state state)
{
    (void)complain(work, arena_printf(work->cycle->arena, "a file of the operator has a rule with the id %.*s, which comes first",
                                      (int)rule_id.len, rule_id.ptr));
    if (state != PROMOTED_MISSING)
        remove_file(work, name, rule_id);
    add_unmet(work, rule_id, work->why);
}

static void check_rule(struct work *work, struct query *row)
{
    char name[NAME_SIZE];
    struct slice rule_id = query_get_text(row, 0);
    snprintf(name, sizeof name, "%.*s" PROMOTED_ENDING, (int)rule_id.len, rule_id.ptr);
    enum promoted_state state = promoted_look(work->cycle->settings->promoted_dir, rule_id, query_get_text(row, 1));
    const struct trouble *before = work->cycle->unmet;
    if (is_operators(work, rule_id))
        withhold(work, name, rule_id, state);
    else if (state != PROMOTED_SAME)
        put_rule(work, name, row, state);
    bool written = work->cycle->unmet == before, was_written = query_get_integer(row, 3) != 0;
    if (written != was_written)
        note_placed(work, rule_id, written);
}

static void check_rules(struct work *work)
{
    struct query *row = query_begin(work->cycle->store, "SELECT rule_id, digest, yaml, written FROM installed "
                                                         "ORDER BY rule_id");
    while (query_next(row))
        check_rule(work, row);
    if (!query_end(row))
        (void)cycle_fail_store(work->cycle);
}

/* What the engine has refused is not in force either, but for its version before. */
static void check_refused(struct work *work)
{
    struct query *row = query_begin(work->cycle->store, "SELECT rule_id, error FROM refused ORDER BY rule_id");
    while (query_next(row)) {
        struct slice rule_id = query_get_text(row, 0), why = query_get_text(row, 1);
        (void)complain(work, arena_printf(work->cycle->arena, "rule %.*s is refused: %.*s", (int)rule_id.len, rule_id.ptr,
                                          (int)why.len, why.ptr));
        add_unmet(work, rule_id, arena_text(work->cycle->arena, why));
    }
    if (!query_end(row))
        (void)cycle_fail_store(work->cycle);
}

/* A rule that was taken away still acts where a file of the operator has its id: an agent from before may have written it. */
static void check_removed(struct work *work)
{
    struct query *row = query_begin(work->cycle->store, "SELECT rule_id FROM removed ORDER BY rule_id");
    while (query_next(row)) {
        struct slice rule_id = query_get_text(row, 0);
        if (!is_operators(work, rule_id))
            continue;
        (void)complain(work, arena_printf(work->cycle->arena, "rule %.*s was withdrawn; a file of the operator has its id and "
                                          "stays in force", (int)rule_id.len, rule_id.ptr));
        add_unmet(work, rule_id, work->why);
    }
    if (!query_end(row))
        (void)cycle_fail_store(work->cycle);
}

/* ---- the files that are there ------------------------------------------------------------------------------------- */

static bool is_in(struct work *work, struct query *query, struct slice rule_id)
{
    query_text(query, rule_id);
    bool found = query_next(query);
    if (!query_end(query))
        (void)cycle_fail_store(work->cycle);
    return found;
}

static void check_file(struct work *work, const char *name)
{
    struct store *store = work->cycle->store;
    struct slice rule_id = promoted_rule_id(name);
    if (!rule_folder_names(name))
        return;
    if (is_in(work, query_begin(store, "SELECT 1 FROM installed WHERE rule_id = ?1"), rule_id))
        return;
    if (is_in(work, query_begin(store, "SELECT 1 FROM removed WHERE rule_id = ?1"), rule_id))
        remove_file(work, name, rule_id);
    else
        set_aside(work, name);
}

/* Takes the names first: the folder changes while they are looked at. */
static void check_files(struct work *work)
{
    struct dirent **names;
    int count = scandirat(work->folder, ".", &names, NULL, alphasort);
    if (count < 0) {
        (void)fail_file(work, "cannot read", "");
        return;
    }
    for (int i = 0; i < count; i++) {
        check_file(work, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static bool open_folder(struct work *work)
{
    const char *path = work->cycle->settings->promoted_dir;
    if (mkdir(path, S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH) == 0)
        owner_give_folder(path);
    else if (errno != EEXIST)
        return fail(work, "cannot make the folder", path, strerrordesc_np(errno));
    work->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return work->folder >= 0 || fail(work, "cannot open the folder", path, strerrordesc_np(errno));
}

/* Nothing that was installed or removed can be counted on, for the latest reason. */
static void add_all_unmet(struct work *work)
{
    struct query *row = query_begin(work->cycle->store, "SELECT rule_id FROM installed UNION SELECT rule_id FROM removed");
    while (query_next(row))
        add_unmet(work, query_get_text(row, 0), work->why);
    if (!query_end(row))
        (void)cycle_fail_store(work->cycle);
}

static void mark_placed(struct work *work)
{
    struct store *store = work->cycle->store;
    bool done = work->placed == NULL || store_begin(store);
    for (const struct placed *placed = work->placed; done && placed != NULL; placed = placed->next) {
        struct query *query = query_begin(store, "UPDATE installed SET written = ?2 WHERE rule_id = ?1");
        query_text(query, placed->rule_id);
        query_integer(query, placed->written);
        done = query_run(query);
    }
    if (done && (work->placed == NULL || store_commit(store)))
        return;
    (void)cycle_fail_store(work->cycle);
    store_rollback(store);
}

void reconcile(struct cycle *cycle)
{
    struct work work = {.cycle = cycle, .folder = -1};
    cycle->unmet = cycle->broken = NULL;
    cycle->disorder = NULL;
    arena_reset(cycle->scratch);
    if (!read_operators(&work) || !open_folder(&work)) {
        add_all_unmet(&work);
        return;
    }
    unlinkat(work.folder, UNFINISHED, 0); /* there only after a crash */
    check_rules(&work);
    check_refused(&work);
    check_removed(&work);
    check_files(&work);
    if (work.changed && fsync(work.folder) != 0)
        (void)fail_file(&work, "cannot sync", "");
    close(work.folder);
    mark_placed(&work);
}
