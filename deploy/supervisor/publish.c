#include "publish.h"

#include "stage.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char page[] = "index.html";
static const char unfinished[] = ".unfinished", unfinished_page[] = ".page";
/* The mode of what is in the mount, and of what has left it: the time of change is then when it left. */
static const mode_t present_mode = 0644, left_mode = 0444;
static const time_t kept_s = (time_t)7 * 24 * 3600;
enum { TEXT_MAX = 16 * 1024 * 1024 };

struct publication {
    const char *mount, *pages;
    struct tree tree;      /* of the mount */
    struct digest *index;
    char *why;             /* 256 bytes */
};

__attribute__((format(printf, 3, 4))) static enum publish_result
because(const struct publication *publication, enum publish_result result, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(publication->why, 256, format, arguments);
    va_end(arguments);
    return result;
}

/* A path that does not fit becomes an empty one, which every use of it refuses. */
static void join(char path[PATH_MAX], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    if (length < 0 || length >= PATH_MAX)
        path[0] = 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* ---- what a page needs ---- */

/* The whole of a file as text; NULL with errno set. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    if (file == NULL)
        return NULL;
    char *text = NULL;
    if (fstat(fileno(file), &status) == 0 && status.st_size <= TEXT_MAX)
        text = malloc((size_t)status.st_size + 1);
    if (text != NULL)
        text[fread(text, 1, (size_t)status.st_size, file)] = 0;
    int reason = errno;
    fclose(file);
    errno = reason;
    return text;
}

/* Whether the name that begins at `name` and ends before `end` is there and not empty; if not, `why` names it. */
static bool is_there(const struct publication *publication, const char *name, const char *end)
{
    char path[PATH_MAX];
    if (end == name || end - name >= PATH_MAX)
        return true;
    snprintf(path, sizeof path, "%.*s", (int)(end - name), name);
    const struct tree_file *file = tree_find(&publication->tree, path);
    if (file != NULL && file->size > 0)
        return true;
    because(publication, PUBLISH_WAITING, "%.200s is named, but not in the mount yet", path);
    return false;
}

/* src="/NAME" and href="/NAME" of a page; those that lead elsewhere are not ours. */
static bool page_is_complete(const struct publication *publication, const char *text)
{
    static const char *const attributes[] = {"src=\"/", "href=\"/"};
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        for (const char *at = text; (at = strstr(at, attributes[i])) != NULL;) {
            at += strlen(attributes[i]);
            if (*at != '/' && !is_there(publication, at, at + strcspn(at, "\"?#")))
                return false;
        }
    return true;
}

/* "assets/NAME.js" and "assets/NAME.css" in a script: the parts that it loads when they are needed. */
static bool script_is_complete(const struct publication *publication, const char *text)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
    for (const char *at = text; (at = strstr(at, "\"assets/")) != NULL;) {
        at++;
        const char *end = at + strspn(at, characters);
        bool names_file = *end == '"' && (strncmp(end - 3, ".js", 3) == 0 || strncmp(end - 4, ".css", 4) == 0);
        if (names_file && !is_there(publication, at, end))
            return false;
    }
    return true;
}

static bool scripts_are_complete(const struct publication *publication)
{
    for (size_t i = 0; i < publication->tree.count; i++) {
        char path[PATH_MAX];
        const struct tree_file *file = &publication->tree.files[i];
        if (!ends_with(file->path, ".js"))
            continue;
        join(path, publication->mount, file->path);
        char *text = read_text(path);
        bool complete = text == NULL || script_is_complete(publication, text);
        free(text);
        if (!complete)
            return false;
    }
    return true;
}

/* ---- compressed files ---- */

