#include "server.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/json.h"
#include "tell.h"

enum { TOKEN_SIZE = 512, URL_SIZE = 4096, HEADER_SIZE = TOKEN_SIZE + 64, CONNECT_SECONDS = 10, PROBLEM_LIMIT = 65536,
       PROBLEM_MEMORY = 1024 * 1024,
       DAY = 86400 };

struct server {
    const struct settings *settings;
    server_stop *stop;
    int address_length; /* of settings->server, without a last slash */
    CURL *curl;
    struct buffer body;
    char authorization[HEADER_SIZE];
    char why[CURL_ERROR_SIZE];
};

/* ---- setting up -------------------------------------------------------------------------------------------------- */

static size_t take_body(char *bytes, size_t one, size_t count, void *context)
{
    struct server *server = context;
    buffer_append(&server->body, (struct slice){bytes, one * count});
    return buffer_ok(&server->body) ? one * count : 0;
}

bool server_must_stop(const struct server *server)
{
    return server->stop != NULL && server->stop();
}

static int look_up(void *context, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    (void)down_all, (void)down, (void)up_all, (void)up;
    return server_must_stop(context);
}

static void set_up(struct server *server)
{
    CURL *curl = server->curl;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "flywheel-agent/" FLYWHEEL_VERSION);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, server->settings->timeout_seconds);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, server->why);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, server);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, server);
    if (server->settings->ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, server->settings->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
}

/* Rules are safe, being signed; the token is not. */
static void warn_of_plain_text(const char *address)
{
    static const char *const here[] = {"http://127.", "http://localhost", "http://[::1]"};
    bool safe = slice_starts_with(slice_of(address), "https://");
    for (size_t i = 0; i < COUNT_OF(here); i++)
        safe = safe || slice_starts_with(slice_of(address), here[i]);
    if (!safe)
        tell("%s: the token can be read on the way there; use https://", address);
}

struct server *server_new(const struct settings *settings, server_stop *stop)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (server->curl = curl_easy_init()) == NULL)
        abort(); /* no memory: nothing can be done */
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL); /* a connection that breaks while we write is an error like others */
    server->settings = settings;
    server->stop = stop;
    for (server->address_length = (int)strlen(settings->server); settings->server[server->address_length - 1] == '/';)
        server->address_length--;
    server->body = buffer_make(SERVER_BODY_LIMIT);
    set_up(server);
    warn_of_plain_text(settings->server);
    return server;
}

void server_free(struct server *server)
{
    curl_easy_cleanup(server->curl);
    buffer_free(&server->body);
    free(server);
    curl_global_cleanup();
}

/* ---- the token ---------------------------------------------------------------------------------------------------- */

static bool is_token(struct slice token)
{
    for (size_t i = 0; i < token.len; i++)
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            return false;
    return token.len > 0;
}

bool server_sign_in(struct server *server, struct error *error)
{
    const char *path = server->settings->token_file;
    char text[TOKEN_SIZE + 1];
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(error, ERROR_UNAUTHENTICATED, "token", "the token file %s cannot be opened: %s", path,
                         strerrordesc_np(errno));
    if (fstat(fileno(file), &status) == 0 && (status.st_mode & S_IRWXO) != 0)
        tell("the token file %s is open to everybody on this machine: chmod 600", path);
    struct slice token = slice_trim((struct slice){text, fread(text, 1, sizeof text, file)});
    fclose(file);
    if (token.len >= TOKEN_SIZE || !is_token(token))
        return error_set(error, ERROR_UNAUTHENTICATED, "token", "the token file %s holds no token", path);
    snprintf(server->authorization, sizeof server->authorization, "Authorization: Bearer %.*s", (int)token.len, token.ptr);
    return true;
}

/* ---- one request -------------------------------------------------------------------------------------------------- */

static enum error_kind kind_of(long status)
{
    switch (status) {
    case 400: return ERROR_MALFORMED;
    case 401: return ERROR_UNAUTHENTICATED;
    case 403: return ERROR_FORBIDDEN;
    case 404: return ERROR_NOT_FOUND;
    case 405: return ERROR_METHOD;
    case 409: return ERROR_CONFLICT;
    case 413: return ERROR_TOO_LARGE;
    case 415: return ERROR_MEDIA_TYPE;
    case 429: return ERROR_TOO_MANY;
    case 408:
    case 425: return ERROR_UNAVAILABLE;
    default: return status < 500 ? ERROR_INVALID : ERROR_UNAVAILABLE;
    }
}

