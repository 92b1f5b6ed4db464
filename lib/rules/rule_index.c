#include "rules/rule_index.h"

#include <stdlib.h>

#include "rules/place_table.h"

/* A member of incidents on the way to, or at the end of, a field that rules ask about. */
struct field {
    struct slice name;
    uint32_t parent;  /* place among the fields; 0 is the incident itself */
    uint32_t number;  /* of the field whose path ends here, from 1; 0: none does */
    bool has_inner;   /* longer paths lead through it */
    bool is_demanded; /* rules are filed under its values */
};

/* A value that rules demand of a field: until the index is finished. */
struct entry {
    struct operand value;
    uint64_t hash;
    uint32_t field;      /* number */
    uint32_t demands;    /* how many rules demand it */
    uint32_t filed;      /* how many are filed under it */
    uint32_t last_place; /* the last of them, from 1 */
};

struct filing {
    uint32_t entry;
    struct candidate candidate;
};

/* A value and the rules filed under it, side by side in memory: what one look-up touches. The text of a string, without a
 * NUL, stands behind the candidates. */
struct record {
    uint32_t field;
    uint32_t count;
    enum rule_value_type type;
    uint32_t text_length;
    union {
        double number;
        bool truth;
    };
    struct candidate candidates[];
};

struct rule_index {
    struct field *fields;
    struct place_table field_table; /* of places in `fields` */
    size_t field_count, field_room;
    uint32_t numbers; /* fields that have a number */

    struct entry *entries;    /* the first is not in the table: rules that demand nothing */
    struct place_table entry_table; /* of places in `entries` */
    size_t entry_count, entry_room;
    struct filing *filings;
    size_t filing_count, filing_room;

    char *records;             /* one behind the other, in units of RECORD_UNIT */
    struct place_table record_table; /* of places in `records` */
    const struct record *always;
};

enum { RECORD_UNIT = 8 };
_Static_assert(_Alignof(struct record) == RECORD_UNIT && sizeof(struct record) % RECORD_UNIT == 0, "records fit into units");

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

/* What is not needed once the index is finished. */
static void free_drafts(struct rule_index *index)
{
    place_table_free(&index->entry_table);
    free(index->entries);
    free(index->filings);
    index->entries = NULL;
    index->filings = NULL;
}

static void free_index(void *object)
{
    struct rule_index *index = object;
    place_table_free(&index->field_table);
    free(index->fields);
    place_table_free(&index->record_table);
    free(index->records);
    free_drafts(index);
}

/* ---- fields -------------------------------------------------------------------------------------- */

static struct field *find_field(const struct rule_index *index, uint32_t parent, struct slice name, uint64_t hash)
{
    size_t slot = place_table_start(&index->field_table, hash), place;
    while (place_table_next(&index->field_table, hash, &slot, &place)) {
        struct field *field = &index->fields[place];
        if (field->parent == parent && field->name.len == name.len && memcmp(field->name.ptr, name.ptr, name.len) == 0)
            return field;
    }
    return NULL;
}

static uint32_t have_member(struct rule_index *index, uint32_t parent, struct slice name)
{
    uint64_t hash = text_hash(parent, name);
    const struct field *field = find_field(index, parent, name, hash);
    if (field != NULL)
        return (uint32_t)(field - index->fields);
    index->fields = grow(index->fields, index->field_count, &index->field_room, sizeof *index->fields);
    index->fields[index->field_count] = (struct field){.name = name, .parent = parent};
    index->fields[parent].has_inner = true;
    place_table_add(&index->field_table, hash, index->field_count);
    return (uint32_t)index->field_count++;
}

uint32_t rule_index_field(struct rule_index *index, struct slice path)
{
    uint32_t at = 0;
    struct slice name;
    while (field_path_step(&path, &name))
        at = have_member(index, at, name);
    if (index->fields[at].number == 0)
        index->fields[at].number = ++index->numbers;
    return index->fields[at].number - 1;
}

size_t rule_index_fields(const struct rule_index *index)
{
    return index->numbers;
}

/* ---- entries ------------------------------------------------------------------------------------- */

static struct entry *find_entry(const struct rule_index *index, uint32_t field, const struct operand *value,
                                uint64_t hash)
{
    size_t slot = place_table_start(&index->entry_table, hash), place;
    while (place_table_next(&index->entry_table, hash, &slot, &place)) {
        struct entry *entry = &index->entries[place];
        if (entry->field == field && operand_equal(&entry->value, value))
            return entry;
    }
    return NULL;
}

/* A new entry, not yet in the table. */
static struct entry *add_entry(struct rule_index *index, uint32_t field, struct operand value, uint64_t hash)
{
    index->entries = grow(index->entries, index->entry_count, &index->entry_room, sizeof *index->entries);
    index->entries[index->entry_count] = (struct entry){.value = value, .hash = hash, .field = field};
    return &index->entries[index->entry_count++];
}

static struct entry *have_entry(struct rule_index *index, uint32_t field, const struct operand *value)
{
    uint64_t hash = operand_hash(field, value);
    struct entry *entry = find_entry(index, field, value, hash);
    if (entry != NULL)
        return entry;
    place_table_add(&index->entry_table, hash, index->entry_count);
    return add_entry(index, field, *value, hash);
}

