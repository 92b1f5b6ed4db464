#include "supervisor.h"

#include "listener.h"
#include "log.h"
#include "notify.h"
#include "pages.h"
#include "program.h"
#include "stage.h"
#include "state.h"
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct supervisor {
    const struct config *config;
    struct program *programs; /* sorted by name */
    struct digest library;    /* of the shared objects in the mount */
    bool library_unfinished;
    bool mount_gone;
    bool stopping, told_ready;
    struct pages *pages; /* NULL when no dashboard is published */
    int64_t settle_ms; /* when the mount is looked at; NEVER when nothing has happened in it */
    int epoll_fd, signal_fd, watch_fd;
};

/* ---- the mount ---- */

static struct program *find_program(const struct supervisor *supervisor, const char *name)
{
    struct program *program = supervisor->programs;
    while (program != NULL && strcmp(program->name, name) != 0)
        program = program->next;
    return program;
}

static struct program *add_program(struct supervisor *supervisor, const char *name)
{
    struct program *program = program_open(supervisor->config, name);
    if (program == NULL) {
        log_event(LOG_ERROR, "no-socket", name, "no listening socket in %s: %s", supervisor->config->sockets,
                  strerror(errno));
        return NULL;
    }
    struct program **link = &supervisor->programs;
    while (*link != NULL && strcmp((*link)->name, name) < 0)
        link = &(*link)->next;
    program->next = *link;
    *link = program;
    return program;
}

/* Something finished in the mount; it is looked at when no more has come for a while. */
static void look_soon(struct supervisor *supervisor)
{
    supervisor->settle_ms = process_clock_ms() + supervisor->config->settle_ms;
}

static void program_file_finished(struct supervisor *supervisor, const char *name)
{
    struct program *program = find_program(supervisor, name);
    if (program == NULL)
        program = add_program(supervisor, name);
    if (program == NULL)
        return;
    program->unfinished = true;
    look_soon(supervisor);
}

static void file_finished(struct supervisor *supervisor, const char *name)
{
    if (stage_is_library(name)) {
        supervisor->library_unfinished = true;
        look_soon(supervisor);
    } else if (stage_is_program(name)) {
        program_file_finished(supervisor, name);
    }
}

static void file_removed(struct supervisor *supervisor, const char *name)
{
    struct program *program = find_program(supervisor, name);
    if (program == NULL)
        return;
    program->absent = true;
    program->unfinished = false;
    log_event(LOG_WARNING, "program-removed", name, "its file was removed from the mount; what runs goes on");
}

/* Everything counts as new: at the start, and when events were lost. */
static void look_at_everything(struct supervisor *supervisor)
{
    DIR *mount = opendir(supervisor->config->handlers);
    if (mount == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(mount)) != NULL;)
        file_finished(supervisor, entry->d_name);
    closedir(mount);
    supervisor->library_unfinished = true;
    look_soon(supervisor);
}

static void mount_event(enum watch_event event, const char *name, void *context)
{
    struct supervisor *supervisor = context;
    if (event == WATCH_LOST) {
        look_at_everything(supervisor);
    } else if (event == WATCH_GONE) {
        supervisor->mount_gone = true;
        look_soon(supervisor);
    } else if (name != NULL && event == WATCH_FINISHED) {
        file_finished(supervisor, name);
    } else if (name != NULL && event == WATCH_REMOVED) {
        file_removed(supervisor, name);
    } else if (name != NULL) {
        const struct program *program = find_program(supervisor, name);
        if (program != NULL && program->unfinished)
            look_soon(supervisor);
    }
}

/* A mount that was replaced as a whole: watch the new one, or try again later. */
static void watch_again(struct supervisor *supervisor)
{
    if (watch_add(supervisor->watch_fd, supervisor->config->handlers)) {
        supervisor->mount_gone = false;
        log_event(LOG_INFO, "mount-replaced", "supervisor", "the handlers' folder was replaced; watching the new one");
        look_at_everything(supervisor);
        return;
    }
    log_event(LOG_ERROR, "mount-gone", "supervisor", "%s: %s; what runs goes on", supervisor->config->handlers,
              strerror(errno));
    supervisor->settle_ms = process_clock_ms() + 5000;
}

static void stage_new_library(struct supervisor *supervisor)
{
    struct digest digest;
    enum stage_result result = stage_library(supervisor->config, &digest);
    if (result == STAGE_FAILED)
        log_event(LOG_ERROR, "not-copied", "supervisor", "the shared library cannot be copied to %s/live: %s",
                  supervisor->config->run, strerror(errno));
    if (result != STAGE_DONE)
        return;
    supervisor->library = digest;
    supervisor->library_unfinished = false;
}

static void stage_new_program(struct supervisor *supervisor, struct program *program)
{
    struct digest digest;
    enum stage_result result = stage_program(supervisor->config, program->name, &digest);
    if (result == STAGE_FAILED)
        log_event(LOG_ERROR, "not-copied", program->name, "cannot be copied to %s/live: %s", supervisor->config->run,
                  strerror(errno));
    if (result == STAGE_ABSENT)
        file_removed(supervisor, program->name);
    if (result != STAGE_DONE)
        return;
    program->unfinished = false;
    program->absent = false;
    struct version wanted = {.program = digest, .library = supervisor->library};
    if (!version_equal(&wanted, &program->wanted))
        program_changed(program, &wanted);
}

