#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "http/fastcgi.h"

/* A connection is known by its descriptor; these are indexed by it. A stale event for a descriptor that was
 * closed and given out again does no harm: it leads to one look at a connection that has nothing to say. */
enum { CONNECTIONS_MAX = 4096, EVENTS_AT_ONCE = 64, SWEEP_MS = 1000, LONG_WAIT_S = 1 };

/* Whoever has made a slot busy owns its connection, and alone reads from the descriptor or closes it. */
enum slot_state {
    SLOT_CLOSED,
    SLOT_WAITING, /* in the epoll set; nobody has it */
    SLOT_BUSY,    /* being looked at, queued for, or with a worker */
    SLOT_MISSED,  /* busy, and something has arrived meanwhile */
};

struct slot {
    atomic_int state;
    atomic_bool partial;      /* part of a request has arrived */
    atomic_int_fast64_t since; /* monotonic seconds when the current wait began */
};

/* Descriptors, oldest at `head`. */
struct queue {
    unsigned head, count;
    int fds[CONNECTIONS_MAX];
};

/* A worker, and its watch over a request that is still arriving while it reads. The server's lock is held for both. */
struct worker {
    pthread_t thread;
    struct server *server;
    bool holds_place; /* among those who may read such requests */
    int guard;        /* a second descriptor of the connection, by which reading can be ended; -1: none */
    int64_t since;
};

struct server {
    int listen_fd, epoll_fd, signal_fd, idle_fd;
    http_handler *handler;
    void *argument;
    atomic_bool draining;
    atomic_uint open; /* connections */
    pthread_mutex_t lock;
    pthread_cond_t filled;
    bool stopping;
    struct queue whole, arriving;
    struct worker *workers;
    unsigned worker_count, places, places_taken;
    struct slot slots[CONNECTIONS_MAX];
};

static int64_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec;
}

/* ---- the queue between the waiting thread and the workers ---------------------------------------- */

static void enqueue(struct server *server, struct queue *queue, int fd)
{
    atomic_store(&server->slots[fd].since, now_s());
    pthread_mutex_lock(&server->lock);
    queue->fds[(queue->head + queue->count++) % CONNECTIONS_MAX] = fd;
    pthread_cond_signal(&server->filled);
    pthread_mutex_unlock(&server->lock);
}

/* The oldest; -1 when there is none. */
static int take_oldest(struct queue *queue)
{
    if (queue->count == 0)
        return -1;
    int fd = queue->fds[queue->head];
    queue->head = (queue->head + 1) % CONNECTIONS_MAX;
    queue->count--;
    return fd;
}

/* Takes what may be served now. Requests that are still arriving go first, but have only some of the workers: peers that
 * send slowly hold no more. */
static int take(struct server *server, struct worker *worker)
{
    if (server->arriving.count == 0 || server->places_taken == server->places)
        return take_oldest(&server->whole);
    int fd = take_oldest(&server->arriving);
    server->places_taken++;
    worker->holds_place = true;
    worker->guard = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    worker->since = now_s();
    return fd;
}

/* The next descriptor to serve; -1 when the server stops and nothing is left. */
static int dequeue(struct server *server, struct worker *worker)
{
    int fd;
    pthread_mutex_lock(&server->lock);
    while ((fd = take(server, worker)) < 0 && (!server->stopping || server->arriving.count > 0))
        pthread_cond_wait(&server->filled, &server->lock);
    pthread_mutex_unlock(&server->lock);
    return fd;
}

/* The worker's request has been read to its end: somebody else may read one. */
static void has_arrived(void *argument)
{
    struct worker *worker = argument;
    struct server *server = worker->server;
    if (!worker->holds_place)
        return;
    pthread_mutex_lock(&server->lock);
    worker->holds_place = false;
    server->places_taken--;
    if (worker->guard >= 0)
        close(worker->guard);
    worker->guard = -1;
    pthread_cond_broadcast(&server->filled);
    pthread_mutex_unlock(&server->lock);
}

/* Ends the reading of requests that arrive too slowly; the workers see the end of the stream. */
static void cut_off_slow(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct worker *worker = &server->workers[i];
        if (worker->guard < 0 || now_s() - worker->since <= HTTP_REQUEST_LIMIT_S)
            continue;
        shutdown(worker->guard, SHUT_RD);
        close(worker->guard);
        worker->guard = -1;
        log_event(LOG_WARNING, "request-too-slow", "a request did not arrive within %d s and was cut off",
                  HTTP_REQUEST_LIMIT_S);
    }
    pthread_mutex_unlock(&server->lock);
}

