/* Numbers as text, the shortest that reads back the same.
 *
 * Pure and thread-safe. */
#ifndef RULES_NUMBER_H
#define RULES_NUMBER_H

#include "base/slice.h"

enum { NUMBER_TEXT_SIZE = 48 };

/* `number` (finite) as ECMAScript prints it, which is what canonical JSON asks for (RFC 8785
 * section 3.2.2.3): `50`, `0.5`, `1e+21`. Written to `text`, NUL-terminated; the slice points
 * there. */
struct slice number_text(char text[NUMBER_TEXT_SIZE], double number);

/* The same for YAML: an exponent has a point before it (`1.0e+21`), because YAML 1.1 takes `1e+21`
 * for a string. */
struct slice number_yaml_text(char text[NUMBER_TEXT_SIZE], double number);

#endif
