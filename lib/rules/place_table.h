/* Places in an array, found by a hash of what lies there.
 *
 * Open addressing, at most half full. A slot holds the upper half of the hash and the place, so that most places that are
 * not meant are passed over without a look at them:
 *
 *     size_t slot = place_table_start(&table, hash), place;
 *     while (place_table_next(&table, hash, &slot, &place))
 *         if (array[place] is what is looked for) …
 *
 * Looking is thread-safe. */
#ifndef RULES_PLACE_TABLE_H
#define RULES_PLACE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct place_table {
    uint64_t *slots; /* the upper half of the hash, and the place + 1; 0: free */
    size_t size;     /* a power of two */
    size_t used;
};

void place_table_make(struct place_table *table);
void place_table_free(struct place_table *table); /* it may be freed again */

/* `place` is below 2^32 - 1. */
void place_table_add(struct place_table *table, uint64_t hash, size_t place);

static inline size_t place_table_start(const struct place_table *table, uint64_t hash)
{
    return (hash >> 32) & (table->size - 1);
}

/* The next place, from `*slot` on, whose hash may be the same; false when there is none. */
MUST_USE static inline bool place_table_next(const struct place_table *table, uint64_t hash, size_t *slot, size_t *place)
{
    uint64_t content;
    while ((content = table->slots[*slot]) != 0) {
        *slot = (*slot + 1) & (table->size - 1);
        *place = (uint32_t)content - 1;
        if (content >> 32 == hash >> 32)
            return true;
    }
    return false;
}

#endif
