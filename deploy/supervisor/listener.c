#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A full queue is answered with 502 at once; the kernel cuts this to net.core.somaxconn (4096). */
static const int backlog = 4096;

/* Where the sockets that were handed over are bound; the descriptor is FIRST_INHERITED + index. */
enum { FIRST_INHERITED = 3, INHERITED_MAX = 64 };
static char inherited[INHERITED_MAX][sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

static long number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* Keeps where a listening unix socket is bound; anything else is left alone. */
static void inherit_one(int index)
{
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    int fd = FIRST_INHERITED + index, listening = 0;
    socklen_t listening_length = sizeof listening;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &listening_length) == 0 && listening != 0 &&
        getsockname(fd, (struct sockaddr *)&address, &length) == 0 && address.sun_family == AF_UNIX)
        snprintf(inherited[index], sizeof inherited[index], "%.*s", (int)sizeof address.sun_path, address.sun_path);
}

void listener_inherit(void)
{
    long count = number_of("LISTEN_PID") == getpid() ? number_of("LISTEN_FDS") : 0;
    for (int i = 0; i < count && i < INHERITED_MAX; i++)
        inherit_one(i);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

static int inherited_fd(const struct sockaddr_un *address)
{
    for (int i = 0; i < INHERITED_MAX; i++)
        if (inherited[i][0] != 0 && strcmp(inherited[i], address->sun_path) == 0)
            return FIRST_INHERITED + i;
    return -1;
}

static int socket_address(struct sockaddr_un *address, const char *folder, const char *name)
{
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/%s.sock", folder, name);
    if (length < 0 || (size_t)length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

/* Removes what an earlier run left, but never a file that is no socket. */
static void remove_stale(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && S_ISSOCK(status.st_mode))
        unlink(path);
}

static int bind_private(int fd, const struct sockaddr_un *address)
{
    mode_t before = umask(0117);
    int result = bind(fd, (const struct sockaddr *)address, sizeof *address);
    umask(before);
    return result;
}

int listener_open(const char *folder, const char *name)
{
    struct sockaddr_un address;
    if (socket_address(&address, folder, name) < 0)
        return -1;
    if (inherited_fd(&address) >= 0)
        return inherited_fd(&address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    remove_stale(address.sun_path);
    if (bind_private(fd, &address) < 0 || listen(fd, backlog) < 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

void listener_close(int fd, const char *folder, const char *name)
{
    struct sockaddr_un address;
    close(fd);
    if (socket_address(&address, folder, name) == 0 && inherited_fd(&address) != fd)
        remove_stale(address.sun_path);
}
