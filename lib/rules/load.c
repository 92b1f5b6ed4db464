#include "rules/load.h"

#include <stdlib.h>

#include "rules/load_members.h"
#include "rules/rule_id.h"

/* ---- one rule ------------------------------------------------------------------------------------ */

static bool load_action(struct loader *loader, const struct tree_node *root, struct rule *rule)
{
    if (!load_text(loader, root, "action", &rule->action))
        return false;
    if (!rule_action_known(rule->action))
        return REFUSE(loader, "\"action\" must be one of %s.", rule_actions_text());
    const struct tree_node *params = tree_member(root, "action_params");
    if (params == NULL)
        return true;
    if (params->type != TREE_MAPPING)
        return REFUSE(loader, "\"action_params\" must be a mapping.");
    return load_text(loader, params, "runbook_id", &rule->action_params.runbook_id) &&
           load_names(loader, params, "phases", &rule->action_params.phases);
}

static bool load_id(struct loader *loader, const struct tree_node *root, struct rule *rule)
{
    if (!load_text(loader, root, "id", &rule->id))
        return false;
    return rule_id_valid(rule->id) ||
           REFUSE(loader, "\"id\" must have 3 to 64 characters of A-Z, a-z, 0-9, _ and -.");
}

static bool load_rule(struct loader *loader, const struct tree_node *root, struct rule *rule)
{
    if (root->type != TREE_MAPPING)
        return REFUSE(loader, "A rule must be a mapping of members.");
    if (tree_member(root, "rules") != NULL)
        return REFUSE(loader, "A list of rules (\"rules\") is not one rule.");
    *rule = (struct rule){
        .enabled = true,
        .priority = RULE_PRIORITY,
        .cooldown_seconds = RULE_COOLDOWN_SECONDS,
        .max_retries = RULE_MAX_RETRIES,
    };
    return load_id(loader, root, rule) && load_text(loader, root, "name", &rule->name) &&
           load_text(loader, root, "description", &rule->description) && load_conditions(loader, root, rule) &&
           load_action(loader, root, rule) && load_names(loader, root, "hipaa_controls", &rule->hipaa_controls) &&
           load_names(loader, root, "severity_filter", &rule->severity_filter) &&
           load_flag(loader, root, "enabled", &rule->enabled) &&
           load_count(loader, root, "priority", -COUNTER_LIMIT, &rule->priority) &&
           load_count(loader, root, "cooldown_seconds", 0, &rule->cooldown_seconds) &&
           load_count(loader, root, "max_retries", 0, &rule->max_retries) &&
           load_text(loader, root, "source", &rule->source);
}

/* The tree of a text lies in an arena of its own, which ends with the loading. */
static struct arena *tree_arena(void)
{
    enum { TREE_BYTES = 512 * 1024 * 1024 /* more than the tree of a file of RULE_FILE_LIMIT can need */ };
    return arena_new(TREE_BYTES);
}

bool rule_load_yaml(struct arena *arena, struct slice yaml, struct rule *out, struct error *error)
{
    struct loader loader = {arena, error};
    if (!slice_present(yaml) || yaml.len > RULE_YAML_LIMIT)
        return REFUSE(&loader, "A rule must have at most %d bytes.", RULE_YAML_LIMIT);
    struct arena *work = tree_arena();
    const struct tree_node *root = NULL;
    bool loaded = load_tree(work, yaml, &root, error) && load_rule(&loader, root, out);
    arena_free(work);
    return loaded;
}

/* ---- a file -------------------------------------------------------------------------------------- */

static bool load_bounded(struct loader *loader, const struct tree_node *node, struct rule *rule)
{
    if (node->end - node->start > RULE_YAML_LIMIT)
        return REFUSE(loader, "A rule must have at most %d bytes; this one has %zu.", RULE_YAML_LIMIT,
                      node->end - node->start);
    return load_rule(loader, node, rule);
}

static int compare_ids(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    return slice_compare(*a, *b);
}

static bool ids_differ(struct loader *loader, struct arena *work, const struct rule *rules, size_t count)
{
    struct slice *ids = arena_array(work, count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = rules[i].id;
    qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count; i++)
        if (slice_equal(ids[i - 1], ids[i]))
            return REFUSE(loader, "The rule id %.*s stands twice.", SHOWN(ids[i]));
    return true;
}

/* Says which rule of the list the reason is about. */
static bool refuse_number(struct loader *loader, size_t number, const struct tree_node *node)
{
    char reason[ERROR_DETAIL_SIZE];
    memcpy(reason, loader->error->detail, sizeof reason);
    return REFUSE(loader, "Rule %zu of the list (line %u): %s", number, node->line, reason);
}

/* Rules of a list, until it is known that all of them load. */
struct loaded {
    struct rule rule;
    struct loaded *next;
};

static const struct rule *side_by_side(struct arena *arena, const struct loaded *first, size_t count)
{
    struct rule *rules = arena_array(arena, count, sizeof *rules);
    for (struct rule *rule = rules; first != NULL; first = first->next)
        *rule++ = first->rule;
    return rules;
}

static bool load_list(struct loader *loader, struct arena *work, const struct tree_node *list, const struct rule **rules,
                      size_t *count)
{
    struct loaded *first = NULL, **end = &first;
    size_t number = 0;
    for (const struct tree_node *node = list->first; node != NULL; node = node->next) {
        *end = arena_alloc(work, sizeof **end);
        number++;
        if (!load_bounded(loader, node, &(*end)->rule))
            return refuse_number(loader, number, node);
        end = &(*end)->next;
    }
    *rules = side_by_side(loader->arena, first, number);
    *count = number;
    return ids_differ(loader, work, *rules, number);
}

/* A list of rules stands alone: what else the text says would otherwise be passed over without a word. */
static bool is_list_alone(struct loader *loader, const struct tree_node *root, const struct tree_node *list)
{
    static const char *const members[] = {"id", "conditions", "action"};
    if (list->type != TREE_LIST || list->count == 0)
        return REFUSE(loader, "\"rules\" must be a list of one rule or more.");
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (tree_member(root, members[i]) != NULL)
            return REFUSE(loader, "A file holds one rule or a list of rules: \"%s\" must not stand beside \"rules\".",
                          members[i]);
    return true;
}

static bool load_root(struct loader *loader, struct arena *work, const struct tree_node *root, const struct rule **rules,
                      size_t *count)
{
    const struct tree_node *list = root->type == TREE_MAPPING ? tree_member(root, "rules") : NULL;
    if (list != NULL)
        return is_list_alone(loader, root, list) && load_list(loader, work, list, rules, count);
    struct rule *rule = arena_alloc(loader->arena, sizeof *rule);
    *rules = rule;
    *count = 1;
    return load_bounded(loader, root, rule);
}

bool rule_load_file(struct arena *arena, struct slice yaml, const struct rule **rules, size_t *count,
                    struct error *error)
{
    struct loader loader = {arena, error};
    const struct tree_node *root = NULL;
    struct arena *work = tree_arena();
    bool loaded = (slice_present(yaml) && yaml.len <= RULE_FILE_LIMIT) ||
                  REFUSE(&loader, "A file of rules must have at most %d bytes.", RULE_FILE_LIMIT);
    loaded = loaded && load_tree(work, yaml, &root, error) && load_root(&loader, work, root, rules, count);
    arena_free(work);
    if (!loaded) {
        *rules = NULL;
        *count = 0;
    }
    return loaded;
}
