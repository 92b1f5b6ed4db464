#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char unfinished_library[] = ".library";
static const char unfinished_program[] = ".program";

bool version_equal(const struct version *a, const struct version *b)
{
    return strcmp(a->program.hex, b->program.hex) == 0 &&
           strcmp(a->library.hex, b->library.hex) == 0;
}

bool stage_is_program(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length < 64 && name[length] == 0 && name[0] != '-';
}

bool stage_is_library(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 3 && strcmp(name + length - 3, ".so") == 0;
}

void stage_program_folder(const char *name, const struct digest *digest, char folder[NAME_MAX + 1])
{
    snprintf(folder, NAME_MAX + 1, "%s-%.16s", name, digest->hex);
}

void stage_library_folder(const struct digest *digest, char folder[NAME_MAX + 1])
{
    snprintf(folder, NAME_MAX + 1, "library-%.16s", digest->hex);
}

/* A path that does not fit becomes an empty one, which every use of it refuses. */
static void join(char path[PATH_MAX], const char *run, const char *folder, const char *name)
{
    int length =
        snprintf(path, PATH_MAX, "%s/live/%s%s%s", run, folder, name[0] == 0 ? "" : "/", name);
    if (length < 0 || length >= PATH_MAX)
        path[0] = 0;
}

void stage_program_path(const struct config *config, const char *name, const struct digest *digest,
                        char path[PATH_MAX])
{
    char folder[NAME_MAX + 1];
    stage_program_folder(name, digest, folder);
    join(path, config->run, folder, name);
}

void stage_library_path(const struct config *config, const struct digest *digest,
                        char path[PATH_MAX])
{
    char folder[NAME_MAX + 1];
    stage_library_folder(digest, folder);
    join(path, config->run, folder, "");
}