/* Every program runs with the library of the mount, whichever of the two changed. */
static void use_new_library(struct supervisor *supervisor, struct program *program)
{
    struct version wanted = {.program = program->wanted.program, .library = supervisor->library};
    if (!program->unfinished && wanted.program.hex[0] != 0 &&
        !version_equal(&wanted, &program->wanted))
        program_changed(program, &wanted);
}

static void look_at_mount(struct supervisor *supervisor)
{
    supervisor->settle_ms = NEVER;
    if (supervisor->config->handlers == NULL)
        return;
    if (supervisor->mount_gone) {
        watch_again(supervisor);
        return;
    }
    if (supervisor->library_unfinished)
        stage_new_library(supervisor);
    for (struct program *program = supervisor->programs; program != NULL; program = program->next) {
        if (program->unfinished)
            stage_new_program(supervisor, program);
        use_new_library(supervisor, program);
    }
}

/* ---- staged copies ---- */

static bool version_uses(const struct program *program, const struct version *version,
                         const char *folder)
{
    char name[NAME_MAX + 1];
    stage_program_folder(program->name, &version->program, name);
    if (strcmp(name, folder) == 0)
        return true;
    stage_library_folder(&version->library, name);
    return strcmp(name, folder) == 0;
}

static bool folder_in_use(const char *folder, const void *context)
{
    const struct supervisor *supervisor = context;
    char name[NAME_MAX + 1];
    stage_library_folder(&supervisor->library, name);
    if (strcmp(name, folder) == 0)
        return true;
    for (const struct program *program = supervisor->programs; program != NULL;
         program = program->next) {
        if (version_uses(program, &program->wanted, folder) ||
            version_uses(program, &program->good, folder))
            return true;
        for (const struct process *process = program->processes; process != NULL;
             process = process->next)
            if (version_uses(program, &process->version, folder))
                return true;
    }
    return false;
}

/* ---- events ---- */

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (struct program *program = supervisor->programs; program != NULL;
             program = program->next)
            if (program_ended(program, pid, status))
                break;
}

static void renew_all(struct supervisor *supervisor)
{
    log_event(LOG_INFO, "programs-renewed", "supervisor", "every program gets a fresh process");
    for (struct program *program = supervisor->programs; program != NULL; program = program->next) {
        program->renew = true;
        program->retry_ms = 0;
    }
}

static void reopen_log(struct supervisor *supervisor)
{
    if (supervisor->config->log == NULL || !log_to_file(supervisor->config->log))
        log_event(LOG_WARNING, "log-not-opened", "supervisor", "there is no log to open anew");
    renew_all(supervisor);
}

static void stop_all(struct supervisor *supervisor)
{
    log_event(LOG_INFO, "supervisor-stopping", "supervisor", "stopping");
    notify("STOPPING=1");
    supervisor->stopping = true;
    for (struct program *program = supervisor->programs; program != NULL; program = program->next)
        program_stop(program, supervisor->config);
}

static void read_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo signal;
    while (read(supervisor->signal_fd, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGCHLD)
            reap(supervisor);
        else if (signal.ssi_signo == SIGHUP)
            renew_all(supervisor);
        else if (signal.ssi_signo == SIGUSR1)
            reopen_log(supervisor);
        else if (!supervisor->stopping)
            stop_all(supervisor);
    }
}

static void hear_process(struct supervisor *supervisor, int fd)
{
    for (struct program *program = supervisor->programs; program != NULL; program = program->next)
        for (struct process *process = program->processes; process != NULL; process = process->next)
            if (process->ready_fd == fd) {
                program_heard(program, process, supervisor->config);
                return;
            }
}

