#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len) ASAN_POISON_MEMORY_REGION(ptr, len)
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION(ptr, len)
#else
#define POISON(ptr, len) ((void)(ptr), (void)(len))
#define UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

enum { BLOCK_SIZE = 64 * 1024, ALIGNMENT = _Alignof(max_align_t) };

struct block {
    struct block *previous;
    size_t size;
    size_t used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct cleanup {
    struct cleanup *previous;
    void (*clean)(void *object);
    void *object;
};

struct arena {
    struct block *newest;
    struct cleanup *cleanups;
    size_t limit;
    size_t total; /* bytes of all blocks */
    size_t handed_out;
};

static void die(const char *why)
{
    fprintf(stderr, "{\"level\":\"fatal\",\"message\":\"%s\"}\n", why);
    abort();
}

static struct block *block_new(size_t size, struct block *previous)
{
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL)
        die("out of memory");
    block->previous = previous;
    block->size = size;
    block->used = 0;
    POISON(block->bytes, size);
    return block;
}

static void block_free(struct block *block)
{
    UNPOISON(block->bytes, block->size);
    free(block);
}

struct arena *arena_new(size_t limit)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        die("out of memory");
    arena->limit = limit;
    arena->newest = block_new(BLOCK_SIZE, NULL);
    arena->total = BLOCK_SIZE;
    return arena;
}

void arena_reset(struct arena *arena)
{
    while (arena->cleanups != NULL) {
        struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->previous;
        cleanup->clean(cleanup->object);
    }
    while (arena->newest->previous != NULL) {
        struct block *block = arena->newest;
        arena->newest = block->previous;
        arena->total -= block->size;
        block_free(block);
    }
    arena->newest->used = 0;
    arena->handed_out = 0;
    POISON(arena->newest->bytes, arena->newest->size);
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_reset(arena);
    block_free(arena->newest);
    free(arena);
}

static void add_block(struct arena *arena, size_t at_least)
{
    size_t size = at_least > BLOCK_SIZE ? at_least : BLOCK_SIZE;
    if (size > arena->limit || arena->total > arena->limit - size)
        die("a request needed more memory than its limit");
    arena->newest = block_new(size, arena->newest);
    arena->total += size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        die("an impossible size was asked for");
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded > arena->newest->size - arena->newest->used)
        add_block(arena, rounded);
    struct block *block = arena->newest;
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->handed_out += rounded;
    UNPOISON(memory, size);
    memset(memory, 0, size);
    return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        die("an impossible size was asked for");
    return arena_alloc(arena, bytes);
}

char *arena_text(struct arena *arena, struct slice text)
{
    if (text.ptr == NULL)
        return NULL;
    char *copy = arena_alloc(arena, text.len + 1);
    memcpy(copy, text.ptr, text.len);
    return copy;
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    return (struct slice){arena_text(arena, text), text.len};
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        die("a format string is wrong");
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void arena_on_reset(struct arena *arena, void (*clean)(void *object), void *object)
{
    struct cleanup *cleanup = arena_alloc(arena, sizeof *cleanup);
    *cleanup = (struct cleanup){arena->cleanups, clean, object};
    arena->cleanups = cleanup;
}

size_t arena_used(const struct arena *arena)
{
    return arena->handed_out;
}
