#include "tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 };

void tell(const char *format, ...)
{
    char line[LINE_SIZE] = "flywheel-agent: ";
    size_t begin = sizeof "flywheel-agent: " - 1;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line + begin, sizeof line - begin - 1, format, args);
    va_end(args);
    if (wanted < 0)
        return;
    size_t room = sizeof line - begin - 2;
    size_t end = begin + ((size_t)wanted < room ? (size_t)wanted : room);
    for (size_t i = begin; i < end; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
            line[i] = ' ';
    line[end++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, end);
    (void)written; /* nowhere left to complain */
}