/* The server's own sentence, where its answer is a problem document (RFC 9457). */
static bool refused_by_server(struct server *server, long status, struct error *error)
{
    char why[160];
    struct arena *arena = arena_new(PROBLEM_MEMORY);
    struct slice text = buffer_slice(&server->body);
    const struct json *problem = text.len <= PROBLEM_LIMIT ? json_parse(arena, text, why, sizeof why) : NULL;
    struct slice detail = json_as_string(json_member(problem, "detail"));
    error_fill(error, kind_of(status), "answer", "the server answered %ld%s%.*s", status, detail.len > 0 ? ": " : "",
               (int)(detail.len < 300 ? detail.len : 300), slice_present(detail) ? detail.ptr : "");
    arena_free(arena);
    curl_off_t seconds = 0;
    curl_easy_getinfo(server->curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0)
        snprintf(error->retry_after, sizeof error->retry_after, "%d", seconds < DAY ? (int)seconds : DAY);
    return false;
}

static void read_etag(struct server *server, struct server_answer *answer)
{
    struct curl_header *header;
    *answer->etag = '\0';
    if (curl_easy_header(server->curl, "ETag", 0, CURLH_HEADER, -1, &header) == CURLHE_OK &&
        strlen(header->value) < sizeof answer->etag)
        snprintf(answer->etag, sizeof answer->etag, "%s", header->value);
}

static bool judge(struct server *server, bool may_be_unmodified, struct server_answer *answer, struct error *error)
{
    long status = 0;
    curl_easy_getinfo(server->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 400)
        return refused_by_server(server, status, error);
    answer->not_modified = status == 304;
    answer->body = buffer_slice(&server->body);
    read_etag(server, answer);
    return status == 200 || status == 201 || (status == 304 && may_be_unmodified) ||
           error_set(error, ERROR_INTERNAL, SERVER_UNUSABLE, "the server answered %ld, which was not asked for", status);
}

static bool perform(struct server *server, const char *url, struct curl_slist *headers, struct error *error)
{
    error_clear(error);
    buffer_free(&server->body); /* a large answer's memory is not kept for the small ones */
    *server->why = '\0';
    curl_easy_setopt(server->curl, CURLOPT_URL, url);
    curl_easy_setopt(server->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode result = curl_easy_perform(server->curl);
    if (result == CURLE_OK)
        return true;
    if (!buffer_ok(&server->body))
        return error_set(error, ERROR_INTERNAL, SERVER_UNUSABLE, "the answer is larger than %d bytes", SERVER_BODY_LIMIT);
    bool unreachable = result == CURLE_COULDNT_CONNECT || result == CURLE_COULDNT_RESOLVE_HOST;
    return error_set(error, ERROR_UNAVAILABLE, unreachable ? SERVER_UNREACHABLE : "no-answer",
                     "no answer from the server: %s", *server->why != '\0' ? server->why : curl_easy_strerror(result));
}

static struct curl_slist *with(struct curl_slist *headers, const char *header)
{
    struct curl_slist *longer = curl_slist_append(headers, header);
    if (longer == NULL)
        abort(); /* no memory for a line */
    return longer;
}

bool server_get_rules(struct server *server, int64_t revision, const char *etag, struct server_answer *answer,
                      struct error *error)
{
    char url[URL_SIZE], condition[300], changes[40] = "";
    char *site = curl_easy_escape(server->curl, server->settings->site_id, 0);
    char *appliance = curl_easy_escape(server->curl, server->settings->appliance_id, 0);
    if (revision >= 0)
        snprintf(changes, sizeof changes, "&revision=%lld", (long long)revision);
    snprintf(url, sizeof url, "%.*s" SERVER_RULES "?site_id=%s&appliance_id=%s%s", server->address_length,
             server->settings->server, site, appliance, changes);
    curl_free(site);
    curl_free(appliance);
    struct curl_slist *headers = with(NULL, server->authorization);
    if (etag != NULL) {
        snprintf(condition, sizeof condition, "If-None-Match: %s", etag);
        headers = with(headers, condition);
    }
    curl_easy_setopt(server->curl, CURLOPT_HTTPGET, 1L);
    bool done = perform(server, url, headers, error) && judge(server, etag != NULL, answer, error);
    curl_slist_free_all(headers);
    return done;
}

bool server_post(struct server *server, const char *path, struct slice json, struct server_answer *answer,
                 struct error *error)
{
    char url[URL_SIZE];
    snprintf(url, sizeof url, "%.*s%s", server->address_length, server->settings->server, path);
    struct curl_slist *headers = with(NULL, server->authorization);
    headers = with(headers, "Content-Type: application/json");
    headers = with(headers, "Expect:"); /* no waiting for a 100 */
    curl_easy_setopt(server->curl, CURLOPT_POST, 1L);
    curl_easy_setopt(server->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.len);
    curl_easy_setopt(server->curl, CURLOPT_POSTFIELDS, json.ptr);
    bool done = perform(server, url, headers, error) && judge(server, false, answer, error);
    curl_slist_free_all(headers);
    return done;
}
