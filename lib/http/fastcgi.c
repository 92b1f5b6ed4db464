#include "http/fastcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "http/large.h"

/* FastCGI specification 1.0, sections 3.3 and 8. */
enum { HEADER_SIZE = 8, FCGI_VERSION = 1, TYPE_BEGIN = 1, TYPE_PARAMS = 4, TYPE_STDIN = 5 };

/* No name with its value is longer; the gateway's limits are far below. */
enum { PAIR_MAX = 1024 * 1024 };

/* A body nobody wanted is read away up to this much; beyond it the connection is closed instead. */
enum { DRAIN_LIMIT = 16 * 1024 * 1024, ANSWER_CEILING = HTTP_BODY_CEILING + 16 * 1024 };

extern char **environ;

struct fastcgi_worker {
    http_handler *handler;
    void *argument;
    struct arena *arena;
    struct http_response response;
    struct buffer answer;
};

bool fastcgi_start(void)
{
    large_start();
    return FCGX_Init() == 0;
}

bool fastcgi_listen_nonblocking(int listen_fd)
{
    int flags = fcntl(listen_fd, F_GETFL);
    return flags >= 0 && fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* Walks the records of one request: WHOLE when the empty STDIN record that ends it is there. Records of another request
 * (multiplexing, which libfcgi does not do) or out of turn are BROKEN: libfcgi would pass over them and wait for more.
 * So are parameters that have not ended by the limit; no gateway sends so many, and libfcgi's reading of them cannot be
 * interrupted. */
static enum fastcgi_arrival walk_records(const unsigned char *bytes, size_t length)
{
    size_t at = 0;
    unsigned expected = TYPE_BEGIN;
    while (length - at >= HEADER_SIZE) {
        unsigned type = bytes[at + 1];
        size_t content = (size_t)bytes[at + 4] << 8 | bytes[at + 5];
        size_t record = HEADER_SIZE + content + bytes[at + 6];
        bool same_request = memcmp(bytes + at + 2, bytes + 2, 2) == 0;
        if (bytes[at] != FCGI_VERSION || type != expected || !same_request)
            return FASTCGI_BROKEN;
        if (type == TYPE_STDIN && content == 0)
            return FASTCGI_WHOLE;
        if (record > length - at)
            break;
        if (type == TYPE_BEGIN)
            expected = TYPE_PARAMS;
        else if (type == TYPE_PARAMS && content == 0)
            expected = TYPE_STDIN;
        at += record;
    }
    if (length < HTTP_PEEK_LIMIT)
        return FASTCGI_PARTIAL;
    return expected == TYPE_STDIN ? FASTCGI_ARRIVING : FASTCGI_BROKEN;
}

/* Takes the length of a name or value (section 3.4): one byte, or four with the first bit set. False when it is not
 * there as a whole. */
static bool take_length(const unsigned char *params, size_t length, size_t *at, size_t *total)
{
    size_t size = *at < length && params[*at] > 0x7F ? 4 : 1;
    if (length - *at < size)
        return false;
    size_t value = params[*at] & 0x7F;
    for (size_t i = 1; i < size; i++)
        value = value << 8 | params[*at + i];
    *at += size;
    *total += value;
    return true;
}

/* libfcgi adds the lengths of a name and its value as int, and ends the process when it cannot have so much memory. Behind the
 * end of the params it would go on waiting for what is missing of a pair. */
static bool pairs_are_possible(const unsigned char *params, size_t length, bool ended)
{
    for (size_t at = 0; at < length;) {
        size_t total = 0;
        if (!take_length(params, length, &at, &total) || !take_length(params, length, &at, &total))
            return !ended;
        if (total > PAIR_MAX || (ended && total > length - at))
            return false;
        at += total;
    }
    return true;
}

/* Looks at the names and values as far as they have arrived. */
static bool params_are_possible(const unsigned char *bytes, size_t length)
{
    unsigned char params[HTTP_PEEK_LIMIT];
    size_t filled = 0;
    bool ended = false;
    for (size_t at = 0; length - at >= HEADER_SIZE;) {
        size_t content = (size_t)bytes[at + 4] << 8 | bytes[at + 5];
        size_t record = HEADER_SIZE + content + bytes[at + 6], there = length - at - HEADER_SIZE;
        if (bytes[at + 1] == TYPE_PARAMS) {
            size_t taken = content < there ? content : there;
            memcpy(params + filled, bytes + at + HEADER_SIZE, taken);
            filled += taken;
            ended = content == 0;
        }
        if (record > length - at || bytes[at + 1] == TYPE_STDIN)
            break;
        at += record;
    }
    return pairs_are_possible(params, filled, ended);
}

static enum fastcgi_arrival look(int fd)
{
    unsigned char bytes[HTTP_PEEK_LIMIT];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 && !params_are_possible(bytes, (size_t)got))
        return FASTCGI_BROKEN;
    if (got > 0)
        return walk_records(bytes, (size_t)got);
    if (got == 0)
        return FASTCGI_BROKEN;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? FASTCGI_NOTHING : FASTCGI_BROKEN;
}

