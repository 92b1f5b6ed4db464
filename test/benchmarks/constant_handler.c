/* The limit H: nginx and FastCGI alone. Answers every request with a file's bytes and asks nobody.
 *
 * usage: constant_handler SOCKET THREADS FILE */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/log.h"
#include "http/server.h"

static void answer(struct http_request *request, struct http_response *response, void *argument)
{
    (void)request;
    buffer_append(&response->body, buffer_slice(argument));
}

int main(int argc, char **argv)
{
    struct buffer bytes = buffer_make(16 * 1024 * 1024);
    if (argc != 4 || !crypto_start())
        return fputs("usage: constant_handler SOCKET THREADS FILE\n", stderr) < 0 ? 2 : 1;
    FILE *file = fopen(argv[3], "rb");
    if (file == NULL)
        return perror(argv[3]), 1;
    for (int c; (c = fgetc(file)) != EOF;)
        buffer_append_char(&bytes, (char)c);
    fclose(file);
    log_start("constant", LOG_WARNING);
    http_block_signals();
    int fd = http_listen(argv[1]);
    int result = fd >= 0 ? http_server_run(fd, (unsigned)strtoul(argv[2], NULL, 10), answer, &bytes) : 1;
    buffer_free(&bytes);
    return result;
}
