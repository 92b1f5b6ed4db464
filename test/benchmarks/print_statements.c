/* Prints the library's SQL statements as a JSON object {name: sql}, for running them without the handlers around. */
#include <stdio.h>

#include "base/json.h"
#include "db/database.h"

int main(void)
{
    size_t count;
    const struct db_statement *const *statements = db_statements(&count);
    struct buffer text = buffer_make(1024 * 1024);
    struct json_writer json = json_writer_make(&text);
    json_open_object(&json, NULL);
    for (size_t i = 0; i < count; i++)
        json_text(&json, statements[i]->name, statements[i]->sql);
    json_writer_end(&json);
    printf("%.*s\n", (int)text.len, text.bytes);
    buffer_free(&text);
    return 0;
}