static bool peer_has_gone(int fd)
{
    struct pollfd peer = {.fd = fd, .events = POLLRDHUP};
    return poll(&peer, 1, 0) == 1;
}

bool fastcgi_is_abandoned(int fd)
{
    struct pollfd peer = {.fd = fd};
    return poll(&peer, 1, 0) == 1 && (peer.revents & POLLHUP) != 0;
}

enum fastcgi_arrival fastcgi_peek(int fd)
{
    enum fastcgi_arrival arrival = look(fd);
    if (arrival != FASTCGI_PARTIAL || !peer_has_gone(fd))
        return arrival;
    /* Nobody will send the rest, unless it came between the two looks. */
    arrival = look(fd);
    return arrival == FASTCGI_PARTIAL ? FASTCGI_BROKEN : arrival;
}

struct fastcgi_worker *fastcgi_worker_new(http_handler *handler, void *argument)
{
    struct fastcgi_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        abort();
    worker->handler = handler;
    worker->argument = argument;
    worker->arena = arena_new(HTTP_ARENA_LIMIT);
    worker->response.body = buffer_make(HTTP_BODY_CEILING);
    worker->answer = buffer_make(ANSWER_CEILING);
    return worker;
}

void fastcgi_worker_free(struct fastcgi_worker *worker)
{
    buffer_free(&worker->response.body);
    buffer_free(&worker->answer);
    arena_free(worker->arena);
    free(worker);
}

/* Memory that one large request made necessary is given back, so that a worker stays as small as its usual work. */
static void shrink(struct buffer *buffer)
{
    enum { USUAL = 256 * 1024 };
    if (buffer->capacity > USUAL)
        buffer_free(buffer);
    buffer_clear(buffer);
}

/* Runs the handler; the whole answer then stands in worker->answer. True when the body was a large one. */
static bool answer_request(struct fastcgi_worker *worker, struct http_body_source *source, char *const *environment)
{
    struct http_request request = {.arena = worker->arena, .source = source};
    buffer_clear(&worker->answer);
    http_response_reset(&worker->response);
    http_request_fill(&request, environment);
    worker->handler(&request, &worker->response, worker->argument);
    http_response_print(&worker->response, request.request_id, request.is_head, &worker->answer);
    return request.large;
}

static void after_request(struct fastcgi_worker *worker, bool large)
{
    arena_reset(worker->arena);
    shrink(&worker->response.body);
    shrink(&worker->answer);
    if (large)
        large_leave();
}

/* The body of a request, and who wants to know when all of it has been read. */
struct body_stream {
    struct http_body_source source;
    FCGX_Stream *in;
    fastcgi_arrived *arrived;
    void *argument;
};

