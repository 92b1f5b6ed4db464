/* The shape that all handler programs share: one main, and a request on its way through.
 *
 * A program is a table of endpoints and the functions that serve them. service_main does the rest: configuration,
 * self-check, serving FastCGI or one CGI request; and for each request routing, input, sign-in headers, problem
 * documents, entity tags and the log line. */
#ifndef CGI_SERVICE_H
#define CGI_SERVICE_H

#include "base/config.h"
#include "http/endpoint.h"
#include "http/request.h"
#include "http/response.h"
#include "promotion/key_usage.h"
#include "promotion/list.h"
#include "promotion/session.h"

/* A request on its way through. */
struct call {
    const struct endpoint *endpoint;
    struct http_request *request;
    struct http_response *response;
    struct arena *arena;
    struct slice id; /* what stood for {id} in the path */
    struct slice body;
    struct inputs inputs;
    struct session session;
    struct error *error;
    const void *own; /* what the program has besides its database */
};

/* A program: its name is also the name of its file and socket. */
struct program {
    const char *name;
    const char *database; /* configuration key of the database login it uses: database_read, … */
    const struct endpoint *endpoints;
    size_t endpoint_count;
};

/* What a program has besides its database: made of the configuration once, before --check and before serving, and in
 * `call->own` of every request. Without it the program does not start: `make` then returns NULL with a sentence in `why`. `free` takes NULL, too. */
struct program_own {
    void *(*make)(const struct config *config, char *why, size_t why_size);
    void (*free)(void *own);
};

/* A program that is running. */
struct service {
    const struct program *program;
    struct database *database;
    struct key_usage *key_usage;
    void *own; /* NULL for most */
};

/* Serves one request; an http_handler whose argument is the struct service. */
void service_handle(struct http_request *request, struct http_response *response, void *argument);

/* Options: --config FILE, --socket PATH, --check, --build-id, --describe. */
int service_main(int argc, char **argv, const struct program *program);

/* The same for a program that has something of its own. */
int service_main_with(int argc, char **argv, const struct program *program, const struct program_own *own);

/* Starts the JSON document of a successful answer; end it with json_writer_end. */
struct json_writer call_answer(struct call *call);

/* Runs a change as the caller, honouring Idempotency-Key; `work` renders the answer with change_answer. */
bool call_change(struct call *call, change_work *work, void *argument);

/* Starts the JSON document of the answer to a change. */
struct json_writer change_answer(struct answer *answer);

/* Reads `limit` and `cursor` of the query into `page`, for a list of `keys` sort values. `scope` names the list, its sort
 * and its filters: a cursor is good for the same ones only. */
bool call_page(struct call *call, const char *scope, size_t keys, struct page *page);

/* The members that end every list: `total`, `total_is_exact`, `next_cursor`. `last` are the sort values of the last row. */
void call_end_list(struct call *call, struct json_writer *json, const struct list *list, const char *scope,
                   const struct slice *last, size_t keys);

/* The list's scope from its name and the query as it came, less limit and cursor. In the arena. */
const char *call_scope(struct call *call, const char *name);

/* What every list takes. */
#define INPUT_LIMIT {.name = "limit", .type = INPUT_INTEGER, .lowest = 1, .highest = 200}
#define INPUT_CURSOR {.name = "cursor", .type = INPUT_NAME, .lowest = 1, .highest = 2048}
#define INPUT_SITE {.name = "site_id", .type = INPUT_NAME, .lowest = 1, .highest = 128}
#define INPUT_SEARCH {.name = "q", .type = INPUT_NAME, .lowest = 0, .highest = 200}

enum { BODY_LIMIT_PARTNER = 64 * 1024, BODY_LIMIT_AGENT = 8 * 1024 * 1024 };

#endif
