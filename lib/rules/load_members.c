#include "rules/load_members.h"

#include <math.h>
#include <stdlib.h>

#include "rules/scalar.h"

/* What a scalar is to YAML 1.1; quoted text is always a string. */
static enum scalar_kind kind_of(const struct tree_node *scalar)
{
    return scalar->is_plain ? scalar_kind(scalar->text) : SCALAR_STRING;
}

static bool disputed(struct loader *loader, const char *name, const struct tree_node *node)
{
    return REFUSE(loader, "\"%s\": readers disagree on what %.*s is; put it in quotes (line %u).", name,
                  SHOWN(node->text), node->line);
}

/* ---- strings ------------------------------------------------------------------------------------- */

static bool take_text(struct loader *loader, const struct tree_node *node, const char *name, struct slice *text)
{
    if (node->type != TREE_SCALAR)
        return REFUSE(loader, "\"%s\" must be a string.", name);
    if (kind_of(node) == SCALAR_DISPUTED)
        return disputed(loader, name, node);
    if (kind_of(node) != SCALAR_STRING)
        return REFUSE(loader, "\"%s\" must be a string; put %.*s in quotes (line %u).", name, SHOWN(node->text),
                      node->line);
    *text = arena_copy(loader->arena, node->text);
    return true;
}

bool load_text(struct loader *loader, const struct tree_node *mapping, const char *name, struct slice *text)
{
    const struct tree_node *node = tree_member(mapping, name);
    return node == NULL || take_text(loader, node, name, text);
}

bool load_names(struct loader *loader, const struct tree_node *mapping, const char *name, struct rule_names *names)
{
    const struct tree_node *node = tree_member(mapping, name);
    if (node == NULL)
        return true;
    if (node->type != TREE_LIST)
        return REFUSE(loader, "\"%s\" must be a list of strings.", name);
    struct slice *items = arena_array(loader->arena, node->count, sizeof *items);
    size_t count = 0;
    for (const struct tree_node *item = node->first; item != NULL; item = item->next)
        if (!take_text(loader, item, name, &items[count++]))
            return false;
    *names = (struct rule_names){items, count};
    return true;
}

/* ---- truth and numbers --------------------------------------------------------------------------- */

bool load_flag(struct loader *loader, const struct tree_node *mapping, const char *name, bool *flag)
{
    const struct tree_node *node = tree_member(mapping, name);
    if (node == NULL)
        return true;
    enum scalar_kind kind = node->type == TREE_SCALAR ? kind_of(node) : SCALAR_STRING;
    if (kind != SCALAR_TRUE && kind != SCALAR_FALSE)
        return REFUSE(loader, "\"%s\" must be true or false.", name);
    *flag = kind == SCALAR_TRUE;
    return true;
}

static bool take_number(struct loader *loader, const struct tree_node *node, const char *name, double *number)
{
    *number = strtod(node->text.ptr, NULL);
    return isfinite(*number) || REFUSE(loader, "\"%s\" is too large a number.", name);
}

bool load_count(struct loader *loader, const struct tree_node *mapping, const char *name, int32_t least, int32_t *count)
{
    const struct tree_node *node = tree_member(mapping, name);
    if (node == NULL)
        return true;
    double number = NAN;
    if (node->type == TREE_SCALAR && kind_of(node) == SCALAR_NUMBER && !take_number(loader, node, name, &number))
        return false;
    if (!(number >= least && number <= COUNTER_LIMIT) || number != trunc(number))
        return REFUSE(loader, "\"%s\" must be a whole number from %d to %d.", name, (int)least, COUNTER_LIMIT);
    *count = (int32_t)number;
    return true;
}

/* ---- values of conditions ------------------------------------------------------------------------ */

static bool take_scalar(struct loader *loader, const struct tree_node *node, struct rule_value *value)
{
    switch (kind_of(node)) {
    case SCALAR_STRING:
        *value = (struct rule_value){.type = RULE_STRING, .text = arena_copy(loader->arena, node->text)};
        return true;
    case SCALAR_TRUE:
    case SCALAR_FALSE:
        *value = (struct rule_value){.type = RULE_BOOL, .truth = kind_of(node) == SCALAR_TRUE};
        return true;
    case SCALAR_NUMBER:
        *value = (struct rule_value){.type = RULE_NUMBER};
        return take_number(loader, node, "value", &value->number);
    case SCALAR_DISPUTED:
        return disputed(loader, "value", node);
    case SCALAR_NULL:
        break;
    }
    return REFUSE(loader, "A condition has no \"value\" (line %u).", node->line);
}

static bool take_list(struct loader *loader, const struct tree_node *node, struct rule_value *value)
{
    struct rule_value *items = arena_array(loader->arena, node->count, sizeof *items);
    size_t count = 0;
    for (const struct tree_node *item = node->first; item != NULL; item = item->next) {
        if (item->type != TREE_SCALAR)
            return REFUSE(loader, "A list of values must hold strings, numbers and booleans only (line %u).", item->line);
        if (!take_scalar(loader, item, &items[count++]))
            return false;
    }
    *value = (struct rule_value){.type = RULE_LIST, .items = items, .item_count = count};
    return true;
}

bool load_value(struct loader *loader, const struct tree_node *node, struct rule_value *value)
{
    switch (node->type) {
    case TREE_SCALAR:
        return take_scalar(loader, node, value);
    case TREE_LIST:
        return take_list(loader, node, value);
    case TREE_MAPPING:
        break;
    }
    return REFUSE(loader, "A condition's \"value\" must be a string, number, boolean or list (line %u).", node->line);
}
