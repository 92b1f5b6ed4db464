#include "rules/rule_index.h"

#include <stdlib.h>

/* A member of incidents on the way to, or at the end of, a field that rules ask about. */
struct field {
    uint64_t hash;
    struct slice name;
    uint32_t parent;    /* place among the fields; 0 is the incident itself */
    uint32_t number;    /* of the field whose path ends here, from 1; 0: none does */
    bool has_inner;     /* longer paths lead through it */
    bool is_demanded;   /* rules are filed under its values */
};

/* A value that rules demand of a field, and the rules filed under it. */
struct entry {
    uint64_t hash;
    const struct rule_value *value;
    uint32_t field;   /* number */
    uint32_t demands; /* how many rules demand it */
    uint32_t first, count; /* of the candidates */
    uint32_t last_place;   /* filed last, from 1 */
};

/* Places in an array, found by hash: open addressing, at most half full. 0: free; else the place + 1. */
struct table {
    uint32_t *slots;
    size_t size, used; /* `size` is a power of two */
};

struct filing {
    uint32_t entry;
    struct candidate candidate;
};

struct rule_index {
    struct table field_table, entry_table;
    struct field *fields;
    struct entry *entries; /* the first is not in the table: rules that demand nothing */
    struct filing *filings; /* until finished */
    struct candidate *candidates;
    size_t field_count, entry_count, filing_count;
    size_t field_room, entry_room, filing_room;
    uint32_t numbers; /* fields that have a number */
};

/* ---- memory -------------------------------------------------------------------------------------- */

static void *need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* Room for one more. */
static void *grow(void *array, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return array;
    *room = *room > 0 ? 2 * *room : 16;
    return need(reallocarray(array, *room, size));
}

static void free_index(void *object)
{
    struct rule_index *index = object;
    free(index->field_table.slots);
    free(index->entry_table.slots);
    free(index->fields);
    free(index->entries);
    free(index->filings);
    free(index->candidates);
}

/* ---- hashing ------------------------------------------------------------------------------------- */

/* Multiplication by an odd number near 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming, 6.4). */
static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    return hash ^ hash >> 32;
}

static uint64_t hash_text(uint64_t hash, struct slice text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    uint64_t word;
    for (; end - at >= (ptrdiff_t)sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = hash_word(hash, word);
    }
    word = text.len;
    for (; at < end; at++)
        word = word << 8 | (unsigned char)*at;
    return hash_word(hash, word);
}

static uint64_t hash_name(uint32_t parent, struct slice name)
{
    return hash_text(parent, name);
}

static uint64_t hash_value(uint32_t field, const struct rule_value *value)
{
    uint64_t hash = (uint64_t)field << 2 | value->type, bits;
    if (value->type == RULE_STRING)
        return hash_text(hash, value->text);
    if (value->type == RULE_BOOL)
        return hash_word(hash, value->truth);
    double number = value->number == 0.0 ? 0.0 : value->number; /* both zeros are equal */
    memcpy(&bits, &number, sizeof bits);
    return hash_word(hash, bits);
}

static size_t slot_of(const struct table *table, uint64_t hash)
{
    return (hash >> 7) & (table->size - 1);
}

static void put(struct table *table, uint64_t hash, size_t place)
{
    size_t slot = slot_of(table, hash);
    while (table->slots[slot] != 0)
        slot = (slot + 1) & (table->size - 1);
    table->slots[slot] = (uint32_t)place + 1;
    table->used++;
}

/* A table of twice the size that is still empty; its places are to be put in again. */
static bool outgrown(struct table *table)
{
    if (table->size > 2 * table->used)
        return false;
    free(table->slots);
    table->size = table->size > 0 ? 2 * table->size : 16;
    table->slots = need(calloc(table->size, sizeof *table->slots));
    table->used = 0;
    return true;
}

/* ---- fields -------------------------------------------------------------------------------------- */

