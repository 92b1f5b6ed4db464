#include "sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ack.h"
#include "base/timestamp.h"
#include "commands.h"
#include "cycle.h"
#include "identity.h"
#include "owner.h"
#include "pull.h"
#include "push.h"
#include "queue.h"
#include "reconcile.h"
#include "tell.h"

enum {
    LOCK_SECONDS = 60,
    LOCK_TRIES_A_SECOND = 20,
    CYCLE_MEMORY = 256 * 1024 * 1024,
    SCRATCH_MEMORY = 256 * 1024 * 1024, /* more than an answer of SERVER_BODY_LIMIT can need */
};

/* ---- one at a time ------------------------------------------------------------------------------------------------ */

static int open_lock(const struct settings *settings)
{
    char path[PATH_LIMIT + 8];
    snprintf(path, sizeof path, "%s.lock", settings->state_file);
    owner_make_file(path);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0)
        tell("cannot open the lock file %s: %s", path, strerrordesc_np(errno));
    return file;
}

/* The lock, held as long as the file is open; -1 with the reason told. */
static int take_lock(const struct settings *settings, const struct server *server)
{
    const struct timespec pause = {.tv_nsec = 1000000000 / LOCK_TRIES_A_SECOND};
    int file = open_lock(settings);
    for (int tries = LOCK_SECONDS * LOCK_TRIES_A_SECOND; file >= 0 && flock(file, LOCK_EX | LOCK_NB) != 0; tries--) {
        if (tries == 0 || server_must_stop(server)) {
            tell("another sync with %s is under way", settings->state_file);
            close(file);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return file;
}

/* ---- the steps ---------------------------------------------------------------------------------------------------- */

static bool sign_in(struct cycle *cycle)
{
    struct error error;
    error_clear(&error);
    return server_sign_in(cycle->server, &error) || cycle_fail_request(cycle, "cannot sign in", &error);
}

static void pull(struct cycle *cycle)
{
    if (pull_rules(cycle))
        reconcile(cycle);
}

static void take_steps(struct cycle *cycle)
{
    static void (*const steps[])(struct cycle *cycle) = {queue_send, push_patterns, pull, ack_send};
    reconcile(cycle);
    bool signed_in = sign_in(cycle);
    for (size_t i = 0; signed_in && i < COUNT_OF(steps) && !cycle->unreachable && !server_must_stop(cycle->server); i++)
        steps[i](cycle);
    if (cycle->disorder != NULL)
        cycle_keep(cycle, cycle->disorder);
}

/* For `status`. */
static void note_result(struct cycle *cycle)
{
    bool done = *cycle->why == '\0';
    int64_t now = timestamp_now();
    struct store *store = cycle->store;
    if (store_begin(store) &&
        (done ? meta_set_integer(store, META_LAST_SUCCESS, now) && meta_set_text(store, META_LAST_ERROR, SLICE_ABSENT) &&
                    meta_set_text(store, META_LAST_ERROR_AT, SLICE_ABSENT)
              : meta_set_text(store, META_LAST_ERROR, slice_of(cycle->why)) &&
                    meta_set_integer(store, META_LAST_ERROR_AT, now)) &&
        store_commit(store))
        return;
    cycle_fail_store(cycle);
    store_rollback(store);
}

static struct sync_result run_cycle(const struct settings *settings, struct server *server)
{
    struct cycle cycle = {.settings = settings, .server = server};
    cycle.store = store_open(settings->state_file, cycle.why, sizeof cycle.why);
    if (cycle.store == NULL) {
        tell("%s", cycle.why);
        return (struct sync_result){.done = false};
    }
    cycle.arena = arena_new(CYCLE_MEMORY);
    cycle.scratch = arena_new(SCRATCH_MEMORY);
    if (identity_check(cycle.store, settings, cycle.why, sizeof cycle.why))
        take_steps(&cycle);
    else
        tell("%s", cycle.why);
    if (!server_must_stop(server))
        note_result(&cycle);
    arena_free(cycle.scratch);
    arena_free(cycle.arena);
    store_close(cycle.store);
    return (struct sync_result){*cycle.why == '\0', cycle.pulled, cycle.retry_after};
}

struct sync_result sync_once(const struct settings *settings, struct server *server)
{
    int lock = take_lock(settings, server);
    if (lock < 0)
        return (struct sync_result){.done = false};
    struct sync_result result = run_cycle(settings, server);
    close(lock);
    return result;
}

int command_sync(const struct settings *settings)
{
    struct server *server = server_new(settings, NULL);
    bool done = sync_once(settings, server).done;
    server_free(server);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
