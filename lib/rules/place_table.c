#include "rules/place_table.h"

#include <stdlib.h>

enum { FIRST_SIZE = 16 };

static struct place_table empty_table(size_t size)
{
    struct place_table table = {.slots = calloc(size, sizeof *table.slots), .size = size};
    if (table.slots == NULL)
        abort();
    return table;
}

void place_table_make(struct place_table *table)
{
    *table = empty_table(FIRST_SIZE);
}

void place_table_free(struct place_table *table)
{
    free(table->slots);
    *table = (struct place_table){0};
}

static void put(struct place_table *table, uint64_t content)
{
    size_t slot = place_table_start(table, content);
    while (table->slots[slot] != 0)
        slot = (slot + 1) & (table->size - 1);
    table->slots[slot] = content;
    table->used++;
}

void place_table_add(struct place_table *table, uint64_t hash, size_t place)
{
    if (table->size <= 2 * table->used) {
        struct place_table larger = empty_table(2 * table->size);
        for (size_t i = 0; i < table->size; i++)
            if (table->slots[i] != 0)
                put(&larger, table->slots[i]);
        place_table_free(table);
        *table = larger;
    }
    put(table, (hash >> 32 << 32) | (uint32_t)(place + 1));
}