static bool claim(struct slot *slot)
{
    int waiting = SLOT_WAITING;
    return atomic_compare_exchange_strong(&slot->state, &waiting, SLOT_BUSY);
}

/* Claims a connection of which epoll has told something. An owner who is busy with it is left a note instead: this
 * event comes only once. */
static bool claim_or_note(struct slot *slot)
{
    int state;
    do {
        if (claim(slot))
            return true;
        state = SLOT_BUSY;
    } while (!atomic_compare_exchange_strong(&slot->state, &state, SLOT_MISSED) && state == SLOT_WAITING);
    return false;
}

/* The owner lets go, unless something has arrived meanwhile: then it is still the owner. */
static bool release(struct slot *slot)
{
    int busy = SLOT_BUSY;
    if (atomic_compare_exchange_strong(&slot->state, &busy, SLOT_WAITING))
        return true;
    atomic_store(&slot->state, SLOT_BUSY);
    return false;
}

static void hang_up(struct server *server, int fd)
{
    atomic_store(&server->slots[fd].state, SLOT_CLOSED);
    close(fd);
    atomic_fetch_sub(&server->open, 1);
}

static void note_partial(struct slot *slot)
{
    if (!atomic_exchange(&slot->partial, true))
        atomic_store(&slot->since, now_s());
}

/* The owner looks at what has arrived, and decides who gets the connection. */
static void look_at(struct server *server, int fd)
{
    struct slot *slot = &server->slots[fd];
    do {
        switch (fastcgi_peek(fd)) {
        case FASTCGI_WHOLE:
            enqueue(server, &server->whole, fd);
            return;
        case FASTCGI_ARRIVING:
            enqueue(server, &server->arriving, fd);
            return;
        case FASTCGI_BROKEN:
            hang_up(server, fd);
            return;
        case FASTCGI_PARTIAL:
            note_partial(slot);
            break;
        case FASTCGI_NOTHING:
            break;
        }
    } while (!release(slot));
}

/* A worker is done with a connection that stays open. */
static void park(struct server *server, int fd)
{
    struct slot *slot = &server->slots[fd];
    atomic_store(&slot->partial, false);
    atomic_store(&slot->since, now_s());
    look_at(server, fd);
}

/* ---- workers ------------------------------------------------------------------------------------ */

/* After a long wait for a worker the gateway may have given up: what it asked for is then not done any more, or a queue
 * that was once too long would stay so. */
static bool was_given_up(struct server *server, int fd)
{
    return now_s() - atomic_load(&server->slots[fd].since) > LONG_WAIT_S && fastcgi_is_abandoned(fd);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct server *server = worker->server;
    struct fastcgi_worker *fastcgi = fastcgi_worker_new(server->handler, server->argument);
    for (int fd; (fd = dequeue(server, worker)) >= 0;) {
        if (was_given_up(server, fd)) {
            has_arrived(worker);
            hang_up(server, fd);
            continue;
        }
        bool keep = fastcgi_serve(fastcgi, fd, !atomic_load(&server->draining), has_arrived, worker);
        has_arrived(worker);
        if (keep)
            park(server, fd);
        else /* libfcgi has closed it, and accept may have given the descriptor out again: leave the slot alone */
            atomic_fetch_sub(&server->open, 1);
    }
    fastcgi_worker_free(fastcgi);
    return NULL;
}

/* ---- the waiting thread ------------------------------------------------------------------------- */

static void accept_one(struct server *server, int fd)
{
    struct timeval limit = {.tv_sec = HTTP_SILENCE_LIMIT_S};
    if (fd >= CONNECTIONS_MAX) {
        log_event(LOG_WARNING, "too-many-connections", "a connection was refused, %d are open", CONNECTIONS_MAX);
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    atomic_fetch_add(&server->open, 1);
    struct slot *slot = &server->slots[fd];
    atomic_store(&slot->partial, false);
    atomic_store(&slot->since, now_s());
    atomic_store(&slot->state, SLOT_WAITING);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET, .data.fd = fd};
    if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0 && claim(slot))
        hang_up(server, fd);
}

static int next_connection(const struct server *server)
{
    // cppcheck-suppress nullPointer ; nobody need ask accept4 for the peer's address
    return accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC);
}

