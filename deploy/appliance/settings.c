#include "settings.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { ID_LIMIT = 255, POLL_SECONDS = 60, TIMEOUT_SECONDS = 60, QUEUE_LIMIT = 10000, QUEUE_DAYS = 30 };

struct text_key {
    const char *name;
    size_t offset;
};

struct number_key {
    const char *name;
    size_t offset;
    long lowest, highest, otherwise;
};

#define TEXT_KEY(member) {#member, offsetof(struct settings, member)}
#define NUMBER_KEY(member, lowest, highest, otherwise) \
    {#member, offsetof(struct settings, member), lowest, highest, otherwise}

static const struct text_key TEXTS[] = {TEXT_KEY(server),     TEXT_KEY(site_id),   TEXT_KEY(appliance_id),
                                        TEXT_KEY(token_file), TEXT_KEY(rules_dir), TEXT_KEY(state_file),
                                        TEXT_KEY(server_public_key)};
static const struct number_key NUMBERS[] = {NUMBER_KEY(poll_seconds, 1, 86400, POLL_SECONDS),
                                            NUMBER_KEY(timeout_seconds, 1, 600, TIMEOUT_SECONDS),
                                            NUMBER_KEY(queue_limit, 1, 1000000, QUEUE_LIMIT),
                                            NUMBER_KEY(queue_days, 1, 3650, QUEUE_DAYS)};

static bool read_texts(struct settings *settings, const char *path, char *why, size_t why_size)
{
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        const char *value = config_get(settings->config, TEXTS[i].name, "");
        if (*value == '\0') {
            snprintf(why, why_size, "%s has no line '%s = …'", path, TEXTS[i].name);
            return false;
        }
        memcpy((char *)settings + TEXTS[i].offset, &value, sizeof value);
    }
    settings->ca_file = config_get(settings->config, "ca_file", NULL);
    return true;
}

static bool read_numbers(struct settings *settings, const char *path, char *why, size_t why_size)
{
    for (size_t i = 0; i < COUNT_OF(NUMBERS); i++) {
        const struct number_key *key = &NUMBERS[i];
        long value;
        if (!config_get_number(settings->config, key->name, key->lowest, key->highest, key->otherwise, &value)) {
            snprintf(why, why_size, "%s: %s must be a whole number from %ld to %ld", path, key->name, key->lowest, key->highest);
            return false;
        }
        memcpy((char *)settings + key->offset, &value, sizeof value);
    }
    return true;
}

static bool makes_sense(struct settings *settings, const char *path, char *why, size_t why_size)
{
    const char *wrong = NULL;
    int length = snprintf(settings->promoted_dir, sizeof settings->promoted_dir, "%s/promoted", settings->rules_dir);
    if (strncmp(settings->server, "http://", 7) != 0 && strncmp(settings->server, "https://", 8) != 0)
        wrong = "server must begin with https:// or http://";
    else if (strlen(settings->site_id) > ID_LIMIT || strlen(settings->appliance_id) > ID_LIMIT)
        wrong = "site_id and appliance_id have at most 255 characters";
    else if (length < 0 || (size_t)length >= sizeof settings->promoted_dir)
        wrong = "the path rules_dir is too long";
    if (wrong != NULL)
        snprintf(why, why_size, "%s: %s", path, wrong);
    return wrong == NULL;
}

bool settings_read(struct settings *settings, const char *path, char *why, size_t why_size)
{
    *settings = (struct settings){.config = config_load(path, why, why_size)};
    return settings->config != NULL && read_texts(settings, path, why, why_size) &&
           read_numbers(settings, path, why, why_size) && makes_sense(settings, path, why, why_size);
}

void settings_free(struct settings *settings)
{
    config_free(settings->config);
    settings->config = NULL;
}
