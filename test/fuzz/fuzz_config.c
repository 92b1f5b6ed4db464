/* Configuration files: an accepted file says for each key what its line says. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/config.h"
#include "fuzz.h"

static char path[64];

static void write_file(struct slice text)
{
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("config", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    MUST(fd >= 0 && ftruncate(fd, 0) == 0);
    MUST(pwrite(fd, text.ptr, text.len, 0) == (ssize_t)text.len);
}

static struct slice stripped(struct slice text)
{
    while (text.len > 0 && memchr(" \t\r", text.ptr[0], 3) != NULL)
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len > 0 && memchr(" \t\r", text.ptr[text.len - 1], 3) != NULL)
        text.len--;
    return text;
}

static void check_number(const struct config *config, const char *key)
{
    long value;
    if (!config_get_number(config, key, -10, 1000, 7, &value))
        return;
    const char *text = config_get(config, key, NULL);
    MUST(value >= -10 && value <= 1000 && value == (text != NULL ? strtol(text, NULL, 10) : 7));
}

static void check_line(struct arena *arena, const struct config *config, struct slice line)
{
    line = stripped(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return;
    const char *equals = memchr(line.ptr, '=', line.len);
    MUST(equals != NULL);
    const char *key = arena_text(arena, stripped((struct slice){line.ptr, (size_t)(equals - line.ptr)}));
    struct slice value = stripped((struct slice){equals + 1, line.len - (size_t)(equals + 1 - line.ptr)});
    MUST(slice_is(value, config_get(config, key, "otherwise")));
    check_number(config, key);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    char why[200] = "";
    write_file(input);
    struct config *config = config_load(path, why, sizeof why);
    if (config == NULL) {
        MUST(strncmp(why, "cannot use", 10) == 0 || strstr(why, " line ") != NULL);
        return;
    }
    MUST(memchr(input.ptr, '\0', input.len) == NULL);
    while (input.len > 0) {
        const char *end = memchr(input.ptr, '\n', input.len);
        size_t len = end != NULL ? (size_t)(end - input.ptr) : input.len;
        check_line(arena, config, (struct slice){input.ptr, len});
        len += end != NULL;
        input = (struct slice){input.ptr + len, input.len - len};
    }
    check_number(config, "threads");
    config_free(config);
}
