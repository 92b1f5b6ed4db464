#include "promotion/key_usage.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "db/database.h"

DB_STATEMENT(key_usage_record, 1, "SELECT note_key_use($1::uuid[])");

enum { SLOTS = 256, UUID_LENGTH = 36, GATHER_S = 1, ARENA_LIMIT = 1024 * 1024 };

/* The keys seen lately; one that finds its slot taken by another replaces it, at the price of a note too many. */
struct slot {
    char key_id[UUID_LENGTH];
    int64_t minute; /* when it was noted last */
    bool pending;   /* not written yet */
};

struct key_usage {
    const char *conninfo;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool any_pending, stopping;
    struct slot slots[SLOTS];
};

static int64_t current_minute(void)
{
    return (int64_t)time(NULL) / 60;
}

/* FNV-1a */
static size_t slot_of(struct slice key_id)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < key_id.len; i++)
        hash = (hash ^ (unsigned char)key_id.ptr[i]) * 16777619U;
    return hash % SLOTS;
}

void key_usage_note(struct key_usage *usage, struct slice key_id)
{
    if (usage == NULL || key_id.len != UUID_LENGTH)
        return;
    struct slot *slot = &usage->slots[slot_of(key_id)];
    int64_t minute = current_minute();
    pthread_mutex_lock(&usage->lock);
    if (slot->minute != minute || memcmp(slot->key_id, key_id.ptr, UUID_LENGTH) != 0) {
        memcpy(slot->key_id, key_id.ptr, UUID_LENGTH);
        slot->minute = minute;
        slot->pending = usage->any_pending = true;
        pthread_cond_signal(&usage->changed);
    }
    pthread_mutex_unlock(&usage->lock);
}

/* Takes the pending keys as the text of a uuid[]. The lock is held. */
static void take_pending(struct key_usage *usage, struct buffer *ids)
{
    buffer_append_char(ids, '{');
    for (size_t i = 0; i < SLOTS; i++) {
        if (!usage->slots[i].pending)
            continue;
        usage->slots[i].pending = false;
        buffer_append_format(ids, "%s%.*s", ids->len > 1 ? "," : "", (int)UUID_LENGTH, usage->slots[i].key_id);
    }
    buffer_append_char(ids, '}');
    usage->any_pending = false;
}

static bool record(struct db_transaction *transaction, void *ids, struct error *error)
{
    const char *value = ids;
    return db_query(transaction, &key_usage_record, &value, NULL, error);
}

/* A connection for the moment only: once a minute is too rare to keep one. A failure has been logged and costs a note. */
static void write_down(const char *conninfo, struct buffer *ids)
{
    struct error error = {0};
    struct arena *arena = arena_new(ARENA_LIMIT);
    struct database *database = database_new(conninfo, "key-usage", 1);
    bool written = db_write(database, arena, record, arena_text(arena, buffer_slice(ids)), &error);
    (void)written;
    arena_free(arena);
    database_free(database);
}

static void *run(void *argument)
{
    struct key_usage *usage = argument;
    struct buffer ids = buffer_make(SLOTS * (UUID_LENGTH + 1) + 2);
    pthread_mutex_lock(&usage->lock);
    for (;;) {
        while (!usage->any_pending && !usage->stopping)
            pthread_cond_wait(&usage->changed, &usage->lock);
        if (!usage->any_pending)
            break;
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += GATHER_S;
        while (!usage->stopping && pthread_cond_timedwait(&usage->changed, &usage->lock, &until) == 0)
            ; /* others may come in the same second */
        take_pending(usage, &ids);
        pthread_mutex_unlock(&usage->lock);
        write_down(usage->conninfo, &ids);
        buffer_clear(&ids);
        pthread_mutex_lock(&usage->lock);
    }
    pthread_mutex_unlock(&usage->lock);
    buffer_free(&ids);
    return NULL;
}

/* One that waits by the monotonic clock: when the machine's time is set back, notes are not late by as much. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct key_usage *key_usage_start(const char *conninfo)
{
    struct key_usage *usage = conninfo != NULL ? calloc(1, sizeof *usage) : NULL;
    if (usage == NULL)
        return NULL;
    usage->conninfo = conninfo;
    pthread_mutex_init(&usage->lock, NULL);
    init_condition(&usage->changed);
    if (pthread_create(&usage->thread, NULL, run, usage) == 0)
        return usage;
    free(usage);
    return NULL;
}

void key_usage_stop(struct key_usage *usage)
{
    if (usage == NULL)
        return;
    pthread_mutex_lock(&usage->lock);
    usage->stopping = true;
    pthread_cond_signal(&usage->changed);
    pthread_mutex_unlock(&usage->lock);
    pthread_join(usage->thread, NULL);
    pthread_cond_destroy(&usage->changed);
    pthread_mutex_destroy(&usage->lock);
    free(usage);
}