bool stage_prepare(const struct config *config)
{
    char path[PATH_MAX];
    join(path, config->run, "", "");
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* Copies from `in` to `out` and digests on the way. */
static bool copy_bytes(int in, int out, struct digest *digest)
{
    static char buffer[65536];
    struct digest_context context;
    digest_begin(&context);
    for (;;) {
        ssize_t length = read(in, buffer, sizeof buffer);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return false;
        if (length == 0)
            break;
        digest_add(&context, buffer, (size_t)length);
        if (!write_all(out, buffer, (size_t)length))
            return false;
    }
    *digest = digest_end(&context);
    return true;
}

static bool same_content(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum stage_result stage_copy(int in, const char *target, struct digest *digest)
{
    struct stat before, after;
    if (fstat(in, &before) < 0)
        return STAGE_FAILED;
    unlink(target);
    int out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (out < 0)
        return STAGE_FAILED;
    bool copied = copy_bytes(in, out, digest);
    int reason = errno;
    close(out);
    errno = reason;
    if (!copied || fstat(in, &after) < 0)
        return STAGE_FAILED;
    return same_content(&before, &after) ? STAGE_DONE : STAGE_UNFINISHED;
}

/* Opens a regular file of the mount; `executable` asks for the x bit too. */
static enum stage_result open_source(const struct config *config, const char *name, bool executable,
                                     int *fd)
{
    char path[PATH_MAX];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", config->handlers, name);
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return errno == ENOENT ? STAGE_ABSENT : errno == EACCES ? STAGE_UNFINISHED : STAGE_FAILED;
    if (fstat(*fd, &status) == 0 && S_ISREG(status.st_mode) &&
        (!executable || (status.st_mode & 0111) != 0))
        return STAGE_DONE;
    close(*fd);
    return STAGE_UNFINISHED;
}

static enum stage_result copy_file(const struct config *config, const char *name, bool executable,
                                   const char *target, struct digest *digest)
{
    int in;
    enum stage_result result = open_source(config, name, executable, &in);
    if (result != STAGE_DONE)
        return result;
    result = stage_copy(in, target, digest);
    int reason = errno;
    close(in);
    errno = reason;
    return result;
}

/* Gives the finished copy its name; one that is there already has the same content. */
static enum stage_result place_program(const struct config *config, const char *temporary,
                                       const char *name, const struct digest *digest)
{
    char folder[NAME_MAX + 1], path[PATH_MAX];
    stage_program_folder(name, digest, folder);
    join(path, config->run, folder, "");
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return STAGE_FAILED;
    join(path, config->run, folder, name);
    if (access(path, X_OK) == 0) {
        unlink(temporary);
        return STAGE_DONE;
    }
    return rename(temporary, path) == 0 ? STAGE_DONE : STAGE_FAILED;
}

enum stage_result stage_program(const struct config *config, const char *name,
                                struct digest *digest)
{
    char temporary[PATH_MAX];
    join(temporary, config->run, unfinished_program, "");
    enum stage_result result = copy_file(config, name, true, temporary, digest);
    if (result == STAGE_DONE)
        return place_program(config, temporary, name, digest);
    int reason = errno;
    unlink(temporary);
    errno = reason;
    return result;
}

static void remove_folder(const struct config *config, const char *folder)
{
    char path[PATH_MAX];
    join(path, config->run, folder, "");
    DIR *open_folder = opendir(path);
    if (open_folder != NULL) {
        for (struct dirent *entry; (entry = readdir(open_folder)) != NULL;)
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                unlinkat(dirfd(open_folder), entry->d_name, 0);
        closedir(open_folder);
    }
    rmdir(path);
}

static int is_library_entry(const struct dirent *entry)
{
    return stage_is_library(entry->d_name);
}

/* Names compared byte by byte, as `LC_ALL=C sha256sum *.so` lists them. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Copies the named files into the unfinished folder; `digest` is that of their sha256sum lines. */
static enum stage_result copy_libraries(const struct config *config, struct dirent **entries,
                                        int count, struct digest *digest)
{
    struct digest_context context;
    digest_begin(&context);
    for (int i = 0; i < count; i++) {
        char target[PATH_MAX], line[NAME_MAX + 80];
        struct digest file;
        join(target, config->run, unfinished_library, entries[i]->d_name);
        enum stage_result result = copy_file(config, entries[i]->d_name, false, target, &file);
        if (result != STAGE_DONE)
            return result;
        int length = snprintf(line, sizeof line, "%s  %s\n", file.hex, entries[i]->d_name);
        digest_add(&context, line, (size_t)length);
    }
    *digest = digest_end(&context);
    return STAGE_DONE;
}

static enum stage_result place_library(const struct config *config, const struct digest *digest)
{
    char from[PATH_MAX], to[PATH_MAX];
    join(from, config->run, unfinished_library, "");
    stage_library_path(config, digest, to);
    if (access(to, X_OK) == 0) {
        remove_folder(config, unfinished_library);
        return STAGE_DONE;
    }
    return rename(from, to) == 0 ? STAGE_DONE : STAGE_FAILED;
}

enum stage_result stage_library(const struct config *config, struct digest *digest)
{
    char path[PATH_MAX];
    struct dirent **entries;
    digest->hex[0] = 0;
    int count = scandir(config->handlers, &entries, is_library_entry, by_name);
    if (count < 0)
        return STAGE_FAILED;
    enum stage_result result = STAGE_DONE;
    if (count > 0) {
        remove_folder(config, unfinished_library);
        join(path, config->run, unfinished_library, "");
        result =
            mkdir(path, 0700) == 0 ? copy_libraries(config, entries, count, digest) : STAGE_FAILED;
        if (result == STAGE_DONE)
            result = place_library(config, digest);
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return result;
}

void stage_clean(const struct config *config, bool (*in_use)(const char *, const void *),
                 const void *context)
{
    char path[PATH_MAX];
    join(path, config->run, "", "");
    DIR *live = opendir(path);
    if (live == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(live)) != NULL;)
        if (entry->d_name[0] != '.' && !in_use(entry->d_name, context))
            remove_folder(config, entry->d_name);
    closedir(live);
}
