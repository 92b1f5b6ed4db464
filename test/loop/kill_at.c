/* Loaded before libc: ends a program by SIGKILL right before, or in the middle of, its N-th call that changes something
 * outside of it: a file opened for writing, written, flushed, renamed, removed or cut, a connection, bytes sent.
 *
 * KILL_AT   N, from 1; 0 or unset: the program runs to its end
 * KILL_HALF set: when call N is a write, the first half of its bytes is written before the end
 * KILL_LOG  a file that gets one line for each call, in order: what it was, and of which file
 *
 * Standard output and error do not count: what a program says is no state. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE_SIZE = 600 };

static atomic_long calls;

/* The function that this one stands before. */
static void *next(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}
#define NEXT(name) ((__typeof__(&name))next(#name))

static void note(const char *what, const char *path)
{
    const char *log = getenv("KILL_LOG");
    char line[LINE_SIZE];
    if (!log)
        return;
    int length = snprintf(line, sizeof line, "%s %s\n", what, path);
    long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0)
        return;
    syscall(SYS_write, file, line, length < (int)sizeof line ? length : (int)sizeof line - 1);
    syscall(SYS_close, file);
}

static long wanted(void)
{
    const char *text = getenv("KILL_AT");
    return text ? strtol(text, NULL, 10) : 0;
}

/* Counts a call; whether it is the one not to be survived. Says it in the log either way. */
static int counted(const char *what, const char *path)
{
    int saved = errno;
    note(what, path);
    int last = atomic_fetch_add(&calls, 1) + 1 == wanted();
    errno = saved;
    return last;
}

static void end(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;)
        pause();
}

static void step(const char *what, const char *path)
{
    if (counted(what, path))
        end();
}

static const char *name_of(int file, char path[LINE_SIZE])
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, LINE_SIZE - 100);
    path[length > 0 ? length : 0] = '\0';
    return path;
}

static void step_of(const char *what, int file)
{
    char path[LINE_SIZE];
    if (file != STDOUT_FILENO && file != STDERR_FILENO)
        step(what, name_of(file, path));
}

/* A write of `size` bytes: whether half of them are to be written before the end. */
static int step_of_write(const char *what, int file)
{
    char path[LINE_SIZE];
    if (file == STDOUT_FILENO || file == STDERR_FILENO || !counted(what, name_of(file, path)))
        return 0;
    if (!getenv("KILL_HALF"))
        end();
    return 1;
}

/* ---- files ---- */

static int writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
}

/* Descriptors of open-like functions: all that they take is a path, flags, and a mode when O_CREAT is among them. */
#define MODE_OF(flags, mode)                                                                                           \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        mode = va_arg(more, mode_t);                                                                                   \
        va_end(more);                                                                                                  \
    }
#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        MODE_OF(flags, mode)                                                                                           \
        if (writes(flags))                                                                                             \
            step("open", path);                                                                                        \
        return NEXT(name)(path, flags, mode);                                                                          \
    }
#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...)                                                             \
    {                                                                                                                  \
        MODE_OF(flags, mode)                                                                                           \
        if (writes(flags))                                                                                             \
            step("open", path);                                                                                        \
        return NEXT(name)(folder, path, flags, mode);                                                                  \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

FILE *fopen(const char *path, const char *how)
{
    if (strpbrk(how, "wa+"))
        step("fopen", path);
    return NEXT(fopen)(path, how);
}

FILE *fopen64(const char *path, const char *how)
{
    if (strpbrk(how, "wa+"))
        step("fopen", path);
    return NEXT(fopen64)(path, how);
}

int mkstemp(char *path)
{
    step("mkstemp", path);
    return NEXT(mkstemp)(path);
}

int mkostemp(char *path, int flags)
{
    step("mkstemp", path);
    return NEXT(mkostemp)(path, flags);
}

ssize_t write(int file, const void *bytes, size_t size)
{
    if (!step_of_write("write", file))
        return NEXT(write)(file, bytes, size);
    NEXT(write)(file, bytes, size / 2);
    end();
    return -1;
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at)
{
    if (!step_of_write("write", file))
        return NEXT(pwrite)(file, bytes, size, at);
    NEXT(pwrite)(file, bytes, size / 2, at);
    end();
    return -1;
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at)
{
    if (!step_of_write("write", file))
        return NEXT(pwrite64)(file, bytes, size, at);
    NEXT(pwrite64)(file, bytes, size / 2, at);
    end();
    return -1;
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
    step_of("write", file);
    return NEXT(writev)(file, parts, count);
}

/* What stdio has kept back until now is written when the file is closed or flushed. */
int fclose(FILE *file)
{
    if ((fcntl(fileno(file), F_GETFL) & O_ACCMODE) != O_RDONLY)
        step_of("fclose", fileno(file));
    return NEXT(fclose)(file);
}

#define FLUSH(name)                                                                                                    \
    int name(int file)                                                                                                 \
    {                                                                                                                  \
        step_of(#name, file);                                                                                          \
        return NEXT(name)(file);                                                                                       \
    }
FLUSH(fsync)
FLUSH(fdatasync)

int ftruncate(int file, off_t size)
{
    step_of("ftruncate", file);
    return NEXT(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size)
{
    step_of("ftruncate", file);
    return NEXT(ftruncate64)(file, size);
}

int rename(const char *from, const char *to)
{
    step("rename", to);
    return NEXT(rename)(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    step("rename", to);
    return NEXT(renameat)(from_folder, from, to_folder, to);
}

int unlink(const char *path)
{
    step("unlink", path);
    return NEXT(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    step("unlink", path);
    return NEXT(unlinkat)(folder, path, flags);
}

int remove(const char *path)
{
    step("unlink", path);
    return NEXT(remove)(path);
}

int mkdir(const char *path, mode_t mode)
{
    step("mkdir", path);
    return NEXT(mkdir)(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    step("mkdir", path);
    return NEXT(mkdirat)(folder, path, mode);
}

/* ---- the network ---- */

int connect(int file, const struct sockaddr *address, socklen_t size)
{
    step("connect", "");
    return NEXT(connect)(file, address, size);
}

ssize_t send(int file, const void *bytes, size_t size, int flags)
{
    if (!step_of_write("send", file))
        return NEXT(send)(file, bytes, size, flags);
    NEXT(send)(file, bytes, size / 2, flags);
    end();
    return -1;
}

ssize_t sendto(int file, const void *bytes, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
    step_of("send", file);
    return NEXT(sendto)(file, bytes, size, flags, to, to_size);
}

ssize_t sendmsg(int file, const struct msghdr *message, int flags)
{
    step_of("send", file);
    return NEXT(sendmsg)(file, message, flags);
}
