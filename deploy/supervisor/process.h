/*
 * One running handler process: how it is started, and what it says when it is ready.
 */
#ifndef FLYWHEEL_SUPERVISOR_PROCESS_H
#define FLYWHEEL_SUPERVISOR_PROCESS_H

#include "config.h"
#include "stage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum phase {
    STARTING, /* checks itself; has not said that it is ready */
    SERVING,  /* accepts connections */
    STOPPING  /* was asked to stop and finishes what is in flight */
};

struct process {
    struct process *next;
    pid_t pid;
    enum phase phase;
    int ready_fd;   /* where it will write "ready <build id>"; -1 once that is read or closed */
    char said[160]; /* what came from there so far */
    size_t said_length;
    bool overdue;        /* was killed because it took too long */
    int64_t deadline_ms; /* when it is killed, in STARTING and STOPPING */
    int64_t started_ms;  /* on the monotonic clock */
    time_t since;        /* when it began to serve */
    char build_id[128];  /* as it said itself */
    struct version version;
};

/* Milliseconds on the monotonic clock, which no change of the time of day disturbs. */
int64_t process_clock_ms(void);

/*
 * Starts the staged copy `version` of program `name` with `listen_fd` as its descriptor 0. Returns
 * a process in phase STARTING, to be freed with process_free, or NULL with errno set.
 */
struct process *process_start(const struct config *config, const char *name, int listen_fd,
                              const struct version *version);

/* Asks it to stop (SIGTERM) and sets when it will be killed if it has not. */
void process_stop(struct process *process, const struct config *config);

/* Kills it if its deadline is over. */
void process_enforce_deadline(struct process *process, int64_t now_ms);

/*
 * Reads what it said. True once the line "ready <build id>" is complete; build_id is set then. When
 * the other end was closed without it, ready_fd becomes -1 and the exit or the deadline decides.
 */
bool process_is_ready(struct process *process);

/* Closes its descriptor and frees it. */
void process_free(struct process *process);

#endif
