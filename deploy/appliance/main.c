/* flywheel-agent: what an appliance runs. This file reads the command line; what the words do is in commands.h. */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "commands.h"
#include "tell.h"

static const char USAGE[] =
    "usage: flywheel-agent match --rules DIR [--state FILE] [--no-cooldown]\n"
    "       flywheel-agent record --config FILE\n"
    "       flywheel-agent sync --config FILE\n"
    "       flywheel-agent run --config FILE\n"
    "       flywheel-agent status --config FILE\n"
    "       flywheel-agent --help | --version\n"
    "\n"
    "match reads incidents, record executions, as JSON lines on standard input. sync exchanges everything with the server\n"
    "once, run for ever. Answers are JSON on standard output, reasons are on standard error. Exit status: 0 done, 1 not\n"
    "all of it, 2 called wrongly.\n";

/* What stood on the command line behind the word. */
struct arguments {
    const char *config;
    struct match_options match;
};

/* A word takes either a configuration or the options of match. */
struct command {
    const char *word;
    int (*with_settings)(const struct settings *settings);
    int (*with_options)(const struct match_options *options);
};

static const struct command COMMANDS[] = {
    {.word = "match", .with_options = command_match},
    {.word = "record", .with_settings = command_record},
    {.word = "sync", .with_settings = command_sync},
    {.word = "run", .with_settings = command_run},
    {.word = "status", .with_settings = command_status},
};

static int usage(void)
{
    fputs(USAGE, stderr);
    return COMMAND_USAGE;
}

static const struct command *find_command(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++)
        if (strcmp(COMMANDS[i].word, word) == 0)
            return &COMMANDS[i];
    return NULL;
}

/* Where the value of an option goes; NULL for one that this word does not take. */
static const char **value_of(const struct command *command, struct arguments *arguments, const char *option)
{
    if (command->with_settings != NULL)
        return strcmp(option, "--config") == 0 ? &arguments->config : NULL;
    if (strcmp(option, "--rules") == 0)
        return &arguments->match.rules;
    return strcmp(option, "--state") == 0 ? &arguments->match.state : NULL;
}

static bool read_arguments(const struct command *command, char **words, struct arguments *arguments)
{
    for (; *words != NULL; words++) {
        const char **value = value_of(command, arguments, *words);
        if (command->with_options != NULL && strcmp(*words, "--no-cooldown") == 0) {
            arguments->match.without_cooldown = true;
        } else if (value != NULL && *value == NULL && words[1] != NULL) {
            *value = *++words;
        } else {
            tell("'%s' is not an option here, stands twice or lacks its value", *words);
            return false;
        }
    }
    return true;
}

static int run_with_settings(const struct command *command, const char *path)
{
    char why[512];
    struct settings settings;
    bool read = settings_read(&settings, path, why, sizeof why);
    int status = COMMAND_FAILED;
    if (read)
        status = command->with_settings(&settings);
    else
        tell("%s", why);
    settings_free(&settings);
    return status;
}

static int run(const struct command *command, char **words)
{
    struct arguments arguments = {0};
    if (!read_arguments(command, words, &arguments))
        return usage();
    if (!crypto_start()) {
        tell("the system has no source of randomness");
        return COMMAND_FAILED;
    }
    if (command->with_settings != NULL)
        return arguments.config != NULL ? run_with_settings(command, arguments.config) : usage();
    return arguments.match.rules != NULL ? command->with_options(&arguments.match) : usage();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(USAGE, stdout) == EOF ? COMMAND_FAILED : COMMAND_DONE;
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return puts("flywheel-agent/" FLYWHEEL_VERSION) == EOF ? COMMAND_FAILED : COMMAND_DONE;
    const struct command *command = argc >= 2 ? find_command(argv[1]) : NULL;
    return command != NULL ? run(command, argv + 2) : usage();
}
