/* The rules of a directory, file by file.
 *
 * A file that cannot be read, or that load.h refuses, costs only itself: it is told with the reason and passed over, and
 * all others are loaded. So is a file with a rule whose id an earlier file has: what is added first, the operator's files,
 * wins. Files are taken in the byte order of their names, so that the outcome does not depend on the file system.
 *
 *     struct rule_folder *folder = rule_folder_new(arena, report, context);
 *     if (!rule_folder_add_directory(folder, "/etc/rules", &error)) …
 *     rule_folder_add_text(folder, "L1-PROMOTED-A", yaml);
 *     rule_folder_finish(folder, &rules, &count);
 *     rule_set_new(arena, rules, count, &set, &error)
 *
 * One thread at a time. */
#ifndef RULES_RULE_FOLDER_H
#define RULES_RULE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "rules/rule.h"

/* Told of each file (or text, by its name) that is passed over, with a sentence. */
typedef void rule_report(void *context, const char *path, const char *reason);

struct rule_folder;

/* Rules will lie in the arena. To be ended with rule_folder_finish. */
struct rule_folder *rule_folder_new(struct arena *arena, rule_report *report, void *context) MUST_USE;

/* Whether a file of this name is one of rules: it ends in .yaml or .yml, and does not begin with a dot. */
bool rule_folder_names(const char *name);

/* Adds the files of one directory that have such a name: regular files of at most RULE_FILE_LIMIT bytes. False when the directory itself cannot be read: ERROR_NOT_FOUND when there is none, else
 * ERROR_UNAVAILABLE. */
bool rule_folder_add_directory(struct rule_folder *folder, const char *path, struct error *error) MUST_USE;

/* Adds the text of one file. False when it was refused, which has been told under `name`. */
bool rule_folder_add_text(struct rule_folder *folder, const char *name, struct slice yaml);

/* Gives the rules that were added, in the order of adding, and frees the folder. */
void rule_folder_finish(struct rule_folder *folder, const struct rule **rules, size_t *count);

/* All of it: the files of `directory`, then those of its `promoted/`, if there is one. False as above, then without rules. */
bool rule_folder_load(struct arena *arena, const char *directory, rule_report *report, void *context,
                      const struct rule **rules, size_t *count, struct error *error) MUST_USE;

#endif
