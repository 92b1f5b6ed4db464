#include "folder_watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/rule_folder.h"

static const uint32_t WHOLE = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB;
static const uint32_t ALWAYS = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_Q_OVERFLOW | IN_IGNORED;

bool folder_watch_open(struct folder_watch *watch, const char *folder)
{
    *watch = (struct folder_watch){.events = -1, .folder_watch = -1, .promoted_watch = -1};
    int length = snprintf(watch->promoted, sizeof watch->promoted, "%s/promoted", folder);
    if (length < 0 || (size_t)length >= sizeof watch->promoted)
        return false;
    snprintf(watch->folder, sizeof watch->folder, "%s", folder);
    watch->events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return watch->events >= 0;
}

void folder_watch_close(struct folder_watch *watch)
{
    if (watch->events >= 0)
        close(watch->events);
    watch->events = -1;
}

/* A new name: a file that was linked there is whole, one that is being written is told of when it is closed. */
static bool is_linked(const struct folder_watch *watch, const struct inotify_event *event)
{
    char path[2 * PATH_LIMIT];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", event->wd == watch->promoted_watch ? watch->promoted : watch->folder, event->name);
    return stat(path, &status) == 0 && status.st_size > 0;
}

static bool matters(const struct folder_watch *watch, const struct inotify_event *event)
{
    if ((event->mask & ALWAYS) != 0)
        return true;
    if (event->len == 0)
        return false;
    if ((event->mask & IN_ISDIR) != 0)
        return strcmp(event->name, "promoted") == 0;
    return rule_folder_names(event->name) && ((event->mask & WHOLE) != 0 || is_linked(watch, event));
}

static struct folder_identity look_at(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (struct folder_identity){status.st_dev, status.st_ino} : (struct folder_identity){0};
}

static bool is_another(const char *path, struct folder_identity before)
{
    struct folder_identity now = look_at(path);
    return now.inode != before.inode || now.device != before.device;
}

bool folder_watch_changed(struct folder_watch *watch)
{
    _Alignas(struct inotify_event) char bytes[16 * 1024];
    bool changed = false;
    ssize_t got;
    while ((got = read(watch->events, bytes, sizeof bytes)) > 0) {
        for (const char *at = bytes; at < bytes + got;) {
            const struct inotify_event *event = (const void *)at;
            changed = changed || matters(watch, event);
            at += sizeof *event + event->len;
        }
    }
    return changed || is_another(watch->folder, watch->folder_is) || is_another(watch->promoted, watch->promoted_is);
}

/* The watch of what now has this path; the one of what had it before is given up. */
static void renew(int events, const char *path, int *watch, struct folder_identity *identity)
{
    *identity = look_at(path);
    int renewed = inotify_add_watch(events, path, WHOLE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    if (*watch >= 0 && *watch != renewed)
        inotify_rm_watch(events, *watch);
    *watch = renewed;
}

void folder_watch_renew(struct folder_watch *watch)
{
    renew(watch->events, watch->folder, &watch->folder_watch, &watch->folder_is);
    renew(watch->events, watch->promoted, &watch->promoted_watch, &watch->promoted_is);
}
