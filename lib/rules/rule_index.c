#include "rules/rule_index.h"

/* A member of incidents on the way to, or at the end of, a field that rules ask for. */
struct field {
    const struct field *parent; /* NULL for the root */
    struct slice name;
    bool has_inner; /* longer paths lead through it */
    bool is_asked;  /* a path ends here */
    struct field *next; /* of the same slot */
};

/* A value of a field, and the rules filed under it. */
struct entry {
    const struct field *field;
    const struct rule_value *value;
    uint32_t demands; /* how many rules demand it */
    struct filed_rule *first, *last;
    struct entry *next; /* of the same slot */
};

/* Slots of both hash tables. A table with more entries than slots still finds them, a little later. */
enum { FIELD_SLOTS = 256, ENTRY_SLOTS = 65536 };

struct rule_index {
    struct arena *arena;
    struct field root;
    size_t asked; /* fields that rules ask for */
    struct field *fields[FIELD_SLOTS];
    struct entry *entries[ENTRY_SLOTS];
    struct filed_rule *always, *always_last; /* rules that demand nothing */
};

/* ---- hashing: FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ ---------------------------------- */

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3U;
    return hash;
}

static uint64_t hash_from(const void *origin)
{
    uintptr_t address = (uintptr_t)origin;
    return (0xcbf29ce484222325U ^ address) * 0x100000001b3U;
}

static size_t field_slot(const struct field *parent, struct slice name)
{
    uint64_t hash = hash_bytes(hash_from(parent), name.ptr, name.len);
    return (hash ^ hash >> 32) % FIELD_SLOTS;
}

static size_t entry_slot(const struct field *field, const struct rule_value *value)
{
    uint64_t hash = hash_from(field);
    double number = value->number == 0.0 ? 0.0 : value->number; /* both zeros are equal */
    if (value->type == RULE_STRING)
        hash = hash_bytes(hash, value->text.ptr, value->text.len);
    else if (value->type == RULE_NUMBER)
        hash = hash_bytes(hash, &number, sizeof number);
    else
        hash = hash_bytes(hash, &value->truth, sizeof value->truth);
    return (hash ^ hash >> 32) % ENTRY_SLOTS;
}

/* ---- fields -------------------------------------------------------------------------------------- */

static struct field *find_field(const struct rule_index *index, const struct field *parent, struct slice name)
{
    struct field *field = index->fields[field_slot(parent, name)];
    while (field != NULL && !(field->parent == parent && slice_equal(field->name, name)))
        field = field->next;
    return field;
}

static struct field *have_field(struct rule_index *index, struct field *parent, struct slice name)
{
    struct field *field = find_field(index, parent, name);
    if (field != NULL)
        return field;
    struct field **slot = &index->fields[field_slot(parent, name)];
    field = arena_alloc(index->arena, sizeof *field);
    *field = (struct field){.parent = parent, .name = name, .next = *slot};
    parent->has_inner = true;
    return *slot = field;
}

/* The field at the end of a dot path. */
static struct field *have_path(struct rule_index *index, struct slice path)
{
    struct field *field = &index->root;
    const char *start = path.ptr, *end = path.ptr + path.len;
    for (const char *at = start;; at++) {
        if (at < end && *at != '.')
            continue;
        field = have_field(index, field, (struct slice){start, (size_t)(at - start)});
        if (at == end)
            break;
        start = at + 1;
    }
    index->asked += !field->is_asked;
    field->is_asked = true;
    return field;
}

/* ---- entries ------------------------------------------------------------------------------------- */

static bool same_value(const struct rule_value *a, const struct rule_value *b)
{
    if (a->type != b->type)
        return false;
    if (a->type == RULE_STRING)
        return slice_equal(a->text, b->text);
    return a->type == RULE_NUMBER ? a->number == b->number : a->truth == b->truth;
}

static struct entry *find_entry(const struct rule_index *index, const struct field *field,
                                const struct rule_value *value)
{
    struct entry *entry = index->entries[entry_slot(field, value)];
    while (entry != NULL && !(entry->field == field && same_value(entry->value, value)))
        entry = entry->next;
    return entry;
}

