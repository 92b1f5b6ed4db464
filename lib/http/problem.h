/* The one place where an error becomes an answer: a problem document by RFC 9457. */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/error.h"
#include "http/response.h"

/* The HTTP status of a kind of error. */
int problem_status(enum error_kind kind);

/* Makes `response` the problem document of `error`, with the headers its status asks for:
 * WWW-Authenticate with 401, Retry-After with 429 and 503. (Allow with 405 is the router's, which knows it.) `error` must
 * live until the answer is sent. */
void problem_respond(const struct error *error, const char *request_id, struct http_response *response);

#endif
