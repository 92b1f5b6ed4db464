/*
 * flywheel-supervisor: keeps the handlers of one instance running and replaces them without losing
 * a request. See supervisor.h for its loop, program.h for its rules, state.h for what it tells.
 */
#include "supervisor.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: flywheel-supervisor --run DIR [--handlers DIR --sockets DIR --config FILE] [--frontend DIR] [OPTION...]\n"
    "  --run DIR           state file (supervisor.json), staged copies, and the pages that nginx sends\n"
    "  --handlers DIR      the mount: handler programs and their shared library; what is there is "
    "what runs\n"
    "  --sockets DIR       where the listening sockets are made; those that systemd has made there are taken over\n"
    "  --config FILE       configuration of the handlers\n"
    "  --frontend DIR      the dashboard's mount; whole copies of it are put into pages/ of --run\n"
    "  --log FILE          standard error goes there; opened anew on SIGUSR1\n"
    "  --ready-timeout MS  how long a new process may take to be ready (10000)\n"
    "  --stop-timeout MS   how long a process may take to finish what is in flight (30000)\n"
    "  --settle MS         how long the mount must be quiet before it is looked at (300)\n";

enum option_number {
    OPTION_HANDLERS = 1,
    OPTION_SOCKETS,
    OPTION_RUN,
    OPTION_CONFIG,
    OPTION_FRONTEND,
    OPTION_LOG,
    OPTION_READY,
    OPTION_STOP,
    OPTION_SETTLE
};

static const struct option options[] = {{"handlers", required_argument, NULL, OPTION_HANDLERS},
                                        {"sockets", required_argument, NULL, OPTION_SOCKETS},
                                        {"run", required_argument, NULL, OPTION_RUN},
                                        {"config", required_argument, NULL, OPTION_CONFIG},
                                        {"frontend", required_argument, NULL, OPTION_FRONTEND},
                                        {"log", required_argument, NULL, OPTION_LOG},
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
    case OPTION_FRONTEND: config->frontend = value; break;
    case OPTION_LOG: config->log = value; break;
    case OPTION_READY: config->ready_ms = milliseconds(value); break;
    case OPTION_STOP: config->stop_ms = milliseconds(value); break;
    case OPTION_SETTLE: config->settle_ms = milliseconds(value); break;
    default: config->ready_ms = -1; break;
    }
}

/* Handlers need a socket folder and a configuration; something must be there to do. */
static bool is_usable(const struct config *config)
{
    bool handlers = config->handlers != NULL;
    return config->run != NULL && (handlers || config->frontend != NULL) && (config->sockets != NULL) == handlers &&
           (config->config != NULL) == handlers && config->ready_ms >= 0 && config->stop_ms >= 0 &&
           config->settle_ms >= 0;
}

int main(int argc, char **argv)
{
    struct config config = {.ready_ms = 10000, .stop_ms = 30000, .settle_ms = 300};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        set_option(&config, option, optarg);
    if (optind != argc || !is_usable(&config)) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    return supervisor_run(&config);
}