static bool add_to_epoll(const struct supervisor *supervisor, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(supervisor->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

static void take_event(struct supervisor *supervisor, int fd)
{
    if (fd == supervisor->signal_fd)
        read_signals(supervisor);
    else if (fd == supervisor->watch_fd)
        watch_read(supervisor->watch_fd, mount_event, supervisor);
    else if (supervisor->pages != NULL && fd == pages_fd(supervisor->pages))
        pages_read(supervisor->pages);
    else
        hear_process(supervisor, fd);
}

/* Does what is due, and listens to processes that were started by it. */
static void advance(struct supervisor *supervisor)
{
    if (!supervisor->stopping && process_clock_ms() >= supervisor->settle_ms)
        look_at_mount(supervisor);
    if (!supervisor->stopping && supervisor->pages != NULL)
        pages_advance(supervisor->pages);
    for (struct program *program = supervisor->programs; program != NULL; program = program->next) {
        if (supervisor->stopping) {
            for (struct process *process = program->processes; process != NULL;
                 process = process->next)
                process_enforce_deadline(process, process_clock_ms());
            continue;
        }
        program_advance(program, supervisor->config);
        const struct process *starting = program_process(program, STARTING);
        if (starting != NULL && starting->ready_fd >= 0)
            add_to_epoll(supervisor, starting->ready_fd);
    }
}

/* How long epoll may wait: -1 when only an event can bring something to do. */
static int time_to_wait(const struct supervisor *supervisor)
{
    int64_t due = supervisor->stopping ? NEVER : supervisor->settle_ms;
    if (!supervisor->stopping && supervisor->pages != NULL && pages_due(supervisor->pages) < due)
        due = pages_due(supervisor->pages);
    for (const struct program *program = supervisor->programs; program != NULL;
         program = program->next) {
        int64_t one = program_due(program);
        due = one < due ? one : due;
    }
    if (due == NEVER)
        return -1;
    int64_t wait = due - process_clock_ms();
    return wait < 0 ? 0 : wait > 60000 ? 60000 : (int)wait;
}

static bool anything_runs(const struct supervisor *supervisor)
{
    for (const struct program *program = supervisor->programs; program != NULL;
         program = program->next)
        if (program->processes != NULL)
            return true;
    return false;
}

static void record(const struct supervisor *supervisor)
{
    bool settled = supervisor->settle_ms == NEVER && !supervisor->library_unfinished;
    if (!state_write(supervisor->config, supervisor->programs, &supervisor->library, supervisor->pages, settled))
        log_event(LOG_ERROR, "state-not-written", "supervisor", "%s/supervisor.json cannot be written: %s", supervisor->config->run,
                  strerror(errno));
}

/* Every program serves, or was tried: whoever waits for the service to be up may go on. Told once. */
static void tell_ready(struct supervisor *supervisor)
{
    if (supervisor->told_ready || supervisor->stopping || supervisor->settle_ms != NEVER)
        return;
    for (const struct program *program = supervisor->programs; program != NULL; program = program->next)
        if (program_process(program, SERVING) == NULL && program->failed_at == 0)
            return;
    supervisor->told_ready = true;
    notify("READY=1");
}

static void loop(struct supervisor *supervisor)
{
    struct epoll_event events[16];
    while (!supervisor->stopping || anything_runs(supervisor)) {
        advance(supervisor);
        record(supervisor);
        tell_ready(supervisor);
        stage_clean(supervisor->config, folder_in_use, supervisor);
        int count = epoll_wait(supervisor->epoll_fd, events, 16, time_to_wait(supervisor));
        for (int i = 0; i < count; i++)
            take_event(supervisor, events[i].data.fd);
    }
}

/* ---- beginning and end ---- */

/* Two supervisors on one folder would steal each other's sockets. The lock ends with the process.
 */
static bool lock_run_folder(const struct config *config)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/supervisor.lock", config->run);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static bool complain(const char *what)
{
    fprintf(stderr, "flywheel-supervisor: %s: %s\n", what, strerror(errno));
    return false;
}

static bool begin(struct supervisor *supervisor)
{
    const struct config *config = supervisor->config;
    if (config->log != NULL && !log_to_file(config->log))
        return complain("the file of --log cannot be opened");
    if (!lock_run_folder(config))
        return complain("another supervisor runs here, or the folder of --run is not writable");
    if (!stage_prepare(config))
        return complain("the folder for staged copies cannot be made in --run");
    supervisor->signal_fd = open_signals();
    supervisor->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    supervisor->watch_fd = watch_open();
    if (supervisor->signal_fd < 0 || supervisor->epoll_fd < 0 || supervisor->watch_fd < 0)
        return complain("no descriptor for events");
    if (config->handlers != NULL && !watch_add(supervisor->watch_fd, config->handlers))
        return complain("the folder of --handlers cannot be watched");
    if (config->frontend != NULL && (supervisor->pages = pages_open(config)) == NULL)
        return complain("no descriptor to watch the folder of --frontend");
    if (supervisor->pages != NULL && !add_to_epoll(supervisor, pages_fd(supervisor->pages)))
        return complain("the folder of --frontend cannot be watched");
    return add_to_epoll(supervisor, supervisor->signal_fd) &&
           add_to_epoll(supervisor, supervisor->watch_fd);
}

static void end(struct supervisor *supervisor)
{
    record(supervisor);
    while (supervisor->programs != NULL) {
        struct program *program = supervisor->programs;
        supervisor->programs = program->next;
        program_close(program, supervisor->config);
    }
    if (supervisor->pages != NULL)
        pages_close(supervisor->pages);
    log_event(LOG_INFO, "supervisor-stopped", "supervisor", "stopped");
}

int supervisor_run(const struct config *config)
{
    struct supervisor supervisor = {.config = config, .settle_ms = NEVER};
    listener_inherit();
    notify_begin();
    if (!begin(&supervisor))
        return EXIT_FAILURE;
    if (config->handlers != NULL)
        look_at_everything(&supervisor);
    supervisor.settle_ms = 0;
    loop(&supervisor);
    end(&supervisor);
    return EXIT_SUCCESS;
}