static struct field *find_field(const struct rule_index *index, uint32_t parent, struct slice name, uint64_t hash)
{
    const struct table *table = &index->field_table;
    for (size_t slot = slot_of(table, hash); table->slots[slot] != 0; slot = (slot + 1) & (table->size - 1)) {
        struct field *field = &index->fields[table->slots[slot] - 1];
        if (field->hash == hash && field->parent == parent && slice_equal(field->name, name))
            return field;
    }
    return NULL;
}

static uint32_t have_member(struct rule_index *index, uint32_t parent, struct slice name)
{
    uint64_t hash = hash_name(parent, name);
    const struct field *field = find_field(index, parent, name, hash);
    if (field != NULL)
        return (uint32_t)(field - index->fields);
    index->fields = grow(index->fields, index->field_count, &index->field_room, sizeof *index->fields);
    index->fields[index->field_count] = (struct field){.hash = hash, .name = name, .parent = parent};
    index->fields[parent].has_inner = true;
    if (outgrown(&index->field_table))
        for (size_t i = 1; i < index->field_count; i++)
            put(&index->field_table, index->fields[i].hash, i);
    put(&index->field_table, hash, index->field_count);
    return (uint32_t)index->field_count++;
}

uint32_t rule_index_field(struct rule_index *index, struct slice path)
{
    uint32_t at = 0;
    const char *start = path.ptr, *end = path.ptr + path.len;
    for (const char *dot = start; start <= end; start = dot + 1) {
        dot = start;
        while (dot < end && *dot != '.')
            dot++;
        at = have_member(index, at, (struct slice){start, (size_t)(dot - start)});
    }
    if (index->fields[at].number == 0)
        index->fields[at].number = ++index->numbers;
    return index->fields[at].number - 1;
}

size_t rule_index_fields(const struct rule_index *index)
{
    return index->numbers;
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

static struct entry *find_entry(const struct rule_index *index, uint32_t field, const struct rule_value *value,
                                uint64_t hash)
{
    const struct table *table = &index->entry_table;
    for (size_t slot = slot_of(table, hash); table->slots[slot] != 0; slot = (slot + 1) & (table->size - 1)) {
        struct entry *entry = &index->entries[table->slots[slot] - 1];
        if (entry->hash == hash && entry->field == field && same_value(entry->value, value))
            return entry;
    }
    return NULL;
}

/* The entry of a value that was announced. */
static struct entry *entry_of(const struct rule_index *index, const struct rule_demand *demand, size_t i)
{
    return find_entry(index, demand->field, &demand->values[i], hash_value(demand->field, &demand->values[i]));
}

static struct entry *have_entry(struct rule_index *index, uint32_t field, const struct rule_value *value)
{
    uint64_t hash = hash_value(field, value);
    struct entry *entry = find_entry(index, field, value, hash);
    if (entry != NULL)
        return entry;
    index->entries = grow(index->entries, index->entry_count, &index->entry_room, sizeof *index->entries);
    index->entries[index->entry_count] = (struct entry){.hash = hash, .value = value, .field = field};
    if (outgrown(&index->entry_table))
        for (size_t i = 1; i < index->entry_count; i++)
            put(&index->entry_table, index->entries[i].hash, i);
    put(&index->entry_table, hash, index->entry_count);
    return &index->entries[index->entry_count++];
}

void rule_index_announce(struct rule_index *index, const struct rule_demand *demand)
{
    for (size_t i = 0; i < demand->value_count; i++)
        have_entry(index, demand->field, &demand->values[i])->demands++;
}

size_t rule_index_rarest(const struct rule_index *index, const struct rule_demand *demands, size_t count)
{
    size_t rarest = 0;
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        uint64_t crowd = 0; /* rules that would be possible along with this one */
        for (size_t k = 0; k < demands[i].value_count; k++)
            crowd += entry_of(index, &demands[i], k)->demands;
        if (crowd < least) {
            least = crowd;
            rarest = i;
        }
    }
    return rarest;
}

/* ---- filing -------------------------------------------------------------------------------------- */

