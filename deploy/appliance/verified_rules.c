#include "verified_rules.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "promoted.h"
#include "rules/render.h"

enum { SCRATCH_LIMIT = 1024 * 1024 };

/* A look at all promoted rules. */
struct look {
    struct store *store;
    const char *promoted;
    struct rule_folder *folder;
    rule_report *report;
    void *context;
    struct arena *scratch; /* of one rule */
    bool missing; /* some rule has no file */
};

static void add_rule(struct look *look, struct slice rule_id, struct slice digest, struct slice yaml)
{
    char path[PATH_LIMIT];
    if (!promoted_path(path, look->promoted, rule_id))
        return;
    if (!slice_equal(bytes_digest(look->scratch, yaml), digest)) {
        look->report(look->context, path, "its verified copy in the state file is damaged; the rule is not in force");
        return;
    }
    enum promoted_state state = promoted_look(look->promoted, rule_id, digest);
    if (state == PROMOTED_EDITED)
        look->report(look->context, path, "this is not what the server signed; the verified copy is in force instead");
    look->missing = look->missing || state == PROMOTED_MISSING;
    rule_folder_add_text(look->folder, path, yaml);
}

static bool add_rules(struct look *look)
{
    struct query *rule = query_begin(look->store, "SELECT rule_id, digest, yaml FROM installed ORDER BY rule_id");
    while (query_next(rule)) {
        add_rule(look, query_get_text(rule, 0), query_get_text(rule, 1), query_get_text(rule, 2));
        arena_reset(look->scratch);
    }
    return query_end(rule);
}

/* Whether a file of this name is of a rule that the server has sent. */
static bool is_own(struct store *store, const char *name, bool *failed)
{
    struct query *query = query_begin(store, "SELECT 1 FROM installed WHERE rule_id = ?1");
    query_text(query, promoted_rule_id(name));
    bool found = query_next(query);
    *failed = !query_end(query);
    return found;
}

static bool tell_foreign(struct look *look)
{
    DIR *directory = opendir(look->promoted);
    bool failed = false;
    for (const struct dirent *entry; directory != NULL && !failed && (entry = readdir(directory)) != NULL;) {
        char path[PATH_LIMIT + sizeof entry->d_name + 1];
        snprintf(path, sizeof path, "%s/%s", look->promoted, entry->d_name);
        if (rule_folder_names(entry->d_name) && !is_own(look->store, entry->d_name, &failed) && !failed)
            look->report(look->context, path, "the server has not sent this; it is passed over");
    }
    if (directory != NULL)
        closedir(directory);
    return !failed;
}

bool verified_rules_exist(struct store *store)
{
    int64_t revision;
    return !meta_get_integer(store, META_REVISION, -1, &revision) || revision >= 0;
}

bool verified_rules_add(struct store *store, const char *promoted, struct rule_folder *folder, rule_report *report,
                        void *context)
{
    struct look look = {store, promoted, folder, report, context, arena_new(SCRATCH_LIMIT), false};
    bool read = add_rules(&look) && tell_foreign(&look);
    if (look.missing) /* in one line: installing writes the store first, then the files one by one */
        report(context, promoted, "installed rules have no file here; their verified copies are in force");
    if (!read)
        report(context, "the state file", store_why(store));
    arena_free(look.scratch);
    return read;
}
