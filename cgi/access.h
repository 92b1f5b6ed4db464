/* What the program `access` serves; its table is in access.c. */
#ifndef CGI_ACCESS_H
#define CGI_ACCESS_H

#include <stdbool.h>

struct call;

/* People, in access_users.c. */
bool list_users(struct call *call);
bool invite_user(struct call *call);
bool change_user(struct call *call);
bool reset_password(struct call *call);

/* Keys, in access_keys.c. */
bool list_keys(struct call *call);
bool create_key(struct call *call);
bool rotate_key(struct call *call);
bool revoke_key(struct call *call);

#endif
