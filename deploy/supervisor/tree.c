#include "tree.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add_file(struct tree *tree, const char *path, const struct stat *status)
{
    if (tree->count == tree->room) {
        size_t room = tree->room == 0 ? 64 : tree->room * 2;
        struct tree_file *files = reallocarray(tree->files, room, sizeof *files);
        if (files == NULL)
            return false;
        tree->files = files;
        tree->room = room;
    }
    struct tree_file *file = &tree->files[tree->count];
    *file = (struct tree_file){NULL, status->st_size, status->st_mode, status->st_mtime};
    if (asprintf(&file->path, "%s", path) < 0)
        return false;
    tree->count++;
    return true;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

static bool take_entry(struct tree *tree, FTS *walk, FTSENT *entry, size_t prefix, tree_folder_callback *each_folder,
                       void *context)
{
    bool hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
    if (entry->fts_info == FTS_D && hidden)
        return fts_set(walk, entry, FTS_SKIP) == 0;
    if (entry->fts_info == FTS_D && each_folder != NULL)
        each_folder(entry->fts_path, context);
    if (entry->fts_info == FTS_F && !hidden)
        return add_file(tree, entry->fts_path + prefix, entry->fts_statp);
    return true;
}

static bool walk_folder(struct tree *tree, FTS *walk, size_t prefix, tree_folder_callback *each_folder, void *context)
{
    errno = 0;
    for (FTSENT *entry; (entry = fts_read(walk)) != NULL; errno = 0) {
        if (entry->fts_level == 0 && entry->fts_info != FTS_D && entry->fts_info != FTS_DP) {
            errno = entry->fts_errno != 0 ? entry->fts_errno : ENOTDIR;
            return false;
        }
        if (!take_entry(tree, walk, entry, prefix, each_folder, context))
            return false;
    }
    return errno == 0;
}

bool tree_read(struct tree *tree, const char *folder, tree_folder_callback *each_folder, void *context)
{
    *tree = (struct tree){0};
    char *copy = strdup(folder);
    char *const roots[] = {copy, NULL};
    FTS *walk = copy != NULL ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    bool whole = walk != NULL && walk_folder(tree, walk, strlen(folder) + 1, each_folder, context);
    int reason = errno;
    if (walk != NULL)
        fts_close(walk);
    free(copy);
    if (!whole)
        tree_free(tree);
    else if (tree->count > 0)
        qsort(tree->files, tree->count, sizeof *tree->files, by_path);
    errno = reason;
    return whole;
}

const struct tree_file *tree_find(const struct tree *tree, const char *path)
{
    const struct tree_file key = {.path = (char *)(size_t)path};
    return tree->count == 0 ? NULL : bsearch(&key, tree->files, tree->count, sizeof key, by_path);
}

void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->files[i].path);
    free(tree->files);
    *tree = (struct tree){0};
}
