#include "rules/rule_set.h"

#include <stdlib.h>

#include "rules/condition.h"
#include "rules/number.h"
#include "rules/rule_index.h"

struct rule_set {
    const struct rule **rules; /* in the order in which they are tried */
    size_t count;
    struct rule_index *index;
};

/* ---- order --------------------------------------------------------------------------------------- */

static int compare_rules(const void *left, const void *right)
{
    const struct rule *a = *(const struct rule *const *)left, *b = *(const struct rule *const *)right;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return slice_compare(a->id, b->id);
}

static int compare_ids(const void *left, const void *right)
{
    const struct rule *a = *(const struct rule *const *)left, *b = *(const struct rule *const *)right;
    return slice_compare(a->id, b->id);
}

static void sort(const struct rule_set *set, int (*compare)(const void *, const void *))
{
    if (set->count > 0)
        qsort(set->rules, set->count, sizeof(struct rule *), compare);
}

static bool ids_differ(const struct rule_set *set, struct error *error)
{
    sort(set, compare_ids);
    for (size_t i = 1; i < set->count; i++) {
        struct slice id = set->rules[i]->id;
        if (slice_equal(set->rules[i - 1]->id, id))
            return error_set(error, ERROR_INVALID, "rule-refused", "The rule id %.*s stands twice.", (int)id.len, id.ptr);
    }
    return true;
}

/* ---- building ------------------------------------------------------------------------------------ */

/* What one rule asks, its severity filter included. Those that are demands come with the place of their condition. */
struct questions {
    const struct rule_condition **asked;
    struct rule_demand *demands;
    size_t *demanding;
    size_t count, demand_count;
};

struct builder {
    struct arena *arena;
    struct arena *work; /* until the set is built */
    struct rule_set *set;
    struct error *error;
};

/* Severities as the list of an `in`. */
static const struct rule_condition *severity_condition(struct arena *arena, struct rule_names severities)
{
    struct rule_condition *condition = arena_alloc(arena, sizeof *condition);
    struct rule_value *items = arena_array(arena, severities.count, sizeof *items);
    for (size_t i = 0; i < severities.count; i++)
        items[i] = (struct rule_value){.type = RULE_STRING, .text = severities.items[i]};
    *condition = (struct rule_condition){
        SLICE("severity"), RULE_IN, {.type = RULE_LIST, .items = items, .item_count = severities.count}};
    return condition;
}

static struct rule_demand demand_of(struct arena *arena, uint32_t field, const struct rule_condition *condition)
{
    struct operand *value = arena_alloc(arena, sizeof *value);
    *value = operand_of_value(arena, &condition->value);
    if (condition->op == RULE_IN)
        return (struct rule_demand){field, value->list.items, value->list.count};
    return (struct rule_demand){field, value, 1};
}

static void ask(struct builder *builder, struct questions *questions, const struct rule_condition *condition)
{
    uint32_t field = rule_index_field(builder->set->index, condition->field);
    if (condition->op == RULE_EQ || condition->op == RULE_IN) {
        questions->demanding[questions->demand_count] = questions->count;
        questions->demands[questions->demand_count++] = demand_of(builder->work, field, condition);
    }
    questions->asked[questions->count++] = condition;
}

static struct questions questions_of(struct builder *builder, const struct rule *rule)
{
    size_t most = rule->condition_count + 1;
    struct questions questions = {
        .asked = arena_array(builder->work, most, sizeof(struct rule_condition *)),
        .demands = arena_array(builder->work, most, sizeof *questions.demands),
        .demanding = arena_array(builder->work, most, sizeof *questions.demanding),
    };
    for (size_t i = 0; i < rule->condition_count; i++)
        ask(builder, &questions, &rule->conditions[i]);
    if (rule->severity_filter.count > 0)
        ask(builder, &questions, severity_condition(builder->arena, rule->severity_filter));
    return questions;
}

/* Compiles what is left to ask of a rule that was found under the condition at `proved` (none: `count`). */
static bool compile_rest(struct builder *builder, const struct questions *questions, size_t proved,
                         struct candidate *candidate)
{
    size_t count = questions->count - (proved < questions->count);
    struct condition *rest = arena_array(builder->arena, count, sizeof *rest);
    candidate->conditions = rest;
    for (size_t i = 0; i < questions->count; i++) {
        if (i == proved)
            continue;
        struct condition *condition = &rest[candidate->condition_count++];
        if (!condition_compile(builder->arena, questions->asked[i], condition, builder->error))
            return false;
        condition->field = rule_index_field(builder->set->index, questions->asked[i]->field);
    }
    return true;
}

static bool file_rule(struct builder *builder, uint32_t place, const struct questions *questions)
{
    struct rule_index *index = builder->set->index;
    struct candidate candidate = {.rule = builder->set->rules[place], .place = place};
    const struct rule_demand *demand = NULL;
    size_t proved = questions->count;
    if (questions->demand_count > 0) {
        size_t rarest = rule_index_rarest(index, questions->demands, questions->demand_count);
        demand = &questions->demands[rarest];
        proved = questions->demanding[rarest];
    }
    if (!compile_rest(builder, questions, proved, &candidate))
        return false;
    rule_index_file(index, demand, candidate);
    return true;
}

