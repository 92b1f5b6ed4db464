/* Compiler attributes used across the house. */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

/* The caller must look at the result: ignoring it is a compile error with -Werror. */
#define MUST_USE __attribute__((warn_unused_result))

/* printf-like functions: position of the format and of the first argument, both from 1. */
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
