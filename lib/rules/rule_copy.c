#include "rules/rule_copy.h"

/* What a rule refers to, by kind: first counted, then, once there is a place for it, filled. */
struct parts {
    struct rule_condition *conditions;
    struct rule_value *values;
    struct slice *names;
    char *text;
};

struct counts {
    size_t values, names, text;
};

/* ---- counting ------------------------------------------------------------------------------------ */

static void count_text(struct counts *counts, struct slice text)
{
    counts->text += slice_present(text) ? text.len + 1 : 0;
}

static void count_names(struct counts *counts, struct rule_names names)
{
    counts->names += names.count;
    for (size_t i = 0; i < names.count; i++)
        count_text(counts, names.items[i]);
}

static void count_condition(struct counts *counts, const struct rule_condition *condition)
{
    count_text(counts, condition->field);
    count_text(counts, condition->value.text);
    counts->values += condition->value.item_count;
    for (size_t i = 0; i < condition->value.item_count; i++)
        count_text(counts, condition->value.items[i].text);
}

static struct counts count(const struct rule *rule)
{
    struct counts counts = {0};
    const struct slice texts[] = {rule->id, rule->name, rule->description, rule->action, rule->action_params.runbook_id,
                                  rule->source};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        count_text(&counts, texts[i]);
    count_names(&counts, rule->action_params.phases);
    count_names(&counts, rule->hipaa_controls);
    count_names(&counts, rule->severity_filter);
    for (size_t i = 0; i < rule->condition_count; i++)
        count_condition(&counts, &rule->conditions[i]);
    return counts;
}

/* ---- filling ------------------------------------------------------------------------------------- */

static struct slice put_text(struct parts *parts, struct slice text)
{
    if (!slice_present(text))
        return text;
    struct slice copy = {parts->text, text.len};
    memcpy(parts->text, text.ptr, text.len);
    parts->text[text.len] = '\0';
    parts->text += text.len + 1;
    return copy;
}

static struct rule_names put_names(struct parts *parts, struct rule_names names)
{
    struct slice *items = parts->names;
    parts->names += names.count;
    for (size_t i = 0; i < names.count; i++)
        items[i] = put_text(parts, names.items[i]);
    return (struct rule_names){items, names.count};
}

static void put_condition(struct parts *parts, struct rule_condition *copy)
{
    const struct rule_value *items = copy->value.items;
    copy->field = put_text(parts, copy->field);
    copy->value.text = put_text(parts, copy->value.text);
    copy->value.items = parts->values;
    for (size_t i = 0; i < copy->value.item_count; i++) {
        *parts->values = items[i];
        parts->values->text = put_text(parts, items[i].text);
        parts->values++;
    }
}

static struct parts make_parts(struct arena *arena, const struct rule *rule)
{
    struct counts counts = count(rule);
    size_t conditions = rule->condition_count * sizeof(struct rule_condition);
    size_t values = counts.values * sizeof(struct rule_value);
    size_t names = counts.names * sizeof(struct slice);
    char *piece = arena_alloc(arena, conditions + values + names + counts.text);
    return (struct parts){(void *)piece, (void *)(piece + conditions), (void *)(piece + conditions + values),
                          piece + conditions + values + names};
}

struct rule rule_copy(struct arena *arena, const struct rule *rule)
{
    struct rule copy = *rule;
    struct parts parts = make_parts(arena, rule);
    copy.conditions = parts.conditions;
    for (size_t i = 0; i < rule->condition_count; i++) {
        parts.conditions[i] = rule->conditions[i];
        put_condition(&parts, &parts.conditions[i]);
    }
    copy.action_params.phases = put_names(&parts, rule->action_params.phases);
    copy.hipaa_controls = put_names(&parts, rule->hipaa_controls);
    copy.severity_filter = put_names(&parts, rule->severity_filter);
    struct slice *texts[] = {&copy.id, &copy.name, &copy.description, &copy.action, &copy.action_params.runbook_id,
                             &copy.source};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = put_text(&parts, *texts[i]);
    return copy;
}
