/* FastCGI records, through a socket pair as from the gateway: when fastcgi_peek says that a whole request is there, libfcgi
 * reads it to its end without waiting for more, and answers with whole records.
 *
 * The first byte tells how the rest is read: with bit 0 as records in short form (type, id, length of the padding, length of
 * the content, content), else as it is. With bit 1 the handler reads the body, with bit 2 up to a limit only. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/compiler.h"
#include "fuzz.h"
#include "http/fastcgi.h"

enum { HEADER = 8, REQUESTS = 4, SOCKET_BUFFER = 128 * 1024, BODY_LIMIT = 100, BEGIN = 1 };

static struct fastcgi_worker *worker;
static unsigned char mode;
static unsigned handled;
static bool waited;

/* libfcgi's reading. The writing end is closed for writing, so that reading 0 bytes is where it would have waited. */
ssize_t __real_OS_Read(int fd, char *to, size_t room);
ssize_t __wrap_OS_Read(int fd, char *to, size_t room);
ssize_t __wrap_OS_Read(int fd, char *to, size_t room)
{
    ssize_t got = __real_OS_Read(fd, to, room);
    waited = waited || got <= 0;
    return got;
}

static void handle(struct http_request *request, struct http_response *response, void *argument)
{
    (void)argument;
    struct error error;
    struct slice body = SLICE("");
    error_clear(&error);
    handled++;
    if ((mode & 2) != 0 && !http_body(request, (mode & 4) != 0 ? BODY_LIMIT : 1 << 20, &body, &error))
        MUST(error.kind == ERROR_TOO_LARGE || error.kind == ERROR_MALFORMED);
    MUST((mode & 4) == 0 || body.len <= BODY_LIMIT);
    struct json_writer json = json_writer_make(&response->body);
    json_integer(&json, NULL, (int64_t)body.len);
}

/* Records from their short form. */
static void write_records(struct buffer *out, struct slice short_form)
{
    while (short_form.len >= 4) {
        const unsigned char *bytes = (const unsigned char *)short_form.ptr;
        size_t content = bytes[3] < short_form.len - 4 ? bytes[3] : short_form.len - 4, padding = bytes[2] % 9;
        unsigned char header[HEADER] = {1, bytes[0], 0, bytes[1], 0, (unsigned char)content, (unsigned char)padding, 0};
        buffer_append(out, (struct slice){(char *)header, HEADER});
        buffer_append(out, (struct slice){short_form.ptr + 4, content});
        buffer_append(out, (struct slice){"\0\0\0\0\0\0\0\0", padding});
        short_form = (struct slice){short_form.ptr + 4 + content, short_form.len - 4 - content};
    }
}

/* Whole records of the types an application may send, and an end for each request that the handler saw. */
static void check_answers(struct arena *arena, int fd)
{
    unsigned char *bytes = arena_alloc(arena, SOCKET_BUFFER);
    size_t length = 0, at = 0;
    unsigned ended = 0;
    for (ssize_t got; (got = recv(fd, bytes + length, SOCKET_BUFFER - length, MSG_DONTWAIT)) > 0;)
        length += (size_t)got;
    while (at < length) {
        MUST(length - at >= HEADER && bytes[at] == 1);
        unsigned type = bytes[at + 1];
        MUST(type == 3 || type == 6 || type == 7 || type == 10 || type == 11);
        ended += type == 3 && bytes[at + 12] == 0;
        at += (size_t)HEADER + ((size_t)bytes[at + 4] << 8 | bytes[at + 5]) + bytes[at + 6];
        MUST(at <= length);
    }
    MUST(ended == handled);
}

static void serve(struct arena *arena, struct slice stream)
{
    int ends[2], size = SOCKET_BUFFER;
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    MUST(send(ends[0], stream.ptr, stream.len, MSG_DONTWAIT) == (ssize_t)stream.len || stream.len == 0);
    shutdown(ends[0], SHUT_WR);
    bool open = true;
    for (unsigned i = 0; open && i < REQUESTS; i++) {
        enum fastcgi_arrival arrival = fastcgi_peek(ends[1]);
        unsigned before = handled;
        if (arrival != FASTCGI_WHOLE && arrival != FASTCGI_ARRIVING)
            break;
        waited = false;
        open = fastcgi_serve(worker, ends[1], true, NULL, NULL);
        MUST(handled - before <= 1);
        MUST(!waited || arrival == FASTCGI_ARRIVING);
    }
    if (open)
        close(ends[1]);
    check_answers(arena, ends[0]);
    close(ends[0]);
}

void fuzz_one(struct arena *arena, struct slice input)
{
    if (worker == NULL) {
        MUST(fastcgi_start());
        worker = fastcgi_worker_new(handle, NULL);
    }
    if (input.len == 0 || input.len > 90000)
        return;
    mode = (unsigned char)input.ptr[0];
    handled = 0;
    struct slice rest = {input.ptr + 1, input.len - 1};
    struct buffer stream = buffer_make(100000);
    if ((mode & 1) != 0)
        write_records(&stream, rest);
    else
        buffer_append(&stream, rest);
    if (buffer_ok(&stream))
        serve(arena, buffer_slice(&stream));
    buffer_free(&stream);
}
