#include "notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_length; /* 0: there is nobody to tell */

void notify_begin(void)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path != NULL && (path[0] == '/' || path[0] == '@') && strlen(path) < sizeof address.sun_path) {
        address.sun_family = AF_UNIX;
        memcpy(address.sun_path, path, strlen(path));
        if (path[0] == '@') /* an address without a file */
            address.sun_path[0] = 0;
        address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    unsetenv("NOTIFY_SOCKET");
}

void notify(const char *line)
{
    if (address_length == 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, line, strlen(line), MSG_NOSIGNAL, (const struct sockaddr *)&address, address_length) < 0)
        perror("flywheel-supervisor: systemd cannot be told");
    close(fd);
}
