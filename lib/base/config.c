#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/slice.h"

enum { FILE_CEILING = 64 * 1024, ENTRIES = 128 };

struct config {
    char *text; /* the file, cut into keys and values in place */
    bool is_private;
    size_t count;
    struct {
        const char *key;
        const char *value;
    } entries[ENTRIES];
};

static char *read_file(const char *path, bool *is_private, char *why, size_t why_size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(why, why_size, "cannot open %s: %s", path, strerrordesc_np(errno));
        return NULL;
    }
    char *text = calloc(1, FILE_CEILING + 1);
    size_t length = text != NULL ? fread(text, 1, FILE_CEILING + 1, file) : 0;
    bool bad = text == NULL || ferror(file) != 0 || length > FILE_CEILING || memchr(text, '\0', length) != NULL;
    struct stat status;
    *is_private = fstat(fileno(file), &status) == 0 && (status.st_mode & S_IRWXO) == 0;
    fclose(file);
    if (bad) {
        snprintf(why, why_size, "cannot use %s: it must be a readable text of at most 64 KiB", path);
        free(text);
        return NULL;
    }
    text[length] = '\0';
    return text;
}

/* Cuts white space off both ends, in place. */
static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

static bool add_line(struct config *config, char *line)
{
    line = trim(line);
    if (*line == '\0' || *line == '#')
        return true;
    char *equals = strchr(line, '=');
    if (equals == NULL || config->count == ENTRIES)
        return false;
    *equals = '\0';
    char *key = trim(line);
    if (*key == '\0' || config_get(config, key, NULL) != NULL)
        return false;
    config->entries[config->count].key = key;
    config->entries[config->count++].value = trim(equals + 1);
    return true;
}

struct config *config_load(const char *path, char *why, size_t why_size)
{
    bool is_private;
    char *text = read_file(path, &is_private, why, why_size);
    if (text == NULL)
        return NULL;
    struct config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        snprintf(why, why_size, "out of memory");
        free(text);
        return NULL;
    }
    config->text = text;
    config->is_private = is_private;
    unsigned number = 0;
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        number++;
        if (!add_line(config, line)) {
            snprintf(why, why_size, "%s line %u is not 'key = value' with a new key", path, number);
            config_free(config);
            return NULL;
        }
    }
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    free(config->text);
    free(config);
}

const char *config_get(const struct config *config, const char *key, const char *otherwise)
{
    for (size_t i = 0; i < config->count; i++)
        if (strcmp(config->entries[i].key, key) == 0)
            return config->entries[i].value;
    return otherwise;
}

bool config_get_number(const struct config *config, const char *key, long lowest, long highest, long otherwise, long *value)
{
    const char *text = config_get(config, key, NULL);
    if (text == NULL) {
        *value = otherwise;
        return true;
    }
    char *end;
    errno = 0;
    *value = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *value >= lowest && *value <= highest;
}

bool config_is_private(const struct config *config)
{
    return config->is_private;
}
