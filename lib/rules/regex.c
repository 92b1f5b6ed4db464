#include "rules/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

/* A back-reference compares this many bytes for the price of a step. */
enum { BYTES_PER_STEP = 16 };

struct regex {
    pcre2_code *code;
    bool refers_back;
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

/* ---- compiling ----------------------------------------------------------------------------------- */

/* Automatic callouts are how a search is counted: PCRE2's own limit begins anew at each byte of the text, and leaves out
 * what a possessive repeat passes over. */
static pcre2_code *compile(struct slice pattern, char why[REGEX_REASON_SIZE])
{
    int code = 0;
    PCRE2_SIZE where = 0;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
                                         PCRE2_UTF | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C, &code, &where, NULL);
    if (compiled == NULL)
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, REGEX_REASON_SIZE);
    return compiled;
}

static void free_code(void *code)
{
    pcre2_code_free(code);
}

const struct regex *regex_compile(struct arena *arena, struct slice pattern, char why[REGEX_REASON_SIZE])
{
    pcre2_code *code = compile(pattern, why);
    if (code == NULL)
        return NULL;
    arena_on_reset(arena, free_code, code);
    uint32_t references = 0;
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references);
    struct regex *regex = arena_alloc(arena, sizeof *regex);
    *regex = (struct regex){code, references > 0};
    return regex;
}

bool regex_is_valid(struct slice pattern, char why[REGEX_REASON_SIZE])
{
    pcre2_code *code = compile(pattern, why);
    pcre2_code_free(code);
    return code != NULL;
}

/* ---- searching ----------------------------------------------------------------------------------- */

struct regex_scratch *regex_scratch_new(void)
{
    struct regex_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        abort();
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->limits = pcre2_match_context_create(NULL);
    if (scratch->data == NULL || scratch->limits == NULL)
        abort();
    pcre2_set_heap_limit(scratch->limits, REGEX_HEAP_KIB);
    return scratch;
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_match_context_free(scratch->limits);
    pcre2_match_data_free(scratch->data);
    free(scratch);
}

struct budget {
    size_t left;
    size_t last; /* where the item before was tried */
    bool refers_back;
};

/* What looking at any of the groups again could compare. */
static size_t captured(const pcre2_callout_block *item)
{
    size_t bytes = 0;
    for (uint32_t i = 1; i < item->capture_top; i++) {
        const PCRE2_SIZE *group = &item->offset_vector[2 * (size_t)i];
        bytes += group[0] != PCRE2_UNSET && group[1] > group[0] ? group[1] - group[0] : 0;
    }
    return bytes;
}

static int spend(pcre2_callout_block *item, void *context)
{
    struct budget *budget = context;
    size_t at = item->current_position;
    size_t price = 1 + (at > budget->last ? at - budget->last : budget->last - at);
    if (budget->refers_back)
        price += captured(item) / BYTES_PER_STEP;
    budget->last = at;
    if (price > budget->left)
        return PCRE2_ERROR_MATCHLIMIT;
    budget->left -= price;
    return 0;
}

bool regex_finds(const struct regex *regex, struct slice text, struct regex_scratch *scratch)
{
    struct budget budget = {
        .left = REGEX_STEPS + REGEX_STEPS_PER_BYTE * text.len,
        .refers_back = regex->refers_back,
    };
    pcre2_set_callout(scratch->limits, spend, &budget);
    return pcre2_match(regex->code, (PCRE2_SPTR)text.ptr, text.len, 0, PCRE2_NO_UTF_CHECK, scratch->data,
                       scratch->limits) >= 0;
}
