/*
 * The watch over the dashboard's mount: when files have come and nobody writes there any more, they are published
 * (publish.h).
 */
#ifndef FLYWHEEL_SUPERVISOR_PAGES_H
#define FLYWHEEL_SUPERVISOR_PAGES_H

#include "config.h"

#include <stdint.h>
#include <stdio.h>

struct pages;

/* Begins to watch config->frontend; NULL with errno set. */
struct pages *pages_open(const struct config *config);

/* A descriptor for epoll. */
int pages_fd(const struct pages *pages);

/* Takes in what has happened in the mount. */
void pages_read(struct pages *pages);

/* Publishes when it is time. */
void pages_advance(struct pages *pages);

/* When pages_advance has something to do; INT64_MAX when only an event can bring something. */
int64_t pages_due(const struct pages *pages);

/* {"state":"served"|"waiting","index_sha256":…,"why":…} as JSON. */
void pages_write_state(const struct pages *pages, FILE *out);

void pages_close(struct pages *pages);

#endif
