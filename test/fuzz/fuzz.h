/* What the fuzz targets share.
 *
 * A target is a file fuzz_NAME.c that defines fuzz_one: it hands the input to a parser and checks with MUST what has to
 * hold of the outcome. An input that breaks a MUST, or that a sanitizer objects to, is a found defect; it belongs
 * in test/fuzz/regressions/NAME.
 *
 * Inputs with several members (texts of a request, of a pattern) are separated by NUL bytes, which no text of the library
 * may hold: such inputs can be written by hand, and mutate well. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/slice.h"

/* The target. `input` is exactly as long as its memory, and not NUL-terminated. */
void fuzz_one(struct arena *arena, struct slice input);

/* Called by libFuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run when `condition` does not hold. */
#define MUST(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);

/* The next member of the input: up to the next NUL or the end. Empty when nothing is left. */
struct slice fuzz_take(struct slice *rest);

/* The same as the database gives it: valid UTF-8; absent when it is not, and when it is `~`. */
struct slice fuzz_take_text(struct slice *rest);

/* The same as a whole number; 0 when it is none. */
long long fuzz_take_number(struct slice *rest);

/* A copy whose memory ends where the text ends, so that reading on is found. */
struct slice fuzz_exact(struct arena *arena, struct slice text);

/* Text that may go into an answer: not empty, valid UTF-8. */
bool fuzz_is_message(const char *text);

/* An error that can be shown: kind, slug and sentence are there, and its problem document is JSON. */
void fuzz_check_error(struct arena *arena, const struct error *error);

/* Parses what the library itself has rendered: it must be JSON. */
const struct json *fuzz_parse(struct arena *arena, struct slice rendered);

/* The same types, names, values and order. */
bool fuzz_same_json(const struct json *a, const struct json *b);

/* Numbers outside of strings fit into PostgreSQL's numeric: it takes 16,383 digits behind the point, a double 324. */
void fuzz_check_numbers(struct slice json);

/* json_copy of a document, in the arena. */
struct slice fuzz_render(struct arena *arena, const struct json *document);

/* A string member of an object that must have it (or null: absent). */
struct slice fuzz_text_of(const struct json *object, const char *name);

#endif
