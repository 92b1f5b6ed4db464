/*
 * One handler program of the mount and the processes that run it: which version should run, which
 * does, and what to do next. The rules:
 *
 * - A new version starts beside the serving process, on the same listening socket. Only when it
 * says that it is ready is the old one asked to stop. One that does not start leaves the old one
 * serving; it is tried again, ever more rarely, and at once when the mount changes.
 * - A process that ends by itself is started again, at first at once, then ever more rarely, in the
 * version that served last; what lies in the mount may be the very thing that does not start.
 */
#ifndef FLYWHEEL_SUPERVISOR_PROGRAM_H
#define FLYWHEEL_SUPERVISOR_PROGRAM_H

#include "process.h"

struct program {
    struct program *next;
    char name[64];
    int listen_fd;
    bool unfinished;           /* its file in the mount was seen to change and is not staged yet */
    bool absent;               /* its file was removed from the mount; what runs goes on */
    bool renew;                /* a fresh process is wanted although the version is the same */
    struct version wanted;     /* what lies in the mount */
    struct version good;       /* what served last; empty digests before anything did */
    struct version refused;    /* what did not start; empty digests when there is none */
    struct process *processes; /* at most one SERVING and one STARTING, any number STOPPING */
    int64_t retry_ms;          /* not before this is anything started */
    int64_t pause_ms;          /* what the next failure costs */
    unsigned restarts;         /* how often a serving process ended by itself */
    time_t failed_at;          /* of the last failure; 0 when there was none */
    char failure[160];         /* what it was */
};

/* The time at which nothing needs to be done. */
#define NEVER INT64_MAX

/* Makes a program with its listening socket, or NULL with errno set. */
struct program *program_open(const struct config *config, const char *name);

/* The file in the mount (or the library) is another one now: forget the pauses that failures have
 * earned. */
void program_changed(struct program *program, const struct version *wanted);

/* Does what is due: starts, kills. Called after every event and when program_due says so. */
void program_advance(struct program *program, const struct config *config);

/* When program_advance has something to do next; NEVER when only an event can bring something. */
int64_t program_due(const struct program *program);

/* The process said something: it serves from here on if it is ready, and the old one is asked to
 * stop. */
void program_heard(struct program *program, struct process *process, const struct config *config);

/* The process with this id has ended with `status` (as from waitpid). False when it is none of
 * ours. */
bool program_ended(struct program *program, pid_t pid, int status);

/* Asks all processes to stop. */
void program_stop(struct program *program, const struct config *config);

/* Closes the socket and frees the program; its processes must be gone. */
void program_close(struct program *program, const struct config *config);

/* The process in that phase, or NULL. */
struct process *program_process(const struct program *program, enum phase phase);

/* Whether what lies in the mount is what serves, and nothing is under way. */
bool program_is_current(const struct program *program);

#endif
