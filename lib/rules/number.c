#include "rules/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A finite number as 0.DIGITS × 10^point. */
struct decimal {
    char digits[20];
    int count;
    int point;
};

/* The fewest digits that read back as the same double. */
static struct decimal decimal_of(double magnitude)
{
    char text[40] = "";
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, magnitude);
        if (strtod(text, NULL) == magnitude)
            break;
    }
    struct decimal decimal = {.count = 0};
    const char *at = text;
    for (; *at != 'e' && *at != '\0'; at++)
        if (*at != '.')
            decimal.digits[decimal.count++] = *at;
    decimal.point = (int)strtol(at + 1, NULL, 10) + 1;
    return decimal;
}

struct slice number_text(char text[NUMBER_TEXT_SIZE], double number)
{
    const char *sign = number < 0 ? "-" : "";
    struct decimal d = decimal_of(number < 0 ? -number : number);
    if (number == 0.0)
        snprintf(text, NUMBER_TEXT_SIZE, "0");
    else if (d.count <= d.point && d.point <= 21)
        snprintf(text, NUMBER_TEXT_SIZE, "%s%s%.*s", sign, d.digits, d.point - d.count,
                 "000000000000000000000");
    else if (0 < d.point && d.point < d.count)
        snprintf(text, NUMBER_TEXT_SIZE, "%s%.*s.%s", sign, d.point, d.digits, d.digits + d.point);
    else if (-6 < d.point && d.point <= 0)
        snprintf(text, NUMBER_TEXT_SIZE, "%s0.%.*s%s", sign, -d.point, "000000", d.digits);
    else
        snprintf(text, NUMBER_TEXT_SIZE, "%s%c%s%se%+d", sign, d.digits[0], d.count > 1 ? "." : "",
                 d.digits + 1, d.point - 1);
    return slice_of(text);
}

struct slice number_yaml_text(char text[NUMBER_TEXT_SIZE], double number)
{
    struct slice plain = number_text(text, number);
    char *exponent = strchr(text, 'e');
    if (exponent == NULL || strchr(text, '.') != NULL)
        return plain;
    memmove(exponent + 2, exponent, strlen(exponent) + 1);
    memcpy(exponent, ".0", 2);
    return slice_of(text);
}
