/*
 * The regular files below a folder, by their path in it. Names that begin with a dot are left out: copies under way have
 * such names.
 */
#ifndef FLYWHEEL_SUPERVISOR_TREE_H
#define FLYWHEEL_SUPERVISOR_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct tree_file {
    char *path; /* "assets/index-1.js" */
    off_t size;
    mode_t mode;
    time_t changed;
};

struct tree {
    struct tree_file *files; /* sorted by path */
    size_t count, room;
};

/* Called for every folder, the one itself included, with its full path. */
typedef void tree_folder_callback(const char *path, void *context);

/* Reads the tree below `folder`; `each_folder` may be NULL. False with errno set when the folder cannot be read or memory
 * has run out; the tree is empty then. */
bool tree_read(struct tree *tree, const char *folder, tree_folder_callback *each_folder, void *context);

/* The file of that path, or NULL. */
const struct tree_file *tree_find(const struct tree *tree, const char *path);

void tree_free(struct tree *tree);

#endif
