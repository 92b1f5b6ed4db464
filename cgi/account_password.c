/* Choosing a password by a link, and changing one's own. */
#include "cgi/account.h"
#include "cgi/service.h"
#include "promotion/passwords.h"

bool set_password(struct call *call)
{
    const char *email;
    if (!password_set_by_link(call->session.database, call->arena, call->request->request_id,
                              body_text(&call->inputs, "token"), body_text(&call->inputs, "password"), &email,
                              call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_text(&json, "status", "password_set");
    json_text(&json, "email", email);
    json_writer_end(&json);
    return true;
}

bool change_password(struct call *call)
{
    if (!password_change(&call->session, body_text(&call->inputs, "current_password"),
                         body_text(&call->inputs, "new_password"), call->error))
        return false;
    struct json_writer json = call_answer(call);
    json_text(&json, "status", "password_set");
    json_writer_end(&json);
    return true;
}
