/*
 * Staged copies. `cp -f` overwrites a program or shared object in place, under whoever runs it; so
 * nothing is ever run from the mount. What runs is a private copy, named by its content:
 *
 *   run/live/<program>-<hash>/<program>      one handler program
 *   run/live/library-<hash>/<name>.so        the shared objects of the mount, one copy for all
 * programs
 *
 * where <hash> is the first 16 digits of the content's SHA-256.
 */
#ifndef FLYWHEEL_SUPERVISOR_STAGE_H
#define FLYWHEEL_SUPERVISOR_STAGE_H

#include "config.h"
#include "digest.h"

#include <limits.h>
#include <stdbool.h>

/* What a process runs. `library` is the SHA-256 of the output of `sha256sum *.so` in the mount. */
struct version {
    struct digest program;
    struct digest library; /* empty when the mount holds no shared object */
};

enum stage_result {
    STAGE_DONE,
    STAGE_UNFINISHED, /* not executable yet, or written while it was copied: another event will
                         follow */
    STAGE_ABSENT,     /* there is no such file */
    STAGE_FAILED      /* errno says why */
};

/* Whether two versions are the same. */
bool version_equal(const struct version *a, const struct version *b);

/* Makes run/live. False with errno set when that fails. */
bool stage_prepare(const struct config *config);

/* Whether `name` in the mount names a handler program: lower-case letters, digits and dashes. */
bool stage_is_program(const char *name);

/* Whether `name` in the mount names a shared object: does not begin with a dot, ends in ".so". */
bool stage_is_library(const char *name);

/* Copies program `name` from the mount and sets `digest`. */
enum stage_result stage_program(const struct config *config, const char *name,
                                struct digest *digest);

/* Copies all shared objects of the mount and sets `digest`, which is empty when there is none. */
enum stage_result stage_library(const struct config *config, struct digest *digest);

/* Where the staged copy of `name` lies. */
void stage_program_path(const struct config *config, const char *name, const struct digest *digest,
                        char path[PATH_MAX]);

/* The folder of the staged shared objects. */
void stage_library_path(const struct config *config, const struct digest *digest,
                        char path[PATH_MAX]);

/* Copies the open file `in` to `target`, which is made anew (mode 0700), and sets `digest`. Not STAGE_ABSENT. */
enum stage_result stage_copy(int in, const char *target, struct digest *digest);

/*
 * Removes every staged copy for which `in_use(folder_name, context)` is false.
 */
void stage_clean(const struct config *config,
                 bool (*in_use)(const char *folder_name, const void *context), const void *context);

/* The folder names the two functions above use, for in_use to compare with. */
void stage_program_folder(const char *name, const struct digest *digest, char folder[NAME_MAX + 1]);
void stage_library_folder(const struct digest *digest, char folder[NAME_MAX + 1]);

#endif
