/*
 * flywheel-supervisor: keeps the handlers of one instance running and replaces them without losing
 * a request. See supervisor.h for its loop, program.h for its rules, state.h for what it tells.
 */
#include "supervisor.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: flywheel-supervisor --handlers DIR --sockets DIR --run DIR --config FILE [OPTION...]\n"
    "  --handlers DIR      the mount: handler programs and their shared library; what is there is "
    "what runs\n"
    "  --sockets DIR       where the listening sockets are made\n"
    "  --run DIR           state file (supervisor.json) and staged copies\n"
    "  --config FILE       configuration of the handlers\n"
    "  --ready-timeout MS  how long a new process may take to be ready (10000)\n"
    "  --stop-timeout MS   how long a process may take to finish what is in flight (30000)\n"
    "  --settle MS         how long the mount must be quiet before it is looked at (300)\n";

enum option_number {
    OPTION_HANDLERS = 1,
    OPTION_SOCKETS,
    OPTION_RUN,
    OPTION_CONFIG,
    OPTION_READY,
    OPTION_STOP,
    OPTION_SETTLE
};

static const struct option options[] = {{"handlers", required_argument, NULL, OPTION_HANDLERS},
                                        {"sockets", required_argument, NULL, OPTION_SOCKETS},
                                        {"run", required_argument, NULL, OPTION_RUN},
                                        {"config", required_argument, NULL, OPTION_CONFIG},
                                        {"ready-timeout", required_argument, NULL, OPTION_READY},
                                        {"stop-timeout", required_argument, NULL, OPTION_STOP},
                                        {"settle", required_argument, NULL, OPTION_SETTLE},
                                        {NULL, 0, NULL, 0}};

static int milliseconds(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *end == 0 && value >= 0 && value <= 3600000 ? (int)value : -1;
}

static void set_option(struct config *config, int option, const char *value)
{
    switch (option) {
    case OPTION_HANDLERS: config->handlers = value; break;
    case OPTION_SOCKETS: config->sockets = value; break;
    case OPTION_RUN: config->run = value; break;
    case OPTION_CONFIG: config->config = value; break;
    case OPTION_READY: config->ready_ms = milliseconds(value); break;
    case OPTION_STOP: config->stop_ms = milliseconds(value); break;
    case OPTION_SETTLE: config->settle_ms = milliseconds(value); break;
    default: config->ready_ms = -1; break;
    }
}

int main(int argc, char **argv)
{
    struct config config = {.ready_ms = 10000, .stop_ms = 30000, .settle_ms = 300};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        set_option(&config, option, optarg);
    if (optind != argc || config.handlers == NULL || config.sockets == NULL || config.run == NULL ||
        config.config == NULL || config.ready_ms < 0 || config.stop_ms < 0 ||
        config.settle_ms < 0) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    return supervisor_run(&config);
}