static size_t read_stream(void *context, char *to, size_t room)
{
    struct body_stream *body = context;
    size_t total = 0;
    while (total < room) {
        size_t wanted = room - total < INT32_MAX ? room - total : INT32_MAX;
        int got = FCGX_GetStr(to + total, (int)wanted, body->in);
        if (got <= 0)
            break;
        total += (size_t)got;
    }
    body->source.broken |= FCGX_GetError(body->in) != 0;
    if (total < room && body->arrived != NULL)
        body->arrived(body->argument);
    return total;
}

/* Reads the rest of the body away. False when there is too much of it, or the stream broke. */
static bool drain(struct body_stream *body)
{
    char waste[8192];
    for (size_t total = 0; total < DRAIN_LIMIT;) {
        size_t got = read_stream(body, waste, sizeof waste);
        if (got < sizeof waste)
            return !body->source.broken;
        total += got;
    }
    return false;
}

bool fastcgi_serve(struct fastcgi_worker *worker, int fd, bool may_keep, fastcgi_arrived *arrived, void *argument)
{
    FCGX_Request fcgi;
    FCGX_InitRequest(&fcgi, -1, 0);
    /* Hands an accepted connection to libfcgi: it then reads a request from it instead of accepting. These two
     * members are below the "don't use" line of fcgiapp.h; this is the only place that knows them. */
    fcgi.ipcFd = fd;
    fcgi.keepConnection = 1;
    if (FCGX_Accept_r(&fcgi) != 0)
        return false; /* broken in the middle; libfcgi has closed it */
    struct body_stream body = {{.read = read_stream, .context = &body}, fcgi.in, arrived, argument};
    bool large = answer_request(worker, &body.source, fcgi.envp);
    bool whole = drain(&body) && buffer_ok(&worker->answer);
    if (buffer_ok(&worker->answer))
        FCGX_PutStr(worker->answer.bytes, (int)worker->answer.len, fcgi.out);
    if (!whole || !may_keep)
        fcgi.keepConnection = 0;
    FCGX_Finish_r(&fcgi);
    after_request(worker, large);
    return fcgi.ipcFd >= 0;
}

/* ---- listening ------------------------------------------------------------------------------------ */

bool http_is_listening(int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

int http_listen(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        log_event(LOG_ERROR, "listen", "%s is longer than a unix socket's path may be", path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        log_event(LOG_ERROR, "listen", "another process listens on %s", path);
        close(fd);
        return -1;
    }
    if (fd >= 0)
        close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(path);
    mode_t before = umask(0117);
    bool up = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, HTTP_BACKLOG) == 0;
    umask(before);
    if (up)
        return fd;
    log_event(LOG_ERROR, "listen", "cannot listen on %s (errno %d)", path, errno);
    close(fd);
    return -1;
}

/* ---- CGI -------------------------------------------------------------------------------------------- */

/* Standard input up to CONTENT_LENGTH: a CGI program must not read beyond it (RFC 3875 section 4.2). */
struct cgi_body {
    struct http_body_source source;
    size_t left;
};

static size_t read_stdin(void *context, char *to, size_t room)
{
    struct cgi_body *body = context;
    size_t wanted = room < body->left ? room : body->left, got = fread(to, 1, wanted, stdin);
    body->left -= got;
    body->source.broken |= got < wanted;
    return got;
}

static size_t content_length(void)
{
    const char *text = getenv("CONTENT_LENGTH");
    return text != NULL && *text != '\0' && *text != '-' ? (size_t)strtoull(text, NULL, 10) : 0;
}

int http_serve_cgi(http_handler *handler, void *argument)
{
    struct cgi_body body = {{.read = read_stdin, .context = &body}, content_length()};
    struct fastcgi_worker *worker = fastcgi_worker_new(handler, argument);
    bool large = answer_request(worker, &body.source, environ);
    bool ok = buffer_ok(&worker->answer) &&
              fwrite(worker->answer.bytes, 1, worker->answer.len, stdout) == worker->answer.len && fflush(stdout) == 0;
    after_request(worker, large);
    fastcgi_worker_free(worker);
    return ok ? 0 : 1;
}
