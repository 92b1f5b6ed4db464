#include "listener.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A full queue is answered with 502 at once; the kernel cuts this to net.core.somaxconn (4096). */
static const int backlog = 4096;

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
    if (socket_address(&address, folder, name) == 0)
        remove_stale(address.sun_path);
}
