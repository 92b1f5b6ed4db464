/* GET /api/partners/me/learning/promoted-rules: the rules that came of approvals. */
#include "cgi/service.h"
#include "cgi/view.h"
#include "promotion/promoted_rules.h"

static const char *const STATUSES[] = {"active", "disabled", "archived", NULL};
static const char *const SORTS[] = {"promoted_at", "-promoted_at", "rule_id", "-rule_id", NULL};

static const struct input QUERY[] = {
    {.name = "status", .type = INPUT_CHOICE, .choices = STATUSES},
    INPUT_SITE,
    INPUT_SEARCH,
    {.name = "sort", .type = INPUT_CHOICE, .choices = SORTS},
    INPUT_LIMIT,
    INPUT_CURSOR,
};

static bool list_rules(struct call *call)
{
    struct slice sort = query_text(&call->inputs, "sort");
    struct rule_filter filter = {
        .status = query_text(&call->inputs, "status"),
        .site_id = query_text(&call->inputs, "site_id"),
        .q = query_text(&call->inputs, "q"),
        .sort = slice_is(sort, "rule_id") || slice_is(sort, "-rule_id") ? RULES_BY_RULE_ID : RULES_BY_PROMOTED_AT,
        .descending = !slice_present(sort) || slice_starts_with(sort, "-"),
    };
    const char *scope = call_scope(call, "promoted-rules");
    struct page page;
    struct list list;
    struct slice last[RULE_KEYS];
    if (!call_page(call, scope, RULE_KEYS, &page) ||
        !promoted_rules_page(&call->session, &filter, &page, &list, call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_open_array(&json, "rules");
    for (size_t i = 0; i < list.count; i++) {
        struct promoted_rule rule = promoted_rule_at(&list, i);
        view_promoted_rule(&json, &rule);
    }
    json_close(&json);
    if (list.more)
        promoted_rule_keys(&list, list.count - 1, filter.sort, last);
    call_end_list(call, &json, &list, scope, last, RULE_KEYS);
    return true;
}

static const struct endpoint ENDPOINTS[] = {
    {.operation = "listPromotedRules",
     .method = "GET",
     .path = "/api/partners/me/learning/promoted-rules",
     .access = ACCESS_READ,
     .query = QUERY,
     .query_count = COUNT_OF(QUERY),
     .serve = list_rules},
};

int main(int argc, char **argv)
{
    const struct program program = {"learning-rules", "database_read", ENDPOINTS, COUNT_OF(ENDPOINTS)};
    return service_main(argc, argv, &program);
}