static struct entry *have_entry(struct rule_index *index, const struct field *field, const struct rule_value *value)
{
    struct entry *entry = find_entry(index, field, value);
    if (entry != NULL)
        return entry;
    struct entry **slot = &index->entries[entry_slot(field, value)];
    entry = arena_alloc(index->arena, sizeof *entry);
    *entry = (struct entry){.field = field, .value = value, .next = *slot};
    return *slot = entry;
}

/* ---- building ------------------------------------------------------------------------------------ */

struct rule_index *rule_index_new(struct arena *arena)
{
    struct rule_index *index = arena_alloc(arena, sizeof *index);
    index->arena = arena;
    return index;
}

void rule_index_announce(struct rule_index *index, const struct rule_demand *demand)
{
    const struct field *field = have_path(index, demand->field);
    for (size_t i = 0; i < demand->value_count; i++)
        have_entry(index, field, &demand->values[i])->demands++;
}

/* How many rules would be tried along with one that is filed under this. */
static uint64_t crowd(struct rule_index *index, const struct rule_demand *demand)
{
    const struct field *field = have_path(index, demand->field);
    uint64_t sum = 0;
    for (size_t i = 0; i < demand->value_count; i++)
        sum += have_entry(index, field, &demand->values[i])->demands;
    return sum;
}

static void append(struct rule_index *index, struct filed_rule **first, struct filed_rule **last, uint32_t place)
{
    if (*last != NULL && (*last)->place == place)
        return; /* a value that a list names twice */
    struct filed_rule *filed = arena_alloc(index->arena, sizeof *filed);
    filed->place = place;
    if (*last != NULL)
        (*last)->next = filed;
    else
        *first = filed;
    *last = filed;
}

void rule_index_file(struct rule_index *index, uint32_t place, const struct rule_demand *demands, size_t count)
{
    const struct rule_demand *rarest = NULL;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t sum = crowd(index, &demands[i]);
        if (sum < least) {
            least = sum;
            rarest = &demands[i];
        }
    }
    if (rarest == NULL) {
        append(index, &index->always, &index->always_last, place);
        return;
    }
    const struct field *field = have_path(index, rarest->field);
    for (size_t i = 0; i < rarest->value_count; i++) {
        struct entry *entry = have_entry(index, field, &rarest->values[i]);
        append(index, &entry->first, &entry->last, place);
    }
}

/* ---- looking up ---------------------------------------------------------------------------------- */

size_t rule_index_lists(const struct rule_index *index)
{
    return index->asked + 1;
}

/* A scalar of an incident as a rule's value; false for anything else. */
static bool value_of(const struct json *json, struct rule_value *value)
{
    switch (json_type_of(json)) {
    case JSON_STRING:
        *value = (struct rule_value){.type = RULE_STRING, .text = json_as_string(json)};
        return true;
    case JSON_NUMBER:
        *value = (struct rule_value){.type = RULE_NUMBER, .number = json_as_number(json)};
        return true;
    case JSON_BOOL:
        *value = (struct rule_value){.type = RULE_BOOL, .truth = json_as_bool(json)};
        return true;
    default:
        return false;
    }
}

/* Follows the members of `object` along the tree of fields; no deeper than the longest path. */
static size_t look_into(const struct rule_index *index, const struct field *at, const struct json *object,
                        const struct filed_rule **lists)
{
    size_t count = 0;
    for (const struct json *member = json_first(object); member != NULL; member = json_next(member)) {
        const struct field *field = find_field(index, at, slice_of(json_name(member)));
        struct rule_value value;
        if (field == NULL)
            continue;
        if (field->is_asked && value_of(member, &value)) {
            const struct entry *entry = find_entry(index, field, &value);
            if (entry != NULL && entry->first != NULL)
                lists[count++] = entry->first;
        }
        if (field->has_inner && json_type_of(member) == JSON_OBJECT)
            count += look_into(index, field, member, lists + count);
    }
    return count;
}

size_t rule_index_look_up(const struct rule_index *index, const struct json *incident, const struct filed_rule **lists)
{
    size_t count = json_type_of(incident) == JSON_OBJECT ? look_into(index, &index->root, incident, lists) : 0;
    if (index->always != NULL)
        lists[count++] = index->always;
    return count;
}
