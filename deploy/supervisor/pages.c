#include "pages.h"

#include "log.h"
#include "process.h"
#include "publish.h"
#include "tree.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static const uint32_t interest = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM |
                                 IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
static const int64_t again_ms = 5000;

/* A file that somebody has written to and not closed yet. */
struct open_file {
    struct open_file *next;
    int folder; /* the watch descriptor */
    char name[];
};

struct pages {
    const struct config *config;
    int fd;
    int64_t look_ms;
    struct open_file *open_files;
    struct digest index; /* empty before anything was published */
    char why[256];       /* empty when what is in the mount is what is sent */
};

struct pages *pages_open(const struct config *config)
{
    struct pages *pages = calloc(1, sizeof *pages);
    if (pages == NULL)
        return NULL;
    pages->config = config;
    pages->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (pages->fd >= 0)
        return pages;
    free(pages);
    return NULL;
}

int pages_fd(const struct pages *pages)
{
    return pages->fd;
}

static void forget_open(struct pages *pages, int folder, const char *name)
{
    for (struct open_file **link = &pages->open_files; *link != NULL;) {
        struct open_file *file = *link;
        if (name == NULL || (file->folder == folder && strcmp(file->name, name) == 0)) {
            *link = file->next;
            free(file);
        } else {
            link = &file->next;
        }
    }
}

static void remember_open(struct pages *pages, int folder, const char *name)
{
    for (const struct open_file *file = pages->open_files; file != NULL; file = file->next)
        if (file->folder == folder && strcmp(file->name, name) == 0)
            return;
    struct open_file *file = malloc(sizeof *file + strlen(name) + 1);
    if (file == NULL)
        return;
    file->folder = folder;
    memcpy(file->name, name, strlen(name) + 1);
    file->next = pages->open_files;
    pages->open_files = file;
}

static void watch_folder(const char *path, void *context)
{
    const struct pages *pages = context;
    if (inotify_add_watch(pages->fd, path, interest) < 0)
        log_event(LOG_WARNING, "dashboard-not-watched", "dashboard", "%s cannot be watched: %s", path, strerror(errno));
}

/* All folders of the mount, those that are watched already too. */
static void watch_folders(struct pages *pages)
{
    struct tree tree;
    if (tree_read(&tree, pages->config->frontend, watch_folder, pages))
        tree_free(&tree);
}

static void take_event(struct pages *pages, const struct inotify_event *event)
{
    const char *name = event->len > 0 ? event->name : "";
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        forget_open(pages, 0, NULL);
    else if ((event->mask & IN_ISDIR) != 0 && (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0)
        watch_folders(pages);
    else if ((event->mask & IN_MODIFY) != 0)
        remember_open(pages, event->wd, name);
    else if ((event->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM)) != 0)
        forget_open(pages, event->wd, name);
    pages->look_ms = process_clock_ms() + pages->config->settle_ms;
}

void pages_read(struct pages *pages)
{
    _Alignas(struct inotify_event) char buffer[4096];
    for (;;) {
        ssize_t length = read(pages->fd, buffer, sizeof buffer);
        if (length <= 0)
            return;
        for (ssize_t offset = 0; offset < length;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + offset);
            take_event(pages, event);
            offset += (ssize_t)(sizeof *event + event->len);
        }
    }
}

/* Told in the log when it is news. */
static void set_why(struct pages *pages, const char *why)
{
    if (why[0] != 0 && strcmp(why, pages->why) != 0)
        log_event(LOG_WARNING, "dashboard-waits", "dashboard", "what is in the mount is not sent yet: %s", why);
    snprintf(pages->why, sizeof pages->why, "%s", why);
}

static void look(struct pages *pages)
{
    char path[PATH_MAX], why[256];
    struct digest before = pages->index;
    snprintf(path, sizeof path, "%s/pages", pages->config->run);
    watch_folders(pages);
    switch (publish(pages->config->frontend, path, &pages->index, why)) {
    case PUBLISH_DONE:
        pages->look_ms = INT64_MAX;
        set_why(pages, "");
        break;
    case PUBLISH_CHANGED: pages->look_ms = process_clock_ms() + pages->config->settle_ms; break;
    case PUBLISH_WAITING:
        pages->look_ms = INT64_MAX;
        set_why(pages, why);
        break;
    case PUBLISH_FAILED:
    default:
        pages->look_ms = process_clock_ms() + again_ms;
        set_why(pages, why);
        break;
    }
    if (strcmp(before.hex, pages->index.hex) != 0)
        log_event(LOG_INFO, "dashboard-sent", "dashboard", "the page %.16s is sent", pages->index.hex);
}

void pages_advance(struct pages *pages)
{
    if (pages_due(pages) <= process_clock_ms())
        look(pages);
}

int64_t pages_due(const struct pages *pages)
{
    return pages->open_files != NULL ? INT64_MAX : pages->look_ms;
}

void pages_write_state(const struct pages *pages, FILE *out)
{
    bool served = pages->why[0] == 0 && pages->look_ms == INT64_MAX && pages->open_files == NULL;
    fprintf(out, "{\"state\":\"%s\",\"index_sha256\":", served ? "served" : "waiting");
    if (pages->index.hex[0] == 0)
        fputs("null", out);
    else
        log_json_string(out, pages->index.hex);
    fputs(",\"why\":", out);
    if (pages->why[0] == 0)
        fputs("null", out);
    else
        log_json_string(out, pages->why);
    fputc('}', out);
}

void pages_close(struct pages *pages)
{
    forget_open(pages, 0, NULL);
    close(pages->fd);
    free(pages);
}
