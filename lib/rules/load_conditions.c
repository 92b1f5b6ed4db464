#include "rules/load_members.h"
#include "rules/regex.h"

static bool check_regex(struct loader *loader, struct slice pattern)
{
    char why[REGEX_REASON_SIZE] = "";
    return regex_is_valid(pattern, why) ||
           REFUSE(loader, "The regular expression \"%.*s\" is invalid: %s.", SHOWN(pattern), why);
}

/* The types of value that an operator can work with. */
static bool check_operand(struct loader *loader, const struct rule_condition *condition)
{
    const char *name = rule_operator_name(condition->op);
    enum rule_value_type type = condition->value.type;
    switch (condition->op) {
    case RULE_IN:
    case RULE_NOT_IN:
        return type == RULE_LIST || REFUSE(loader, "\"%s\" needs a list as its value.", name);
    case RULE_EXISTS:
        return type == RULE_BOOL || REFUSE(loader, "\"%s\" needs true or false as its value.", name);
    case RULE_REGEX:
        if (type != RULE_STRING)
            return REFUSE(loader, "\"%s\" needs a string as its value.", name);
        return check_regex(loader, condition->value.text);
    case RULE_GT:
    case RULE_LT:
        return type == RULE_NUMBER || type == RULE_STRING || REFUSE(loader, "\"%s\" needs a number as its value.", name);
    default:
        return type != RULE_LIST || REFUSE(loader, "\"%s\" cannot have a list as its value.", name);
    }
}

static bool load_operator(struct loader *loader, const struct tree_node *node, enum rule_operator *op)
{
    struct slice name = SLICE_ABSENT;
    if (!load_text(loader, node, "operator", &name))
        return false;
    if (!slice_present(name))
        return REFUSE(loader, "A condition has no \"operator\" (line %u).", node->line);
    return rule_operator_find(name, op) ||
           REFUSE(loader, "\"%.*s\" is not an operator (line %u).", SHOWN(name), node->line);
}

static bool load_condition(struct loader *loader, const struct tree_node *node, struct rule_condition *condition)
{
    if (node->type != TREE_MAPPING)
        return REFUSE(loader, "A condition must have the members field, operator and value (line %u).", node->line);
    if (!load_text(loader, node, "field", &condition->field))
        return false;
    if (condition->field.len == 0)
        return REFUSE(loader, "A condition has no \"field\" (line %u).", node->line);
    if (!load_operator(loader, node, &condition->op))
        return false;
    const struct tree_node *value = tree_member(node, "value");
    if (value == NULL)
        return REFUSE(loader, "A condition has no \"value\" (line %u).", node->line);
    return load_value(loader, value, &condition->value) && check_operand(loader, condition);
}

bool load_conditions(struct loader *loader, const struct tree_node *mapping, struct rule *rule)
{
    const struct tree_node *list = tree_member(mapping, "conditions");
    if (list == NULL || list->type != TREE_LIST || list->count == 0)
        return REFUSE(loader, "The rule has no conditions, so it would match every incident.");
    struct rule_condition *conditions = arena_array(loader->arena, list->count, sizeof *conditions);
    size_t count = 0;
    for (const struct tree_node *item = list->first; item != NULL; item = item->next)
        if (!load_condition(loader, item, &conditions[count++]))
            return false;
    rule->conditions = conditions;
    rule->condition_count = count;
    return true;
}
