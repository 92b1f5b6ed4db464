#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "sync.h"
#include "tell.h"

enum { LONGEST_WAIT = 15 * 60, JITTER_PERCENT = 10 };

/* Signals that end the process are blocked and looked at between steps, so that none falls into the middle of one. */
static sigset_t endings(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

static bool must_stop(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}

/* Waits; false when the process is to end. */
static bool wait_for(int64_t milliseconds)
{
    sigset_t set = endings();
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    return sigtimedwait(&set, NULL, &time) < 0;
}

/* Tells systemd, where it listens (sd_notify(3)). */
static void tell_ready(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (*path == '@')
        *address.sun_path = '\0';
    int end = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (end < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + (*path == '@' ? 0 : 1));
    if (sendto(end, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
        tell("systemd could not be told that the agent is ready: %s", strerrordesc_np(errno));
    close(end);
}

static int64_t milliseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* From the beginning of one cycle to that of the next: the poll time, doubled for each cycle in a row in which the server
 * gave no rules. A little less than that at random, so that appliances do not come all at once. */
static int64_t interval(const struct settings *settings, unsigned failures)
{
    int64_t seconds = settings->poll_seconds;
    for (unsigned i = 0; i < failures && seconds < LONGEST_WAIT; i++)
        seconds = seconds * 2 < LONGEST_WAIT ? seconds * 2 : LONGEST_WAIT;
    return seconds * 1000 - randombytes_uniform((uint32_t)(seconds * 10 * JITTER_PERCENT) + 1);
}

/* How long to wait when a cycle has taken `elapsed`: never shorter than the server asks for, and always a little. */
static int64_t pause_after(int64_t interval, int64_t elapsed, const struct sync_result *result)
{
    int64_t pause = interval - elapsed > interval / 10 ? interval - elapsed : interval / 10;
    int64_t asked = (result->retry_after < LONGEST_WAIT ? result->retry_after : LONGEST_WAIT) * 1000;
    return pause > asked ? pause : asked;
}

int command_run(const struct settings *settings)
{
    sigset_t set = endings();
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct server *server = server_new(settings, must_stop);
    unsigned failures = 0;
    int64_t pause;
    tell_ready();
    do {
        int64_t begin = milliseconds_now();
        struct sync_result result = sync_once(settings, server);
        failures = result.pulled ? 0 : failures + 1;
        malloc_trim(0);
        pause = pause_after(interval(settings, failures), milliseconds_now() - begin, &result);
    } while (wait_for(pause));
    server_free(server);
    return COMMAND_DONE;
}
