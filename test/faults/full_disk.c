/* Preloaded into PostgreSQL. While the file named by FULL_DISK exists, there is no room: what would make a file larger
 * fails with ENOSPC, what replaces bytes that are there succeeds, as on a full disk. No file system of its own is needed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int no_room_for(int fd, off_t end)
{
    struct stat file;
    const char *full = getenv("FULL_DISK");
    if (full == NULL || access(full, F_OK) != 0 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || end <= file.st_size)
        return 0;
    errno = ENOSPC;
    return 1;
}

static off_t length_of(const struct iovec *parts, int count)
{
    off_t length = 0;
    for (int i = 0; i < count; i++)
        length += (off_t)parts[i].iov_len;
    return length;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    return no_room_for(fd, at + (off_t)length) ? -1 : NEXT(pwrite)(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    return no_room_for(fd, at + (off_t)length) ? -1 : NEXT(pwrite64)(fd, bytes, length, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return no_room_for(fd, at + length_of(parts, count)) ? -1 : NEXT(pwritev)(fd, parts, count, at);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
    return no_room_for(fd, at + length_of(parts, count)) ? -1 : NEXT(pwritev64)(fd, parts, count, at);
}

int posix_fallocate(int fd, off_t at, off_t length)
{
    return no_room_for(fd, at + length) ? ENOSPC : NEXT(posix_fallocate)(fd, at, length);
}

int posix_fallocate64(int fd, off64_t at, off64_t length)
{
    return no_room_for(fd, at + length) ? ENOSPC : NEXT(posix_fallocate64)(fd, at, length);
}

int ftruncate(int fd, off_t length)
{
    return no_room_for(fd, length) ? -1 : NEXT(ftruncate)(fd, length);
}
