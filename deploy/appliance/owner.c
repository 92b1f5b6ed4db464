#include "owner.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell.h"

/* The folder that a path leads into. */
static bool find_folder(const char *path, struct stat *folder)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    bool found = parent != NULL && stat(parent, folder) == 0;
    free(parent);
    return found;
}

/* By its descriptor: whatever has the name meanwhile, only what was made is given away. */
static void give(int made, const char *path)
{
    struct stat folder;
    if (made < 0)
        return;
    if (!find_folder(path, &folder) || fchown(made, folder.st_uid, folder.st_gid) != 0)
        tell("%s belongs to root, though its folder may not", path);
    close(made);
}

void owner_make_file(const char *path)
{
    if (geteuid() == 0)
        give(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR), path);
}

void owner_give_folder(const char *path)
{
    if (geteuid() == 0)
        give(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), path);
}
