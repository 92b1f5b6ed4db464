#include "signing_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signing.h"

/* The folder of the files, locked, and their names in it. */
struct folder {
    const struct signing_files *files;
    int fd;
    const char *path, *key, *other, *public;
};

static bool failed(struct error *error, const char *what, const char *path)
{
    return error_set(error, ERROR_INTERNAL, "file", "%s cannot be %s: %s.", path, what, strerror(errno));
}

static const char *public_name(struct arena *arena, const char *key)
{
    size_t len = strlen(key);
    size_t stem = len > 4 && strcmp(key + len - 4, ".key") == 0 ? len - 4 : len;
    return arena_printf(arena, "%.*s.pub", (int)stem, key);
}

static bool open_folder(const struct signing_files *files, struct folder *folder, struct error *error)
{
    const char *slash = strrchr(files->key_path, '/');
    if (slash == NULL || slash[1] == '\0')
        return error_set(error, ERROR_INVALID, "invalid", "signing_key must be the whole path of a file, not '%s'.",
                         files->key_path);
    *folder = (struct folder){
        .files = files,
        .path = arena_printf(files->arena, "%.*s/", (int)(slash - files->key_path), files->key_path),
        .key = slash + 1,
        .other = arena_printf(files->arena, "%s.other", slash + 1),
        .public = public_name(files->arena, slash + 1),
    };
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return (folder->fd >= 0 && flock(folder->fd, LOCK_EX) == 0) || failed(error, "opened", folder->path);
}

static const char *path_of(const struct folder *folder, const char *name)
{
    return arena_printf(folder->files->arena, "%s%s", folder->path, name);
}

static bool is_there(const struct folder *folder, const char *name)
{
    struct stat status;
    return fstatat(folder->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static bool fill(const struct folder *folder, int fd, const char *text, mode_t mode)
{
    size_t len = strlen(text);
    const struct signing_files *files = folder->files;
    return (geteuid() != 0 || fchown(fd, files->owner, files->group) == 0) && fchmod(fd, mode) == 0 &&
           write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

/* Under another name first, and on the disk before it gets its own: no reader ever sees half of it. */
static bool write_whole(const struct folder *folder, const char *name, const char *text, mode_t mode,
                        struct error *error)
{
    const char *temporary = arena_printf(folder->files->arena, ".%s.new", name);
    (void)unlinkat(folder->fd, temporary, 0);
    int fd = openat(folder->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool done = fd >= 0 && fill(folder, fd, text, mode);
    if (fd >= 0)
        done = close(fd) == 0 && done;
    done = done && renameat(folder->fd, temporary, folder->fd, name) == 0 && fsync(folder->fd) == 0;
    if (!done)
        (void)unlinkat(folder->fd, temporary, 0);
    return done || failed(error, "written", path_of(folder, name));
}

static bool make_seed(const struct folder *folder, const char *name, struct error *error)
{
    char seed[KEY_TEXT_SIZE], public[KEY_TEXT_SIZE], line[KEY_TEXT_SIZE + 1];
    signing_seed_new(seed, public);
    snprintf(line, sizeof line, "%s\n", seed);
    bool made = write_whole(folder, name, line, 0600, error);
    explicit_bzero(seed, sizeof seed);
    explicit_bzero(line, sizeof line);
    return made;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static bool public_key(const struct folder *folder, const char *name, const char **text, struct error *error)
{
    char why[256];
    struct signing_key *key = signing_key_read(path_of(folder, name), why, sizeof why);
    if (key == NULL)
        return error_set(error, ERROR_INVALID, "invalid", "%s", why);
    *text = base64_text(folder->files->arena,
                        (struct slice){(const char *)signing_key_public(key), ED25519_PUBLIC});
    signing_key_free(key);
    return true;
}

static bool look(const struct folder *folder, struct signing_state *state, struct error *error)
{
    *state = (struct signing_state){.public_key_file = path_of(folder, folder->public)};
    if (!is_there(folder, folder->key))
        return error_set(error, ERROR_NOT_FOUND, "not-found",
                         "There is no key %s yet. Make it: flywheelctl signing-key create", folder->files->key_path);
    return public_key(folder, folder->key, &state->signing, error) &&
           (!is_there(folder, folder->other) || public_key(folder, folder->other, &state->other, error));
}

/* ---- the steps ---------------------------------------------------------------------------------------------- */

typedef bool step(const struct folder *folder, struct error *error);

static bool need_other(const struct folder *folder, bool wanted, struct error *error)
{
    if (is_there(folder, folder->other) == wanted)
        return true;
    return error_set(error, ERROR_CONFLICT, "conflict",
                     wanted ? "There is one key only. Make the next one first: flywheelctl signing-key next"
                            : "There are two keys already. Remove the one that does not sign: flywheelctl signing-key retire");
}

static bool create(const struct folder *folder, struct error *error)
{
    return is_there(folder, folder->key) || make_seed(folder, folder->key, error);
}

static bool next(const struct folder *folder, struct error *error)
{
    return need_other(folder, false, error) && make_seed(folder, folder->other, error);
}

static bool exchange(const struct folder *folder, struct error *error)
{
    if (!need_other(folder, true, error))
        return false;
    bool done = renameat2(folder->fd, folder->other, folder->fd, folder->key, RENAME_EXCHANGE) == 0 &&
                fsync(folder->fd) == 0;
    return done || failed(error, "exchanged with the other one", folder->files->key_path);
}

static bool retire(const struct folder *folder, struct error *error)
{
    if (!need_other(folder, true, error))
        return false;
    bool done = unlinkat(folder->fd, folder->other, 0) == 0 && fsync(folder->fd) == 0;
    return done || failed(error, "removed", path_of(folder, folder->other));
}

static bool publish(const struct folder *folder, const struct signing_state *state, struct error *error)
{
    const char *second = state->other != NULL ? arena_printf(folder->files->arena, "%s\n", state->other) : "";
    const char *text = arena_printf(folder->files->arena, "%s\n%s", state->signing, second);
    return write_whole(folder, folder->public, text, 0644, error);
}

/* `work` NULL: only looks. */
static bool walk(const struct signing_files *files, step *work, struct signing_state *state, struct error *error)
{
    struct folder folder = {.fd = -1};
    struct signing_state before;
    bool done = open_folder(files, &folder, error);
    /* A seed that cannot be read is told before anything is changed. */
    if (done && work != NULL && work != create)
        done = look(&folder, &before, error);
    if (done && work != NULL)
        done = work(&folder, error);
    done = done && look(&folder, state, error) && (work == NULL || publish(&folder, state, error));
    if (folder.fd >= 0)
        close(folder.fd);
    return done;
}

bool signing_create(const struct signing_files *files, struct signing_state *state, struct error *error)
{
    return walk(files, create, state, error);
}

bool signing_next(const struct signing_files *files, struct signing_state *state, struct error *error)
{
    return walk(files, next, state, error);
}

bool signing_switch(const struct signing_files *files, struct signing_state *state, struct error *error)
{
    return walk(files, exchange, state, error);
}

bool signing_retire(const struct signing_files *files, struct signing_state *state, struct error *error)
{
    return walk(files, retire, state, error);
}

bool signing_show(const struct signing_files *files, struct signing_state *state, struct error *error)
{
    return walk(files, NULL, state, error);
}
