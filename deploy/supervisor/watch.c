#include "watch.h"

#include <stdint.h>
#include <sys/inotify.h>
#include <unistd.h>

int watch_open(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

bool watch_add(int fd, const char *folder)
{
    return inotify_add_watch(fd, folder,
                             IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) >= 0;
}

static enum watch_event event_of(uint32_t mask)
{
    if ((mask & IN_Q_OVERFLOW) != 0)
        return WATCH_LOST;
    if ((mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0)
        return WATCH_GONE;
    if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
        return WATCH_FINISHED;
    return (mask & IN_ATTRIB) != 0 ? WATCH_TOUCHED : WATCH_REMOVED;
}

void watch_read(int fd, watch_callback *callback, void *context)
{
    _Alignas(struct inotify_event) char buffer[4096];
    for (;;) {
        ssize_t length = read(fd, buffer, sizeof buffer);
        if (length <= 0)
            return;
        for (ssize_t offset = 0; offset < length;) {
            const struct inotify_event *event =
                (const struct inotify_event *)(const void *)(buffer + offset);
            callback(event_of(event->mask), event->len > 0 ? event->name : NULL, context);
            offset += (ssize_t)(sizeof *event + event->len);
        }
    }
}
