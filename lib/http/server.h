/* The server core: FastCGI over a unix socket, or one request by CGI.
 *
 * One thread waits on an epoll set for new connections, for connections on which a request has arrived,
 * and for signals; a fixed number of workers serve requests. A kept connection that is idle occupies no
 * worker, and neither does a peer that has sent half a request: a connection is given to a worker only
 * when a whole request (or the parameters and the beginning of a body larger than PEEK_LIMIT) is there to be read. Peers
 * that stay silent in the middle of a request are closed after SILENCE_LIMIT_S. While a large body arrives it occupies a
 * worker: at most half of the workers read such bodies, and one that takes longer than REQUEST_LIMIT_S is cut off.
 *
 * What a handler leaves unread of a body is drained before the connection serves another request: libfcgi does not do
 * so and would take the rest of a body for the next request.
 *
 * SIGTERM and SIGINT: no more connections are accepted, requests under way and those that arrive on kept
 * connections are answered, each followed by a close; then http_server_run returns.
 *
 * Nothing else in the house includes fcgiapp.h. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "http/request.h"
#include "http/response.h"

enum {
    HTTP_ARENA_LIMIT = 128 * 1024 * 1024,
    HTTP_PEEK_LIMIT = 64 * 1024,
    HTTP_SILENCE_LIMIT_S = 10,
    HTTP_REQUEST_LIMIT_S = 30,
    HTTP_IDLE_LIMIT_S = 90,
    HTTP_DRAIN_LIMIT_S = 10,
    HTTP_BACKLOG = 4096,
};

/* Serves one request: fills `response`. Called by several threads at once. */
typedef void http_handler(struct http_request *request, struct http_response *response, void *argument);

/* Serves FastCGI on the listening socket `listen_fd` until SIGTERM. The caller has blocked SIGTERM and SIGINT in all
 * threads (http_block_signals). Returns 0 after draining, 1 with a log line when it could not start. */
int http_server_run(int listen_fd, unsigned workers, http_handler *handler, void *argument);

/* Blocks the signals that the server core takes by signalfd; to be called before any thread starts. SIGPIPE is
 * ignored from then on. */
void http_block_signals(void);

/* True when `fd` is a listening socket: how a FastCGI program tells that it was started as one. */
bool http_is_listening(int fd);

/* Listens on a unix socket at `path` with mode 0660, replacing one nobody listens on. -1 with a log line on failure. */
int http_listen(const char *path) MUST_USE;

/* Answers the one request described by the CGI environment and standard input on standard output. */
int http_serve_cgi(http_handler *handler, void *argument);

#endif
