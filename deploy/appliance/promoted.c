#include "promoted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "rules/rule.h"

const char *promoted_state_name(enum promoted_state state)
{
    static const char *const names[] = {"same", "edited", "missing"};
    return names[state];
}

bool promoted_path(char path[PATH_LIMIT], const char *folder, struct slice rule_id)
{
    int length = snprintf(path, PATH_LIMIT, "%s/%.*s" PROMOTED_ENDING, folder, (int)rule_id.len, rule_id.ptr);
    return length > 0 && length < PATH_LIMIT;
}

struct slice promoted_rule_id(const char *name)
{
    size_t length = strlen(name), ending = strlen(PROMOTED_ENDING);
    bool own = name[0] != '.' && length > ending && strcmp(name + length - ending, PROMOTED_ENDING) == 0;
    return own ? (struct slice){name, length - ending} : SLICE_ABSENT;
}

/* Whether an open file says what has this digest. Reading one byte more than a rule has shows that it is longer. */
static bool has_digest(int file, struct slice digest)
{
    char text[RULE_YAML_LIMIT + 1], hex[2 * SHA256_SIZE + 1];
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    size_t length = 0;
    ssize_t got;
    while (length < sizeof text && (got = read(file, text + length, sizeof text - length)) > 0)
        length += (size_t)got;
    struct sha256 hash = sha256_of((struct slice){text, length});
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash.bytes[i]);
    return slice_is(digest, hex);
}

enum promoted_state promoted_look(const char *folder, struct slice rule_id, struct slice digest)
{
    char path[PATH_LIMIT];
    if (!promoted_path(path, folder, rule_id))
        return PROMOTED_MISSING;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0)
        return errno == ENOENT || errno == ENOTDIR ? PROMOTED_MISSING : PROMOTED_EDITED;
    bool same = has_digest(file, digest);
    close(file);
    return same ? PROMOTED_SAME : PROMOTED_EDITED;
}
