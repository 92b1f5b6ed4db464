/* libfcgi, behind a few functions. Only http/server.c uses this. */
#ifndef HTTP_FASTCGI_H
#define HTTP_FASTCGI_H

#include <stdbool.h>

#include "base/compiler.h"
#include "http/server.h"

/* Once per process, before anything else here. */
bool fastcgi_start(void) MUST_USE;

/* Several processes may wait on one listening socket: accept must not block when another was faster. */
bool fastcgi_listen_nonblocking(int listen_fd) MUST_USE;

enum fastcgi_arrival {
    FASTCGI_NOTHING, /* no bytes */
    FASTCGI_PARTIAL, /* the beginning of a request */
    FASTCGI_WHOLE,   /* a whole request */
    FASTCGI_ARRIVING, /* all parameters and the beginning of a body larger than HTTP_PEEK_LIMIT */
    FASTCGI_BROKEN,  /* the peer has gone, or speaks something else */
};

/* Looks at what has arrived without taking it (FastCGI specification 1.0, section 3.3: records). Never blocks. */
enum fastcgi_arrival fastcgi_peek(int fd);

typedef void fastcgi_arrived(void *argument);

/* The peer has closed the connection and will read no answer. */
bool fastcgi_is_abandoned(int fd);

/* What a worker keeps from request to request: its arena and buffers. */
struct fastcgi_worker;
struct fastcgi_worker *fastcgi_worker_new(http_handler *handler, void *argument) MUST_USE;
void fastcgi_worker_free(struct fastcgi_worker *worker);

/* Serves the request that has arrived on `fd`. True when the connection is open and ready for another one; else
 * it has been closed. Without `may_keep` it is closed in any case. `arrived` (NULL: not wanted) is told when nothing
 * is left to read of the request, perhaps more than once; not when a connection breaks in the parameters. */
bool fastcgi_serve(struct fastcgi_worker *worker, int fd, bool may_keep, fastcgi_arrived *arrived, void *argument)
    MUST_USE;

#endif
