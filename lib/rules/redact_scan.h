/* The recognisers of rules/redact.h, each for one kind of thing. Only redact.c uses this. */
#ifndef RULES_REDACT_SCAN_H
#define RULES_REDACT_SCAN_H

#include <stdbool.h>

#include "base/slice.h"

/* A text, and how far it has been read. */
struct scan {
    const char *begin, *at, *end;
    struct slice previous; /* the last word that began with a letter; absent when it was replaced */
};

/* From `at`: `keep` bytes stay, the next `len` are replaced. Nothing found: both 0. `len` 0: the kept bytes are something
 * that must not be looked into. */
struct found {
    size_t keep, len;
};

/* Letters, digits, underscore, and every byte of a character beyond ASCII. */
bool scan_is_word(char c);

struct found scan_private_key(const struct scan *scan);
struct found scan_moment(const struct scan *scan);
struct found scan_uuid(const struct scan *scan);
struct found scan_url_login(const struct scan *scan);
struct found scan_email(const struct scan *scan);
struct found scan_known_secret(const struct scan *scan);
struct found scan_bearer(const struct scan *scan);
struct found scan_secret_value(const struct scan *scan);
struct found scan_user_value(const struct scan *scan);
struct found scan_personal_value(const struct scan *scan);
struct found scan_user_in_path(const struct scan *scan);
struct found scan_sid(const struct scan *scan);
struct found scan_address(const struct scan *scan);
struct found scan_number(const struct scan *scan);
struct found scan_random_word(const struct scan *scan);

#endif