static uint32_t crc32_add(uint32_t crc, const unsigned char *bytes, size_t length)
{
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

/* CRC and size, as the last eight bytes of a gzip file have them (RFC 1952). */
static bool gzip_trailer_of(const char *path, unsigned char trailer[8])
{
    unsigned char buffer[65536];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    uint32_t crc = 0, size = 0;
    for (size_t length; (length = fread(buffer, 1, sizeof buffer, file)) > 0; size += (uint32_t)length)
        crc = crc32_add(crc, buffer, length);
    bool read = ferror(file) == 0;
    fclose(file);
    for (int i = 0; i < 4; i++) {
        trailer[i] = (unsigned char)(crc >> (8 * i));
        trailer[4 + i] = (unsigned char)(size >> (8 * i));
    }
    return read;
}

/* Whether NAME.gz, the file `compressed`, was made from NAME. */
static bool belongs_to_plain(const struct publication *publication, const struct tree_file *compressed)
{
    char path[PATH_MAX];
    unsigned char wanted[8], found[8] = {0};
    join(path, publication->mount, compressed->path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool read = fseek(file, -8, SEEK_END) == 0 && fread(found, sizeof found, 1, file) == 1;
    fclose(file);
    path[strlen(path) - 3] = 0;
    return read && gzip_trailer_of(path, wanted) && memcmp(wanted, found, sizeof wanted) == 0;
}

/* Whether a file of the mount is to be sent. */
static bool is_wanted(const struct publication *publication, const struct tree_file *file)
{
    return !ends_with(file->path, ".gz") || belongs_to_plain(publication, file);
}

/* ---- copies ---- */

/* Seconds since 1970 that stand for a content: nginx makes its ETag from them and the size. */
static struct timespec time_of(const struct digest *digest)
{
    char digits[8] = "";
    memcpy(digits, digest->hex, 7);
    return (struct timespec){.tv_sec = 946684800 + (time_t)strtol(digits, NULL, 16)};
}

/* Whatever mask we run with: nginx has another account. */
static bool make_folder(const char *path)
{
    if (mkdir(path, 0755) < 0)
        return errno == EEXIST;
    return chmod(path, 0755) == 0;
}

static bool make_parents(const char *path)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = folder; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = 0;
        if (!make_folder(folder))
            return false;
    }
    return true;
}

/* Copies a file of the mount to `temporary`, ready to be renamed. */
static enum publish_result copy_file(const struct publication *publication, const char *name, const char *temporary,
                                     struct digest *digest)
{
    char path[PATH_MAX];
    join(path, publication->mount, name);
    int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (in < 0)
        return errno == ENOENT ? PUBLISH_CHANGED
                               : because(publication, PUBLISH_FAILED, "%.100s: %s", name, strerror(errno));
    enum stage_result result = stage_copy(in, temporary, digest);
    int reason = errno;
    close(in);
    if (result == STAGE_UNFINISHED)
        return PUBLISH_CHANGED;
    const struct timespec content_time = time_of(digest), times[2] = {content_time, content_time};
    if (result == STAGE_DONE && chmod(temporary, present_mode) == 0 &&
        utimensat(AT_FDCWD, temporary, times, 0) == 0)
        return PUBLISH_DONE;
    return because(publication, PUBLISH_FAILED, "%.100s cannot be copied: %s", name,
                   strerror(result == STAGE_DONE ? errno : reason));
}

static bool is_published(const char *target, const char *temporary)
{
    struct stat there, new;
    return stat(target, &there) == 0 && stat(temporary, &new) == 0 && there.st_size == new.st_size &&
           there.st_mtim.tv_sec == new.st_mtim.tv_sec && (there.st_mode & 07777) == present_mode;
}

static enum publish_result place(const struct publication *publication, const char *name, const char *temporary)
{
    char target[PATH_MAX];
    join(target, publication->pages, name);
    if (is_published(target, temporary)) {
        unlink(temporary);
        return PUBLISH_DONE;
    }
    if (make_parents(target) && rename(temporary, target) == 0)
        return PUBLISH_DONE;
    return because(publication, PUBLISH_FAILED, "%.100s cannot be put into place: %s", name, strerror(errno));
}

/* A compressed file that was published with what NAME was before must be gone before NAME is another one. */
static void remove_old_compressed(const struct publication *publication, const struct tree_file *file)
{
    char name[PATH_MAX], path[PATH_MAX];
    snprintf(name, sizeof name, "%s.gz", file->path);
    const struct tree_file *compressed = tree_find(&publication->tree, name);
    if (compressed != NULL && is_wanted(publication, compressed))
        return;
    join(path, publication->pages, name);
    unlink(path);
}

