#include "live_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "complaints.h"
#include "folder_watch.h"
#include "rules/rule_folder.h"
#include "tell.h"
#include "verified_rules.h"

enum { RETRY_MS = 1000 };
static const size_t RULES_LIMIT = (size_t)512 * 1024 * 1024; /* a backstop: the files are the operator's */

struct live_rules {
    struct folder_watch watch;
    struct store *store;
    struct rule_engine *engine;
    struct complaints complaints;
    bool overdue; /* the last load failed, or the folder could not be watched: to be tried again */
};

/* ---- loading ------------------------------------------------------------------------------------- */

static bool add_promoted(struct live_rules *rules, struct rule_folder *folder)
{
    struct error error = {0};
    if (rules->store != NULL && verified_rules_exist(rules->store))
        return verified_rules_add(rules->store, rules->watch.promoted, folder, complain, &rules->complaints);
    if (!rule_folder_add_directory(folder, rules->watch.promoted, &error) && error.kind != ERROR_NOT_FOUND)
        complain(&rules->complaints, rules->watch.promoted, error.detail);
    return true;
}

/* All rules as they are now, in the arena; NULL when they cannot be known. */
static const struct rule_set *load(struct live_rules *rules, struct arena *arena)
{
    struct error error = {0};
    const struct rule *loaded;
    size_t count;
    const struct rule_set *set = NULL;
    folder_watch_renew(&rules->watch);
    struct rule_folder *folder = rule_folder_new(arena, complain, &rules->complaints);
    bool read = rule_folder_add_directory(folder, rules->watch.folder, &error);
    if (!read)
        complain(&rules->complaints, rules->watch.folder, error.detail);
    read = read && add_promoted(rules, folder);
    rule_folder_finish(folder, &loaded, &count);
    if (read && !rule_set_new(arena, loaded, count, &set, &error))
        complain(&rules->complaints, rules->watch.folder, error.detail);
    if (set == NULL && rules->engine != NULL)
        complain(&rules->complaints, rules->watch.folder, "the rules that were loaded before stay in force");
    complaints_end_round(&rules->complaints);
    return set;
}

/* False when they are not known; then those of before stay, if there were any. */
static bool put_in_force(struct live_rules *rules)
{
    struct arena *arena = arena_new(RULES_LIMIT);
    const struct rule_set *set = load(rules, arena);
    if (set == NULL)
        arena_free(arena);
    else if (rules->engine == NULL)
        rules->engine = rule_engine_new(arena, set);
    else
        rule_engine_swap(rules->engine, arena, set);
    rules->overdue = set == NULL || rules->watch.folder_watch < 0;
    return set != NULL;
}

/* ---- the module ---------------------------------------------------------------------------------- */

struct live_rules *live_rules_open(const char *folder, struct store *store)
{
    struct live_rules *rules = calloc(1, sizeof *rules);
    if (rules == NULL)
        abort();
    rules->store = store;
    if (!folder_watch_open(&rules->watch, folder))
        tell("%s cannot be watched: the path is too long, or this user has too many inotify instances", folder);
    else if (put_in_force(rules))
        return rules;
    live_rules_close(rules);
    return NULL;
}

void live_rules_close(struct live_rules *rules)
{
    if (rules == NULL)
        return;
    rule_engine_free(rules->engine);
    complaints_free(&rules->complaints);
    folder_watch_close(&rules->watch);
    free(rules);
}

void live_rules_refresh(struct live_rules *rules)
{
    if (folder_watch_changed(&rules->watch) || rules->overdue)
        (void)put_in_force(rules);
}

struct rule_engine *live_rules_engine(const struct live_rules *rules)
{
    return rules->engine;
}

int live_rules_events(const struct live_rules *rules)
{
    return rules->watch.events;
}

int live_rules_patience_ms(const struct live_rules *rules)
{
    return rules->overdue ? RETRY_MS : -1;
}