static void accept_all(struct server *server)
{
    for (;;) {
        int fd = next_connection(server);
        if (fd >= 0) {
            accept_one(server, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            /* Take it with the descriptor kept for this, and let it go: otherwise epoll spins on it. */
            close(server->idle_fd);
            fd = next_connection(server);
            if (fd >= 0)
                close(fd);
            server->idle_fd = dup(server->signal_fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* Closes connections that stopped in the middle of a request, or idle for long. */
static void sweep(struct server *server)
{
    int64_t now = now_s();
    for (int fd = 0; fd < CONNECTIONS_MAX; fd++) {
        struct slot *slot = &server->slots[fd];
        if (atomic_load(&slot->state) != SLOT_WAITING)
            continue;
        int64_t limit = atomic_load(&slot->partial) ? HTTP_SILENCE_LIMIT_S : HTTP_IDLE_LIMIT_S;
        if (now - atomic_load(&slot->since) > limit && claim(slot))
            hang_up(server, fd);
    }
}

static void start_draining(struct server *server)
{
    struct signalfd_siginfo info;
    ssize_t got = read(server->signal_fd, &info, sizeof info);
    (void)got;
    if (atomic_exchange(&server->draining, true))
        return;
    /* Never shutdown(): the socket is inherited, and others may be listening on it. */
    epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, server->listen_fd, NULL);
    log_event(LOG_INFO, "draining", "%u connections are open", atomic_load(&server->open));
}

static void handle_event(struct server *server, int fd)
{
    if (fd == server->listen_fd) {
        if (!atomic_load(&server->draining))
            accept_all(server);
    } else if (fd == server->signal_fd) {
        start_draining(server);
    } else if (claim_or_note(&server->slots[fd])) {
        look_at(server, fd);
    }
}

/* Until told to stop and nobody is left, or the time for draining is over. While nothing is open there is nothing
 * to sweep, and the process sleeps. */
static void wait_loop(struct server *server)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t drain_end = 0, next_sweep = now_s();
    for (;;) {
        bool draining = atomic_load(&server->draining);
        if (draining && drain_end == 0)
            drain_end = now_s() + HTTP_DRAIN_LIMIT_S;
        if (draining && (atomic_load(&server->open) == 0 || now_s() >= drain_end))
            return;
        int longest_ms = draining ? 50 : atomic_load(&server->open) > 0 ? SWEEP_MS : -1;
        int count = epoll_wait(server->epoll_fd, events, EVENTS_AT_ONCE, longest_ms);
        for (int i = 0; i < count; i++)
            handle_event(server, events[i].data.fd);
        if (now_s() >= next_sweep) {
            sweep(server);
            cut_off_slow(server);
            next_sweep = now_s() + 1;
        }
    }
}

static bool watch(struct server *server, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return fd >= 0 && epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static sigset_t handled_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

void http_block_signals(void)
{
    sigset_t signals = handled_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void server_free(struct server *server)
{
    close(server->epoll_fd);
    close(server->signal_fd);
    close(server->idle_fd);
    pthread_cond_destroy(&server->filled);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

static struct server *server_new(int listen_fd, http_handler *handler, void *argument)
{
    sigset_t signals = handled_signals();
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return NULL;
    server->listen_fd = listen_fd;
    server->handler = handler;
    server->argument = argument;
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    server->idle_fd = dup(server->signal_fd);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->filled, NULL);
    if (fastcgi_listen_nonblocking(listen_fd) && watch(server, listen_fd) && watch(server, server->signal_fd))
        return server;
    log_event(LOG_ERROR, "server", "cannot watch the listening socket (errno %d)", errno);
    server_free(server);
    return NULL;
}

static unsigned start_workers(struct server *server, struct worker *workers, unsigned count)
{
    unsigned started = 0;
    for (unsigned i = 0; i < count; i++)
        workers[i] = (struct worker){.server = server, .guard = -1};
    server->workers = workers;
    server->worker_count = count;
    server->places = count > 1 ? count / 2 : 1;
    while (started < count && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    return started;
}

static void stop_workers(struct server *server, unsigned count)
{
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->filled);
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < count; i++)
        pthread_join(server->workers[i].thread, NULL);
}

int http_server_run(int listen_fd, unsigned worker_count, http_handler *handler, void *argument)
{
    struct worker *workers = calloc(worker_count, sizeof *workers);
    struct server *server = workers != NULL && fastcgi_start() ? server_new(listen_fd, handler, argument) : NULL;
    unsigned started = 0;
    if (server != NULL) {
        started = start_workers(server, workers, worker_count);
        if (started == worker_count)
            wait_loop(server);
        stop_workers(server, started);
        server_free(server);
    }
    free(workers);
    return started == worker_count ? 0 : 1;
}
