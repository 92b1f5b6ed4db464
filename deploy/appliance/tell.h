/* What a person should know, on standard error.
 *
 * Text for people (systemd's journal keeps it), one line a call, written at once. Never a token, and nothing of an
 * incident but its ids. */
#ifndef APPLIANCE_TELL_H
#define APPLIANCE_TELL_H

#include "base/compiler.h"

/* `flywheel-agent: ` and the sentence, cut to 2,000 bytes. Control characters become spaces, so that what a file or a
 * server says cannot look like a line of ours. */
void tell(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same, and false, so that a function can end with `return tell_false(…)`. */
#define tell_false(...) (tell(__VA_ARGS__), false)

#endif
