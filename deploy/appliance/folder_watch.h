/* Whether the rule files of a folder, or of its promoted/, have changed.
 *
 * Told by the kernel (inotify) as soon as a file is there in whole: renamed or linked into place, closed after writing,
 * removed, or made readable. A change that was made before folder_watch_changed is asked is told then. Either folder may
 * go away and come back; while the folder itself is away, nothing tells of its return. */
#ifndef APPLIANCE_FOLDER_WATCH_H
#define APPLIANCE_FOLDER_WATCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "settings.h"

/* What has a path: another folder, where a link leads elsewhere now, which the kernel does not tell. */
struct folder_identity {
    dev_t device;
    ino_t inode; /* 0: nothing is there */
};

struct folder_watch {
    int events; /* to be polled: readable when something may have changed */
    int folder_watch, promoted_watch;
    struct folder_identity folder_is, promoted_is;
    char folder[PATH_LIMIT], promoted[PATH_LIMIT];
};

/* False when the path is too long or the system has no more watches. The folder need not be there. */
bool folder_watch_open(struct folder_watch *watch, const char *folder) MUST_USE;
void folder_watch_close(struct folder_watch *watch);

/* Whether anything has changed since this was last asked. */
bool folder_watch_changed(struct folder_watch *watch);

/* To be called before the files are read: what changes from now on is told. */
void folder_watch_renew(struct folder_watch *watch);

#endif