struct rule_index *rule_index_new(struct arena *arena)
{
    struct rule_index *index = arena_alloc(arena, sizeof *index);
    arena_on_reset(arena, free_index, index);
    index->fields = grow(NULL, 0, &index->field_room, sizeof *index->fields);
    index->fields[index->field_count++] = (struct field){0};
    index->entries = grow(NULL, 0, &index->entry_room, sizeof *index->entries);
    index->entries[index->entry_count++] = (struct entry){0};
    (void)outgrown(&index->field_table);
    (void)outgrown(&index->entry_table);
    return index;
}

static void file_under(struct rule_index *index, struct entry *entry, struct candidate candidate)
{
    if (entry->last_place == candidate.place + 1)
        return; /* a value that a list names twice */
    entry->last_place = candidate.place + 1;
    entry->count++;
    index->filings = grow(index->filings, index->filing_count, &index->filing_room, sizeof *index->filings);
    index->filings[index->filing_count++] = (struct filing){(uint32_t)(entry - index->entries), candidate};
}

void rule_index_file(struct rule_index *index, const struct rule_demand *demand, struct candidate candidate)
{
    if (demand == NULL)
        file_under(index, &index->entries[0], candidate);
    else
        for (size_t i = 0; i < demand->value_count; i++)
            file_under(index, entry_of(index, demand, i), candidate);
}

static void mark_demanded(struct rule_index *index)
{
    bool *demanded = need(calloc(index->numbers + 1, sizeof *demanded));
    for (size_t i = 1; i < index->entry_count; i++)
        if (index->entries[i].count > 0)
            demanded[index->entries[i].field + 1] = true;
    for (size_t i = 1; i < index->field_count; i++)
        index->fields[i].is_demanded = demanded[index->fields[i].number];
    free(demanded);
}

/* Puts the candidates of each entry side by side. */
void rule_index_finish(struct rule_index *index)
{
    index->candidates = need(calloc(index->filing_count + 1, sizeof *index->candidates));
    uint32_t next = 0;
    for (size_t i = 0; i < index->entry_count; i++) {
        index->entries[i].first = next;
        next += index->entries[i].count;
        index->entries[i].count = 0;
    }
    for (size_t i = 0; i < index->filing_count; i++) {
        struct entry *entry = &index->entries[index->filings[i].entry];
        index->candidates[entry->first + entry->count++] = index->filings[i].candidate;
    }
    free(index->filings);
    index->filings = NULL;
    mark_demanded(index);
}

/* ---- looking up ---------------------------------------------------------------------------------- */

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

static void add_list(const struct rule_index *index, const struct entry *entry, struct findings *found)
{
    if (entry != NULL && entry->count > 0)
        found->lists[found->list_count++] = (struct candidates){&index->candidates[entry->first], entry->count};
}

static void note_value(const struct rule_index *index, const struct field *field, const struct json *json,
                       struct findings *found)
{
    uint32_t number = field->number - 1;
    struct rule_value value;
    if (json_type_of(json) == JSON_NULL)
        return;
    found->values[number] = json;
    found->met[found->met_count++] = number;
    if (field->is_demanded && value_of(json, &value))
        add_list(index, find_entry(index, number, &value, hash_value(number, &value)), found);
}

/* Follows the members of `object` along the tree of fields; no deeper than the longest path. */
static void look_into(const struct rule_index *index, uint32_t parent, const struct json *object,
                      struct findings *found)
{
    for (const struct json *member = json_first(object); member != NULL; member = json_next(member)) {
        struct slice name = slice_of(json_name(member));
        const struct field *field = find_field(index, parent, name, hash_name(parent, name));
        if (field == NULL)
            continue;
        if (field->number != 0)
            note_value(index, field, member, found);
        if (field->has_inner && json_type_of(member) == JSON_OBJECT)
            look_into(index, (uint32_t)(field - index->fields), member, found);
    }
}

void rule_index_look_up(const struct rule_index *index, const struct json *incident, struct findings *found)
{
    found->list_count = 0;
    if (json_type_of(incident) != JSON_OBJECT)
        return;
    look_into(index, 0, incident, found);
    add_list(index, &index->entries[0], found);
}

void rule_index_forget(struct findings *found)
{
    for (size_t i = 0; i < found->met_count; i++)
        found->values[found->met[i]] = NULL;
    found->met_count = 0;
}
