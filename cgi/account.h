/* What the program `account` serves besides its own file. */
#ifndef CGI_ACCOUNT_H
#define CGI_ACCOUNT_H

#include <stdbool.h>

#include "base/json.h"
#include "promotion/accounts.h"

struct call;

/* The members of a partner, into an open object. */
void write_partner(struct json_writer *json, const struct partner_profile *partner);

/* In account_session.c. */
bool sign_in(struct call *call);
bool sign_out(struct call *call);
bool who_am_i(struct call *call);

/* In account_appliances.c. */
bool list_appliances(struct call *call);

/* In account_password.c. */
bool set_password(struct call *call);
bool change_password(struct call *call);

#endif
