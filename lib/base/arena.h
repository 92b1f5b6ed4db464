/* Memory for one request: allocate freely, free everything at once.
 *
 * An arena hands out memory from blocks that it keeps until arena_reset or arena_free; there is no
 * free of a single allocation. Its size is bounded, and inputs are bounded well below that, so
 * that a caller need not handle a NULL at every call. Reset keeps the first block, so that a worker serves most requests without touching malloc.
 *
 * Under the address sanitizer, memory that was not handed out is poisoned.
 *
 * An arena belongs to one thread at a time. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

struct arena;

/* Makes an arena that will hold at most `limit` bytes. Ends the process when the system has no
 * memory for the first block (64 KiB): there is nothing sensible left to do. */
struct arena *arena_new(size_t limit);

/* Runs the clean-ups, newest first, and makes the memory available again. */
void arena_reset(struct arena *arena);

/* arena_reset, then gives the memory back to the system. NULL is allowed. */
void arena_free(struct arena *arena);

/* `size` zeroed bytes, aligned for any type. Never NULL: when the limit is reached, or the system has
 * no more, the process ends with a message. Callers bound their input beforehand, so that this is a
 * backstop and not a path that a request can take. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull, malloc));

/* Room for `count` objects of `size` bytes; the product is checked for overflow. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

/* Copies, NUL-terminated. The copy of an absent slice is NULL. */
char *arena_text(struct arena *arena, struct slice text);
struct slice arena_copy(struct arena *arena, struct slice text);

/* Formats as printf does, NUL-terminated. */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* Has `clean(object)` called at the next reset: for what another library owns (a PGresult, a cJSON tree). */
void arena_on_reset(struct arena *arena, void (*clean)(void *object), void *object);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
