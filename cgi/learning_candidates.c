/* GET /api/partners/me/learning/candidates: the patterns a person should decide about. */
#include "cgi/service.h"
#include "cgi/view.h"
#include "promotion/candidates.h"

static const char *const STATUSES[] = {"not_submitted", "pending", "approved", "rejected", NULL};

/* In the order of enum candidate_sort, after the sort by rank; each also with `-` before it. */
static const char *const SORTS[] = {"success_rate", "-success_rate", "total_occurrences", "-total_occurrences",
                                    "last_seen",    "-last_seen",    "first_seen",        "-first_seen",
                                    NULL};

static const struct input QUERY[] = {
    {.name = "status", .type = INPUT_CHOICE, .choices = STATUSES},
    INPUT_SITE,
    INPUT_SEARCH,
    {.name = "sort", .type = INPUT_CHOICE, .choices = SORTS},
    INPUT_LIMIT,
    INPUT_CURSOR,
};

static void read_sort(struct slice sort, struct candidate_filter *filter)
{
    for (unsigned i = 0; SORTS[i] != NULL; i++) {
        if (slice_is(sort, SORTS[i])) {
            filter->sort = (enum candidate_sort)(BY_SUCCESS_RATE + i / 2);
            filter->descending = i % 2 == 1;
        }
    }
}

static bool list_candidates(struct call *call)
{
    struct candidate_filter filter = {
        .status = query_text(&call->inputs, "status"),
        .site_id = query_text(&call->inputs, "site_id"),
        .q = query_text(&call->inputs, "q"),
    };
    read_sort(query_text(&call->inputs, "sort"), &filter);
    const char *scope = call_scope(call, "candidates");
    size_t keys = candidate_key_count(filter.sort);
    struct page page;
    struct list list;
    struct slice last[KEYS_MAX];
    if (!call_page(call, scope, keys, &page) || !candidates_page(&call->session, &filter, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "candidates");
    for (size_t i = 0; i < list.count; i++) {
        struct candidate candidate = candidate_at(list.rows, i);
        view_candidate(&json, NULL, &candidate);
    }
    json_close(&json);
    if (list.more)
        candidate_keys(list.rows, list.count - 1, filter.sort, last);
    call_end_list(call, &json, &list, scope, last, keys);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "listCandidates",
     .method = "GET",
     .path = "/api/partners/me/learning/candidates",
     .access = ACCESS_READ,
     .query = QUERY,
     .query_count = COUNT_OF(QUERY),
     .serve = list_candidates},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-candidates", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