static bool file_rules(struct builder *builder)
{
    const struct rule_set *set = builder->set;
    struct questions *questions = arena_array(builder->work, set->count, sizeof *questions);
    for (size_t i = 0; i < set->count; i++) {
        if (!set->rules[i]->enabled)
            continue;
        questions[i] = questions_of(builder, set->rules[i]);
        for (size_t k = 0; k < questions[i].demand_count; k++)
            rule_index_announce(set->index, &questions[i].demands[k]);
    }
    for (size_t i = 0; i < set->count; i++)
        if (set->rules[i]->enabled && !file_rule(builder, (uint32_t)i, &questions[i]))
            return false;
    rule_index_finish(set->index);
    return true;
}

bool rule_set_new(struct arena *arena, const struct rule *rules, size_t count, const struct rule_set **out,
                  struct error *error)
{
    struct rule_set *set = arena_alloc(arena, sizeof *set);
    *set = (struct rule_set){arena_array(arena, count, sizeof(struct rule *)), count, rule_index_new(arena)};
    for (size_t i = 0; i < count; i++)
        set->rules[i] = &rules[i];
    if (!ids_differ(set, error))
        return false;
    sort(set, compare_rules);
    struct builder builder = {arena, arena_new(SIZE_MAX), set, error};
    bool built = file_rules(&builder);
    arena_free(builder.work);
    if (built)
        *out = set;
    return built;
}

size_t rule_set_count(const struct rule_set *set)
{
    return set->count;
}

const struct rule *rule_set_at(const struct rule_set *set, size_t place)
{
    return set->rules[place];
}

/* ---- matching ------------------------------------------------------------------------------------ */

struct rule_matcher {
    const struct rule_set *set;
    struct regex_scratch *scratch;
    struct findings found;
    size_t tried;
};

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

struct rule_matcher *rule_matcher_new(const struct rule_set *set)
{
    size_t fields = rule_index_fields(set->index);
    struct rule_matcher *matcher = room(1, sizeof *matcher);
    *matcher = (struct rule_matcher){
        .set = set,
        .scratch = regex_scratch_new(),
        .found = {.values = room(fields + 1, sizeof(struct json *)),
                  .met = room(fields + 1, sizeof *matcher->found.met),
                  .lists = room(fields + 1, sizeof *matcher->found.lists)},
    };
    return matcher;
}

void rule_matcher_free(struct rule_matcher *matcher)
{
    if (matcher == NULL)
        return;
    regex_scratch_free(matcher->scratch);
    free(matcher->found.values);
    free(matcher->found.met);
    free(matcher->found.lists);
    free(matcher);
}

size_t rule_matcher_tried(const struct rule_matcher *matcher)
{
    return matcher->tried;
}

/* Takes the rule that comes first from the heads of the lists; a list that is used up leaves. */
static const struct candidate *take_first(struct findings *found)
{
    struct candidates *first = &found->lists[0];
    for (size_t i = 1; i < found->list_count; i++)
        if (found->lists[i].first->place < first->first->place)
            first = &found->lists[i];
    const struct candidate *candidate = first->first++;
    if (--first->count == 0)
        *first = found->lists[--found->list_count];
    return candidate;
}

static bool all_hold(const struct candidate *candidate, const struct rule_matcher *matcher)
{
    for (size_t i = 0; i < candidate->condition_count; i++) {
        const struct condition *condition = &candidate->conditions[i];
        if (!condition_holds(condition, matcher->found.values[condition->field], matcher->scratch))
            return false;
    }
    return true;
}

/* The host that a cooldown is kept for; `number` is where it lies when it is one. */
static struct slice host_of(const struct json *incident, char number[NUMBER_TEXT_SIZE])
{
    static const char *const members[] = {"host_id", "hostname"};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const struct json *host = json_member(incident, members[i]);
        if (json_type_of(host) == JSON_NUMBER)
            return number_text(number, json_as_number(host));
        if (json_as_string(host).len > 0)
            return json_as_string(host);
    }
    return SLICE("unknown");
}

static const struct rule *first_match(struct rule_matcher *matcher, const struct json *incident, cooldown_claim *claim,
                                      void *context)
{
    while (matcher->found.list_count > 0) {
        const struct candidate *candidate = take_first(&matcher->found);
        matcher->tried++;
        if (!all_hold(candidate, matcher))
            continue;
        char number[NUMBER_TEXT_SIZE];
        if (claim == NULL || claim(context, candidate->rule, host_of(incident, number)))
            return candidate->rule;
    }
    return NULL;
}

const struct rule *rule_match(struct rule_matcher *matcher, const struct json *incident, cooldown_claim *claim,
                              void *context)
{
    rule_index_look_up(matcher->set->index, incident, &matcher->found);
    const struct rule *rule = first_match(matcher, incident, claim, context);
    rule_index_forget(&matcher->found);
    return rule;
}