static enum publish_result publish_file(const struct publication *publication, const struct tree_file *file)
{
    char temporary[PATH_MAX];
    struct digest digest;
    if (!is_wanted(publication, file))
        return PUBLISH_DONE;
    join(temporary, publication->pages, unfinished);
    enum publish_result result = copy_file(publication, file->path, temporary, &digest);
    if (result != PUBLISH_DONE)
        return result;
    remove_old_compressed(publication, file);
    return place(publication, file->path, temporary);
}

static bool is_of_page(const struct tree_file *file)
{
    return strncmp(file->path, page, sizeof page - 1) == 0;
}

static enum publish_result publish_files(const struct publication *publication)
{
    enum publish_result result = PUBLISH_DONE;
    for (size_t i = 0; result == PUBLISH_DONE && i < publication->tree.count; i++)
        if (!is_of_page(&publication->tree.files[i]))
            result = publish_file(publication, &publication->tree.files[i]);
    return result;
}

/* The page that was looked at, then its compressed form. */
static enum publish_result publish_page(const struct publication *publication, const char *temporary,
                                        const struct digest *digest)
{
    const struct tree_file *compressed = tree_find(&publication->tree, "index.html.gz");
    remove_old_compressed(publication, tree_find(&publication->tree, page));
    enum publish_result result = place(publication, page, temporary);
    if (result == PUBLISH_DONE)
        *publication->index = *digest;
    return result == PUBLISH_DONE && compressed != NULL ? publish_file(publication, compressed) : result;
}

/* ---- what has left the mount ---- */

static void let_go(const struct publication *publication, const struct tree_file *file)
{
    char path[PATH_MAX];
    join(path, publication->pages, file->path);
    if ((file->mode & 07777) != left_mode) {
        if (utimensat(AT_FDCWD, path, NULL, 0) == 0)
            chmod(path, left_mode);
    } else if (time(NULL) - file->changed > kept_s) {
        unlink(path);
    }
}

static void clean(const struct publication *publication)
{
    struct tree published;
    if (!tree_read(&published, publication->pages, NULL, NULL))
        return;
    for (size_t i = 0; i < published.count; i++)
        if (tree_find(&publication->tree, published.files[i].path) == NULL)
            let_go(publication, &published.files[i]);
    tree_free(&published);
}

static enum publish_result publish_tree(const struct publication *publication)
{
    char temporary[PATH_MAX];
    struct digest digest;
    if (tree_find(&publication->tree, page) == NULL)
        return because(publication, PUBLISH_WAITING, "the mount holds no %s", page);
    join(temporary, publication->pages, unfinished_page);
    enum publish_result result = copy_file(publication, page, temporary, &digest);
    if (result != PUBLISH_DONE)
        return result;
    char *text = read_text(temporary);
    if (text == NULL || text[0] == 0)
        result = because(publication, PUBLISH_WAITING, "%s is empty", page);
    else if (!page_is_complete(publication, text) || !scripts_are_complete(publication))
        result = PUBLISH_WAITING;
    free(text);
    if (result == PUBLISH_DONE)
        result = publish_files(publication);
    if (result == PUBLISH_DONE)
        result = publish_page(publication, temporary, &digest);
    if (result == PUBLISH_DONE)
        clean(publication);
    else
        unlink(temporary);
    return result;
}

enum publish_result publish(const char *mount, const char *pages, struct digest *index, char why[256])
{
    struct publication publication = {.mount = mount, .pages = pages, .index = index, .why = why};
    why[0] = 0;
    if (!make_folder(pages))
        return because(&publication, PUBLISH_FAILED, "%.150s: %s", pages, strerror(errno));
    if (!tree_read(&publication.tree, mount, NULL, NULL))
        return because(&publication, PUBLISH_FAILED, "%.150s: %s", mount, strerror(errno));
    enum publish_result result = publish_tree(&publication);
    tree_free(&publication.tree);
    return result;
}
