/* A database that is not there: what lib/promotion's reports would have sent to it, kept for looking at. */
#ifndef NO_DATABASE_H
#define NO_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

#define NO_DATABASE_SITE "site-1"
#define NO_DATABASE_APPLIANCE "appliance-1"

/* Forgets what was sent. `rows` is what the next statements of a transaction answer: that many rows of one column, the
 * row's own number. */
void no_database_reset(size_t rows);

/* The first value of the statement `name` as it was last sent, with which of its parameters; NULL when it was not sent. */
const char *no_database_sent(const char *name, int parameter);

#endif
