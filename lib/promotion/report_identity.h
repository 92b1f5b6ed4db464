/* Whose report it is: what an appliance sends against its token. Only the modules that appliances talk to use this. */
#ifndef PROMOTION_REPORT_IDENTITY_H
#define PROMOTION_REPORT_IDENTITY_H

#include "base/json.h"
#include "promotion/session.h"

/* ERROR_FORBIDDEN when `object` names another site or appliance than the caller's; ERROR_INVALID when it names one in
 * something else than a string. Members that are not there are the caller's. */
bool report_is_callers_own(const struct principal *caller, const struct json *object, struct error *error) MUST_USE;

/* The same for one name, absent or empty when none was given; `what` is "site" or "appliance". */
bool report_is_own_name(struct slice name, struct slice own, const char *what, struct error *error) MUST_USE;

/* Text cut to at most `limit` code points and freed of control characters other than line breaks; absent for anything
 * but a string with something in it. */
struct slice report_text(struct arena *arena, const struct json *value, size_t limit);

/* The same for words of a fixed form, [a-z0-9_.-]{1,64}; absent for any other. */
struct slice report_word(const struct json *value);

/* The most elements a report may have: its answer and the rows made of it stay within their ceilings, and the statement
 * that stores it within its time. ERROR_TOO_LARGE when there are more, or when `rows` outgrew its ceiling. */
bool report_fits(size_t count, const struct buffer *rows, struct error *error) MUST_USE;

#endif
