/* What YAML readers make of unquoted text.
 *
 * `no` is false to a YAML 1.1 reader and a string to a 1.2 one; `1e3`, `12:30:45`, `0x1F` and dates
 * fare likewise. A rule is read by several engines, so text that any of them could take for
 * something other than a string never becomes the value of a generated condition.
 *
 * Pure and thread-safe. */
#ifndef RULES_SCALAR_H
#define RULES_SCALAR_H

#include "base/slice.h"

enum scalar_kind {
    SCALAR_STRING, /* a string to everyone */
    SCALAR_NULL,   /* empty, ~, null */
    SCALAR_TRUE,   /* true, yes, on */
    SCALAR_FALSE,  /* false, no, off */
    SCALAR_NUMBER, /* a decimal number to everyone */
    /* a number, date or time to some: octal, hexadecimal, exponent, sexagesimal, y, n */
    SCALAR_DISPUTED,
};

/* The kind of `text` if it stood unquoted in YAML or JSON. */
enum scalar_kind scalar_kind(struct slice text);

#endif
