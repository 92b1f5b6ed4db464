/* What is wrong with rule files, told once and not at every look.
 *
 * A look at all files is a round; what was said in the round before is not said again. */
#ifndef APPLIANCE_COMPLAINTS_H
#define APPLIANCE_COMPLAINTS_H

#include <stddef.h>
#include <stdint.h>

struct complaint_list {
    uint64_t *marks; /* owned; of path and reason */
    size_t count, capacity;
};

struct complaints {
    struct complaint_list before, now;
};

/* A rule_report (rules/rule_folder.h); `context` is a struct complaints, empty at first. */
void complain(void *context, const char *path, const char *reason);

void complaints_end_round(struct complaints *complaints);
void complaints_free(struct complaints *complaints);

#endif
