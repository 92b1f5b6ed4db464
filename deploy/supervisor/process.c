#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int64_t process_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A handler must not outlive a supervisor that was killed: nobody would stop it then. */
static void die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(0);
}

static void default_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
}

static void set_environment(const struct config *config, const struct version *version,
                            int ready_fd)
{
    char number[16], library[PATH_MAX];
    snprintf(number, sizeof number, "%d", ready_fd);
    setenv("FLYWHEEL_READY_FD", number, 1);
    setenv("FLYWHEEL_CONFIG", config->config, 1);
    unsetenv("LD_LIBRARY_PATH");
    if (version->library.hex[0] != 0) {
        stage_library_path(config, &version->library, library);
        setenv("LD_LIBRARY_PATH", library, 1);
    }
}

/* In the child: becomes the handler, or ends with 127 as a shell would. */
static _Noreturn void run_handler(const struct config *config, const char *name, int listen_fd,
                                  int ready_fd, const struct version *version)
{
    char path[PATH_MAX];
    default_signals();
    stage_program_path(config, name, &version->program, path);
    set_environment(config, version, ready_fd);
    if (dup2(listen_fd, STDIN_FILENO) == STDIN_FILENO && fcntl(ready_fd, F_SETFD, 0) == 0)
        execl(path, path, (char *)NULL); /* so that ps tells which copy runs */
    dprintf(STDERR_FILENO, "%s: cannot be started: %s\n", path, strerror(errno));
    _exit(127);
}

static struct process *process_make(pid_t pid, int ready_fd, const struct config *config,
                                    const struct version *version)
{
    struct process *process = calloc(1, sizeof *process);
    if (process == NULL)
        return NULL;
    process->pid = pid;
    process->phase = STARTING;
    process->ready_fd = ready_fd;
    process->version = *version;
    process->started_ms = process_clock_ms();
    process->deadline_ms = process->started_ms + config->ready_ms;
    return process;
}

struct process *process_start(const struct config *config, const char *name, int listen_fd,
                              const struct version *version)
{
    int ready[2];
    if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0)
        return NULL;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        die_with_parent(parent);
        run_handler(config, name, listen_fd, ready[1], version);
    }
    close(ready[1]);
    struct process *process = pid > 0 ? process_make(pid, ready[0], config, version) : NULL;
    if (process == NULL) {
        close(ready[0]);
        if (pid > 0)
            kill(pid, SIGKILL);
    }
    return process;
}

void process_stop(struct process *process, const struct config *config)
{
    if (process->phase == STOPPING)
        return;
    process->phase = STOPPING;
    process->deadline_ms = process_clock_ms() + config->stop_ms;
    kill(process->pid, SIGTERM);
}

void process_enforce_deadline(struct process *process, int64_t now_ms)
{
    if (process->phase == SERVING || process->overdue || now_ms < process->deadline_ms)
        return;
    process->overdue = true;
    kill(process->pid, SIGKILL);
}

static void close_ready(struct process *process)
{
    close(process->ready_fd);
    process->ready_fd = -1;
}

/* Takes the build id out of "ready <build id>". */
static bool parse_ready(struct process *process)
{
    static const char word[] = "ready";
    size_t length = strcspn(process->said, "\n");
    if (process->said[length] != '\n' || strncmp(process->said, word, sizeof word - 1) != 0)
        return false;
    process->said[length] = 0;
    const char *id = process->said + sizeof word - 1;
    id += strspn(id, " ");
    snprintf(process->build_id, sizeof process->build_id, "%s", id);
    return true;
}

bool process_is_ready(struct process *process)
{
    if (process->ready_fd < 0)
        return false;
    size_t room = sizeof process->said - 1 - process->said_length;
    ssize_t length = read(process->ready_fd, process->said + process->said_length, room);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (length > 0)
        process->said_length += (size_t)length;
    process->said[process->said_length] = 0;
    bool ready = parse_ready(process);
    if (ready || length <= 0)
        close_ready(process);
    return ready;
}

void process_free(struct process *process)
{
    if (process->ready_fd >= 0)
        close_ready(process);
    free(process);
}
