/* Sending the executions that wait.
 *
 * Oldest first, in requests of at most QUEUE_BATCH executions and QUEUE_BATCH_BYTES. What the server has recorded, now or
 * before, leaves the queue; what it refuses leaves it too, and is counted and told. When it refuses a whole request because
 * of what is in it (400, 413, 422 …), the request is sent again in halves until the one that causes it is alone; that one
 * is tried QUEUE_ATTEMPTS times, once a cycle. Whatever else goes wrong, all stays and waits for the next cycle.
 *
 * An answer that was lost does no harm: the server knows an execution by its id. */
#ifndef APPLIANCE_QUEUE_H
#define APPLIANCE_QUEUE_H

#include "cycle.h"

enum { QUEUE_BATCH = 100, QUEUE_BATCH_BYTES = 1024 * 1024, QUEUE_ATTEMPTS = 5 };

/* The cycle fails when something is left that should have gone. */
void queue_send(struct cycle *cycle);

#endif
