#include "cycle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tell.h"

/* What a file or a server is called, or half of a character at the end, may be no UTF-8. */
static void mend(char *text)
{
    for (size_t length = strlen(text), step; length > 0; text += step, length -= step) {
        step = slice_character((struct slice){text, length});
        if (step == 0) {
            *text = '?';
            step = 1;
        }
    }
}

void cycle_keep(struct cycle *cycle, const char *why)
{
    if (*cycle->why != '\0')
        return;
    snprintf(cycle->why, sizeof cycle->why, "%s", why);
    mend(cycle->why);
}

bool cycle_fail(struct cycle *cycle, const char *format, ...)
{
    char why[ERROR_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    tell("%s", why);
    cycle_keep(cycle, why);
    return false;
}

bool cycle_fail_request(struct cycle *cycle, const char *what, const struct error *error)
{
    if (server_must_stop(cycle->server))
        return false; /* broken off, which is no failure */
    long seconds = strtol(error->retry_after, NULL, 10);
    if (seconds > cycle->retry_after)
        cycle->retry_after = seconds;
    if (slice_is(slice_of(error->slug), SERVER_UNREACHABLE))
        cycle->unreachable = true;
    return cycle_fail(cycle, "%s: %s", what, error->detail);
}

bool cycle_fail_store(struct cycle *cycle)
{
    return cycle_fail(cycle, "cannot use the state file %s: %s", cycle->settings->state_file, store_why(cycle->store));
}

bool cycle_is_unmet(const struct cycle *cycle, struct slice rule_id)
{
    for (const struct trouble *unmet = cycle->unmet; unmet != NULL; unmet = unmet->next)
        if (slice_equal(unmet->name, rule_id))
            return true;
    return false;
}

void cycle_add_trouble(struct cycle *cycle, struct trouble **list, struct slice name, const char *why)
{
    struct trouble *trouble = arena_alloc(cycle->arena, sizeof *trouble);
    *trouble = (struct trouble){arena_copy(cycle->arena, name), arena_text(cycle->arena, slice_of(why)), *list};
    *list = trouble;
}