/* The entry of a value that was announced. */
static struct entry *entry_of(const struct rule_index *index, const struct rule_demand *demand, size_t i)
{
    const struct operand *value = &demand->values[i];
    return find_entry(index, demand->field, value, operand_hash(demand->field, value));
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
    (void)add_entry(index, 0, (struct operand){.type = RULE_LIST}, 0);
    place_table_make(&index->field_table);
    place_table_make(&index->entry_table);
    place_table_make(&index->record_table);
    return index;
}

static void file_under(struct rule_index *index, struct entry *entry, struct candidate candidate)
{
    if (entry->last_place == candidate.place + 1)
        return; /* a value that a list names twice */
    entry->last_place = candidate.place + 1;
    entry->filed++;
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

/* ---- finishing ----------------------------------------------------------------------------------- */

static size_t text_length(const struct operand *value)
{
    return value->type == RULE_STRING ? value->text.len : 0;
}

static size_t record_size(const struct entry *entry)
{
    size_t bytes = sizeof(struct record) + entry->filed * sizeof(struct candidate) + text_length(&entry->value);
    return (bytes + RECORD_UNIT - 1) / RECORD_UNIT * RECORD_UNIT;
}

static const char *text_of(const struct record *record)
{
    return (const char *)(record->candidates + record->count);
}

static void write_record(struct record *record, const struct entry *entry)
{
    const struct operand *value = &entry->value;
    *record = (struct record){.field = entry->field, .count = entry->filed, .type = value->type};
    if (value->type == RULE_NUMBER)
        record->number = value->number;
    else if (value->type == RULE_BOOL)
        record->truth = value->truth;
    else if (value->type == RULE_STRING) {
        record->text_length = (uint32_t)value->text.len;
        memcpy(record->candidates + record->count, value->text.ptr, value->text.len);
    }
}

/* Writes a record for each entry that has rules; the candidates are still to be filled in. Gives where each entry's are. */
static struct candidate **write_records(struct rule_index *index)
{
    struct candidate **places = need(calloc(index->entry_count, sizeof(struct candidate *)));
    size_t total = 0;
    for (size_t i = 0; i < index->entry_count; i++)
        total += index->entries[i].filed > 0 ? record_size(&index->entries[i]) : 0;
    index->records = need(calloc(1, total + 1));
    size_t at = 0;
    for (size_t i = 0; i < index->entry_count; i++) {
        const struct entry *entry = &index->entries[i];
        if (entry->filed == 0)
            continue;
        struct record *record = (void *)(index->records + at);
        write_record(record, entry);
        places[i] = record->candidates;
        if (i == 0)
            index->always = record;
        else
            place_table_add(&index->record_table, entry->hash, at / RECORD_UNIT);
        at += record_size(entry);
    }
    return places;
}

static void mark_demanded(struct rule_index *index)
{
    bool *demanded = need(calloc(index->numbers + 1, sizeof *demanded));
    for (size_t i = 1; i < index->entry_count; i++)
        if (index->entries[i].filed > 0)
            demanded[index->entries[i].field + 1] = true;
    for (size_t i = 1; i < index->field_count; i++)
        index->fields[i].is_demanded = demanded[index->fields[i].number];
    free(demanded);
}

void rule_index_finish(struct rule_index *index)
{
    struct candidate **places = write_records(index);
    for (size_t i = 0; i < index->filing_count; i++)
        *places[index->filings[i].entry]++ = index->filings[i].candidate;
    free(places);
    mark_demanded(index);
    free_drafts(index);
}

/* ---- looking up ---------------------------------------------------------------------------------- */

static bool is_of(const struct record *record, uint32_t field, const struct operand *value)
{
    if (record->field != field || record->type != value->type)
        return false;
    if (value->type == RULE_STRING)
        return record->text_length == value->text.len && memcmp(text_of(record), value->text.ptr, value->text.len) == 0;
    return value->type == RULE_NUMBER ? record->number == value->number : record->truth == value->truth;
}

static const struct record *find_record(const struct rule_index *index, uint32_t field, const struct operand *value)
{
    uint64_t hash = operand_hash(field, value);
    size_t slot = place_table_start(&index->record_table, hash), place;
    while (place_table_next(&index->record_table, hash, &slot, &place)) {
        const struct record *record = (const void *)(index->records + place * RECORD_UNIT);
        if (is_of(record, field, value))
            return record;
    }
    return NULL;
}

static void add_list(const struct record *record, struct findings *found)
{
    if (record == NULL)
        return;
    found->lists[found->list_count++] = (struct candidates){record->candidates, record->count};
    __builtin_prefetch(record->candidates[0].conditions); /* they are asked when the incident has been walked to its end */
}

static void note_value(const struct rule_index *index, const struct field *field, const struct json *json,
                       struct findings *found)
{
    uint32_t number = field->number - 1;
    struct operand value;
    if (json_type_of(json) == JSON_NULL)
        return;
    found->values[number] = json;
    found->met[found->met_count++] = number;
    if (field->is_demanded && operand_of_json(json, &value))
        add_list(find_record(index, number, &value), found);
}

/* Follows the members of `object` along the tree of fields; no deeper than the longest path. */
static void look_into(const struct rule_index *index, uint32_t parent, const struct json *object,
                      struct findings *found)
{
    for (const struct json *member = json_first(object); member != NULL; member = json_next(member)) {
        struct slice name = slice_of(json_name(member));
        const struct field *field = find_field(index, parent, name, text_hash(parent, name));
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
    add_list(index->always, found);
}

void rule_index_forget(struct findings *found)
{
    for (size_t i = 0; i < found->met_count; i++)
        found->values[found->met[i]] = NULL;
    found->met_count = 0;
}
