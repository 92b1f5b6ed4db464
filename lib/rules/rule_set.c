#include "rules/rule_set.h"

#include <stdlib.h>

#include "rules/condition.h"
#include "rules/rule_index.h"

/* A rule with its conditions compiled, in the order of the rule. */
struct armed_rule {
    const struct rule *rule;
    const struct condition *conditions;
};

struct rule_set {
    struct armed_rule *rules;
    size_t count;
    struct rule_index *index;
};

struct rule_matcher {
    const struct rule_set *set;
    struct regex_scratch *scratch;
    size_t tried;
    const struct filed_rule **lists;
};

/* ---- building ------------------------------------------------------------------------------------ */

static int compare_rules(const void *left, const void *right)
{
    const struct rule *a = ((const struct armed_rule *)left)->rule, *b = ((const struct armed_rule *)right)->rule;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return slice_compare(a->id, b->id);
}

static int compare_ids(const void *left, const void *right)
{
    const struct slice *a = left, *b = right;
    return slice_compare(*a, *b);
}

static bool ids_differ(const struct rule *rules, size_t count, struct error *error)
{
    struct slice *ids = calloc(count + 1, sizeof *ids);
    if (ids == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        ids[i] = rules[i].id;
    qsort(ids, count, sizeof *ids, compare_ids);
    size_t i = 1;
    while (i < count && !slice_equal(ids[i - 1], ids[i]))
        i++;
    bool differ = i >= count;
    if (!differ)
        error_fill(error, ERROR_INVALID, "rule-refused", "The rule id %.*s stands twice.", (int)ids[i].len, ids[i].ptr);
    free(ids);
    return differ;
}

static bool arm(struct arena *arena, struct armed_rule *armed, struct error *error)
{
    const struct rule *rule = armed->rule;
    struct condition *conditions = arena_array(arena, rule->condition_count, sizeof *conditions);
    for (size_t i = 0; i < rule->condition_count; i++)
        if (!condition_compile(arena, &rule->conditions[i], &conditions[i], error))
            return false;
    armed->conditions = conditions;
    return true;
}

/* A condition that names the values its field must have. */
static bool demand_of(const struct rule_condition *condition, struct rule_demand *demand)
{
    if (condition->op == RULE_EQ)
        *demand = (struct rule_demand){condition->field, &condition->value, 1};
    else if (condition->op == RULE_IN)
        *demand = (struct rule_demand){condition->field, condition->value.items, condition->value.item_count};
    else
        return false;
    return true;
}

static void announce(struct rule_index *index, const struct rule *rule)
{
    struct rule_demand demand;
    for (size_t i = 0; i < rule->condition_count; i++)
        if (demand_of(&rule->conditions[i], &demand))
            rule_index_announce(index, &demand);
}

static void file(struct arena *arena, struct rule_index *index, uint32_t place, const struct rule *rule)
{
    struct rule_demand *demands = arena_array(arena, rule->condition_count, sizeof *demands);
    size_t count = 0;
    for (size_t i = 0; i < rule->condition_count; i++)
        count += demand_of(&rule->conditions[i], &demands[count]);
    rule_index_file(index, place, demands, count);
}

bool rule_set_new(struct arena *arena, const struct rule *rules, size_t count, const struct rule_set **out,
                  struct error *error)
{
    if (!ids_differ(rules, count, error))
        return false;
    struct rule_set *set = arena_alloc(arena, sizeof *set);
    *set = (struct rule_set){arena_array(arena, count, sizeof *set->rules), count, rule_index_new(arena)};
    for (size_t i = 0; i < count; i++) {
        set->rules[i].rule = &rules[i];
        if (!arm(arena, &set->rules[i], error))
            return false;
    }
    qsort(set->rules, count, sizeof *set->rules, compare_rules);
    for (size_t i = 0; i < count; i++)
        if (set->rules[i].rule->enabled)
            announce(set->index, set->rules[i].rule);
    for (size_t i = 0; i < count; i++)
        if (set->rules[i].rule->enabled)
            file(arena, set->index, (uint32_t)i, set->rules[i].rule);
    *out = set;
    return true;
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->count;
}

const struct rule *rule_set_at(const struct rule_set *set, size_t place)
{
    return set->rules[place].rule;
}

/* ---- matching ------------------------------------------------------------------------------------ */

struct rule_matcher *rule_matcher_new(const struct rule_set *set)
{
    struct rule_matcher *matcher = calloc(1, sizeof *matcher);
    if (matcher == NULL)
        abort();
    matcher->set = set;
    matcher->scratch = regex_scratch_new();
    matcher->lists = calloc(rule_index_lists(set->index), sizeof *matcher->lists);
    if (matcher->lists == NULL)
        abort();
    return matcher;
}

void rule_matcher_free(struct rule_matcher *matcher)
{
    if (matcher == NULL)
        return;
    regex_scratch_free(matcher->scratch);
    free(matcher->lists);
    free(matcher);
}

size_t rule_matcher_tried(const struct rule_matcher *matcher)
{
    return matcher->tried;
}

/* Takes the rule that comes first from the heads of the lists; a list that is used up leaves. */
static uint32_t take_first(const struct filed_rule **lists, size_t *count)
{
    size_t first = 0;
    for (size_t i = 1; i < *count; i++)
        if (lists[i]->place < lists[first]->place)
            first = i;
    uint32_t place = lists[first]->place;
    lists[first] = lists[first]->next;
    if (lists[first] == NULL)
        lists[first] = lists[--*count];
    return place;
}

static bool severity_fits(const struct rule *rule, const struct json *incident)
{
    const struct rule_names *filter = &rule->severity_filter;
    if (filter->count == 0)
        return true;
    struct slice severity = json_as_string(json_member(incident, "severity"));
    for (size_t i = 0; slice_present(severity) && i < filter->count; i++)
        if (slice_equal(filter->items[i], severity))
            return true;
    return false;
}

static bool all_hold(const struct armed_rule *armed, const struct json *incident, struct regex_scratch *scratch)
{
    for (size_t i = 0; i < armed->rule->condition_count; i++)
        if (!condition_holds(&armed->conditions[i], incident, scratch))
            return false;
    return true;
}

/* The host that a cooldown is kept for. */
static struct slice host_of(const struct json *incident)
{
    static const char *const members[] = {"host_id", "hostname"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct slice host = json_as_string(json_member(incident, members[i]));
        if (slice_present(host) && host.len > 0)
            return host;
    }
    return SLICE("unknown");
}

const struct rule *rule_match(struct rule_matcher *matcher, const struct json *incident, cooldown_claim *claim,
                              void *context)
{
    const struct rule_set *set = matcher->set;
    size_t lists = rule_index_look_up(set->index, incident, matcher->lists);
    while (lists > 0) {
        const struct armed_rule *armed = &set->rules[take_first(matcher->lists, &lists)];
        matcher->tried++;
        if (severity_fits(armed->rule, incident) && all_hold(armed, incident, matcher->scratch) &&
            (claim == NULL || claim(context, armed->rule, host_of(incident))))
            return armed->rule;
    }
    return NULL;
}
