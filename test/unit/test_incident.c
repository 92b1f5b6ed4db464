#include "unit.h"

#include "base/compiler.h"
#include "rules/incident.h"

static struct slice kept(struct arena *arena, const char *text)
{
    char why[160] = "";
    const struct json *value = json_parse(arena, slice_of(text), why, sizeof why);
    assert_string_equal(why, "");
    struct buffer out = buffer_make(1024 * 1024);
    struct json_writer writer = json_writer_make(&out);
    incident_write(arena, &writer, NULL, value);
    struct slice copy = arena_copy(arena, buffer_slice(&out));
    buffer_free(&out);
    return copy;
}

#define SAME(state, text) assert_slice(kept(*(state), text), text)

static void what_a_rule_may_match_is_kept_to_the_letter(void **state)
{
    SAME(state, "{\"check_type\":\"firewall\",\"incident_type\":\"firewall\",\"platform\":\"windows\",\"severity\":\"high\",\"drift_detected\":true,"
                "\"host_id\":\"desktop-12345678\",\"hostname\":\"DESKTOP-12345678.clinic.example\",\"details\":{\"drift_type\":\"disabled\","
                "\"service_name\":\"WinDefend\",\"free_percent\":1.10,\"definitions_age_days\":3,\"count\":9007199254740993,\"enabled\":false}}");
    SAME(state, "{\"details\":{\"services\":[{\"name\":\"Spooler\",\"state\":\"stopped\"},null,1.5,\"a b\"]}}");
    SAME(state, "[{\"phase\":\"remediate\",\"ok\":true},\"verify\"]");
    SAME(state, "{}");
}

static void what_nobody_knows_is_left_out_at_every_depth(void **state)
{
    assert_slice(kept(*state, "{\"patient\":\"x\",\"details\":{\"note\":\"x\",\"state\":\"up\",\"extra\":{\"state\":\"up\"}},\"größe\":1}"),
                 "{\"details\":{\"state\":\"up\"}}");
    assert_slice(kept(*state, "[{\"user\":\"jsmith\"},[{\"password\":\"x\"}]]"), "[{},[{}]]");
}

static void figures_are_kept_by_the_ending_of_their_name_texts_are_not(void **state)
{
    assert_slice(kept(*state, "{\"backup_age_hours\":3,\"vss_ok\":false,\"patient_count\":\"Miller\",\"_days\":1,\"Miller Days_days\":2}"),
                 "{\"backup_age_hours\":3,\"vss_ok\":false}");
}

static void free_text_is_redacted_and_cut(void **state)
{
    assert_slice(kept(*state, "{\"message\":\"mail to a@b.example\",\"status\":\"patient John Smith\",\"output\":[\"C:\\\\Users\\\\jo\\\\x\"]}"),
                 "{\"message\":\"mail to <EMAIL>\",\"status\":\"patient <PERSONAL>\",\"output\":[\"C:\\\\Users\\\\<USER>\\\\x\"]}");
    char text[3 * INCIDENT_TEXT_CHARS] = "{\"output\":\"";
    size_t start = strlen(text);
    memset(text + start, 'x', sizeof text - start);
    memcpy(text + sizeof text - 3, "\"}", 3);
    assert_int_equal(kept(*state, text).len, INCIDENT_TEXT_CHARS + strlen("{\"output\":\"\"}"));
}

static void no_name_is_on_the_list_twice(void **state)
{
    (void)state;
    size_t count;
    const struct incident_member *members = incident_members(&count);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (strcmp(members[i].name, members[j].name) == 0)
                fail_msg("%s is listed twice", members[i].name);
}

/* For documented_members.py: one member a line, with its kind. */
static int list(void)
{
    static const char *const kinds[] = {"word", "text", "figure"};
    size_t count;
    const struct incident_member *members = incident_members(&count);
    for (size_t i = 0; i < count; i++)
        printf("%s %s\n", kinds[members[i].kind], members[i].name);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list();
    const struct CMUnitTest tests[] = {
        UNIT_TEST(what_a_rule_may_match_is_kept_to_the_letter),
        UNIT_TEST(what_nobody_knows_is_left_out_at_every_depth),
        UNIT_TEST(figures_are_kept_by_the_ending_of_their_name_texts_are_not),
        UNIT_TEST(free_text_is_redacted_and_cut),
        UNIT_TEST(no_name_is_on_the_list_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
