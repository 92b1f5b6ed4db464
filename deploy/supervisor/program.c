#include "program.h"

#include "listener.h"
#include "log.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Pauses between attempts: while nothing serves they stay short, beside a serving process they may
 * grow. */
static const int64_t first_pause_ms = 100;
static const int64_t longest_pause_down_ms = 2000;
static const int64_t longest_pause_serving_ms = 60000;
/* A process that served this long is forgiven what came before. */
static const int64_t steady_ms = 10000;

struct program *program_open(const struct config *config, const char *name)
{
    struct program *program = calloc(1, sizeof *program);
    if (program == NULL)
        return NULL;
    snprintf(program->name, sizeof program->name, "%s", name);
    program->pause_ms = first_pause_ms;
    program->listen_fd = listener_open(config->sockets, name);
    if (program->listen_fd < 0) {
        free(program);
        return NULL;
    }
    return program;
}

void program_close(struct program *program, const struct config *config)
{
    listener_close(program->listen_fd, config->sockets, program->name);
    free(program);
}

struct process *program_process(const struct program *program, enum phase phase)
{
    struct process *process = program->processes;
    while (process != NULL && process->phase != phase)
        process = process->next;
    return process;
}

bool program_is_current(const struct program *program)
{
    const struct process *serving = program_process(program, SERVING);
    return serving != NULL && program_process(program, STARTING) == NULL && !program->unfinished &&
           !program->renew && version_equal(&serving->version, &program->wanted);
}

void program_changed(struct program *program, const struct version *wanted)
{
    program->wanted = *wanted;
    program->pause_ms = first_pause_ms;
    program->retry_ms = 0;
}

__attribute__((format(printf, 2, 3))) static void record_failure(struct program *program,
                                                                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(program->failure, sizeof program->failure, format, arguments);
    va_end(arguments);
    program->failed_at = time(NULL);
}

/* The next attempt waits, and the one after it waits longer. */
static void pause_attempts(struct program *program)
{
    int64_t longest = program_process(program, SERVING) != NULL ? longest_pause_serving_ms
                                                                : longest_pause_down_ms;
    program->retry_ms = process_clock_ms() + program->pause_ms;
    program->pause_ms = program->pause_ms * 2 < longest ? program->pause_ms * 2 : longest;
}

/* Which version to start now; NULL when what runs is right. */
static const struct version *version_to_start(const struct program *program)
{
    const struct process *serving = program_process(program, SERVING);
    if (serving != NULL) {
        bool right = version_equal(&serving->version, &program->wanted) && !program->renew;
        return right ? NULL : &program->wanted;
    }
    bool doubtful =
        version_equal(&program->wanted, &program->refused) || program->wanted.program.hex[0] == 0;
    if (doubtful && program->good.program.hex[0] != 0)
        return &program->good;
    return program->wanted.program.hex[0] != 0 ? &program->wanted : NULL;
}

static void start(struct program *program, const struct config *config,
                  const struct version *version)
{
    struct process *process = process_start(config, program->name, program->listen_fd, version);
    if (process == NULL) {
        record_failure(program, "no process could be made: %s", strerror(errno));
        log_event(LOG_ERROR, "program-not-started", program->name, "%s", program->failure);
        pause_attempts(program);
        return;
    }
    process->next = program->processes;
    program->processes = process;
    program->renew = false;
    log_event(LOG_INFO, "program-started", program->name, "started process %d, version %.16s", (int)process->pid,
              version->program.hex);
}

void program_advance(struct program *program, const struct config *config)
{
    int64_t now = process_clock_ms();
    for (struct process *process = program->processes; process != NULL; process = process->next)
        process_enforce_deadline(process, now);
    if (program_process(program, STARTING) != NULL || now < program->retry_ms)
        return;
    const struct version *version = version_to_start(program);
    if (version != NULL)
        start(program, config, version);
}

int64_t program_due(const struct program *program)
{
    int64_t due = NEVER;
    for (const struct process *process = program->processes; process != NULL;
         process = process->next)
        if (process->phase != SERVING && !process->overdue && process->deadline_ms < due)
            due = process->deadline_ms;
    if (program_process(program, STARTING) == NULL && version_to_start(program) != NULL &&
        program->retry_ms < due)
        due = program->retry_ms;
    return due;
}

static void take_over(struct program *program, struct process *process, const struct config *config)
{
    struct process *old = program_process(program, SERVING);
    process->phase = SERVING;
    process->since = time(NULL);
    program->good = process->version;
    if (version_equal(&process->version, &program->refused))
        memset(&program->refused, 0, sizeof program->refused);
    log_event(LOG_INFO, "program-serves", program->name, "process %d serves, build %s", (int)process->pid, process->build_id);
    if (old != NULL) {
        process_stop(old, config);
        log_event(LOG_INFO, "program-asked-to-stop", program->name, "process %d was asked to stop", (int)old->pid);
    }
}

void program_heard(struct program *program, struct process *process, const struct config *config)
{
    if (process_is_ready(process) && process->phase == STARTING)
        take_over(program, process, config);
}

static void describe_end(char text[64], int status)
{
    if (WIFSIGNALED(status))
        snprintf(text, 64, "was killed by signal %d (%s)", WTERMSIG(status),
                 sigabbrev_np(WTERMSIG(status)));
    else
        snprintf(text, 64, "ended with status %d", WEXITSTATUS(status));
}

static void did_not_start(struct program *program, const struct process *process, const char *end)
{
    program->refused = process->version;
    record_failure(program, "version %.16s did not start: process %d %s%s",
                   process->version.program.hex, (int)process->pid, end,
                   process->overdue ? " because it was not ready in time" : " before it was ready");
    log_event(LOG_ERROR, "program-refused", program->name, "%s", program->failure);
    pause_attempts(program);
}

static void crashed(struct program *program, const struct process *process, const char *end)
{
    program->restarts++;
    record_failure(program, "process %d %s while it served", (int)process->pid, end);
    log_event(LOG_ERROR, "program-crashed", program->name, "%s", program->failure);
    if (process_clock_ms() - process->started_ms >= steady_ms)
        program->pause_ms = first_pause_ms;
    pause_attempts(program);
}

static struct process *unlink_process(struct program *program, pid_t pid)
{
    for (struct process **link = &program->processes; *link != NULL; link = &(*link)->next) {
        struct process *process = *link;
        if (process->pid == pid) {
            *link = process->next;
            return process;
        }
    }
    return NULL;
}

bool program_ended(struct program *program, pid_t pid, int status)
{
    char end[64];
    struct process *process = unlink_process(program, pid);
    if (process == NULL)
        return false;
    enum log_level level = process->overdue ? LOG_WARNING : LOG_INFO;
    describe_end(end, status);
    if (process->phase == STARTING)
        did_not_start(program, process, end);
    else if (process->phase == SERVING)
        crashed(program, process, end);
    else
        log_event(level, "program-ended", program->name, "process %d %s%s", (int)pid, end,
                  process->overdue ? " because it did not stop in time" : ", as asked");
    process_free(process);
    return true;
}

void program_stop(struct program *program, const struct config *config)
{
    for (struct process *process = program->processes; process != NULL; process = process->next)
        process_stop(process, config);
}
