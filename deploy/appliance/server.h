/* The server, by HTTP (docs/agents.md): requests with the appliance's token, one after the other over one connection.
 *
 * Certificates are verified, by the system's or by those of `ca_file`. No redirect is followed, since a token is for one
 * server; no answer is read beyond SERVER_BODY_LIMIT bytes, unpacked, or for longer than `timeout_seconds`.
 *
 * One thread at a time. */
#ifndef APPLIANCE_SERVER_H
#define APPLIANCE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "settings.h"

#define SERVER_RULES "/api/agent/sync/promoted-rules"
#define SERVER_PATTERNS "/api/agent/sync/pattern-stats"
#define SERVER_ACK "/api/agent/sync/ack"
#define SERVER_EXECUTIONS "/api/agent/executions"

enum { SERVER_BODY_LIMIT = 16 * 1024 * 1024 };

/* Slug of errors of which not the server complained, but the agent: an answer that cannot be one. */
#define SERVER_UNUSABLE "answer-unusable"
/* Of errors for which no connection came about. */
#define SERVER_UNREACHABLE "unreachable"

struct server;

/* A good answer: 200, 201, or the 304 that was asked for. */
struct server_answer {
    bool not_modified;
    struct slice body; /* valid until the next request */
    char etag[200];    /* empty when there is none */
};

/* Asked while something is under way, about once a second: true ends it. */
typedef bool server_stop(void);

/* Never NULL. `stop` may be NULL. The settings must outlive it. */
struct server *server_new(const struct settings *settings, server_stop *stop);
void server_free(struct server *server);

/* Reads the token: at the beginning of a cycle, since an operator may have replaced it. */
bool server_sign_in(struct server *server, struct error *error) MUST_USE;

/* Whether `stop` says so. */
bool server_must_stop(const struct server *server);

/* Asks what changed since `revision` for site and appliance of the settings (below 0: for everything); `etag`, when it is
 * not NULL, allows the answer "not modified".
 *
 * False with a sentence and a kind: ERROR_UNAVAILABLE when nothing came back or the server cannot answer now,
 * ERROR_INTERNAL with the slug SERVER_UNUSABLE for what is no answer, else by the status (base/error.h). `retry_after`
 * says how many seconds the server wants to be left alone, where it does. */
bool server_get_rules(struct server *server, int64_t revision, const char *etag, struct server_answer *answer,
                      struct error *error) MUST_USE;

/* Sends a JSON document. Fails in the same ways. */
bool server_post(struct server *server, const char *path, struct slice json, struct server_answer *answer,
                 struct error *error) MUST_USE;

#endif
