#include "unit.h"

#include "base/compiler.h"
#include "rules/redact.h"

struct example {
    const char *text, *redacted; /* NULL: stays as it is */
};

static void check(struct arena *arena, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *expected = examples[i].redacted != NULL ? examples[i].redacted : examples[i].text;
        struct slice once = redact_text(arena, slice_of(examples[i].text));
        assert_slice(once, expected);
        assert_slice(redact_text(arena, once), expected);
    }
}

#define CHECK(state, ...)                                                                                             \
    do {                                                                                                              \
        const struct example examples[] = {__VA_ARGS__};                                                              \
        check(*(state), examples, COUNT_OF(examples));                                                                \
    } while (0)

static void addresses_of_people_go(void **state)
{
    CHECK(state, {"mail to jane.doe@clinic.example failed", "mail to <EMAIL> failed"},
          {"<jane+lab@mail.clinic.example>", "<<EMAIL>>"}, {"o'neil@clinic.example.", "<EMAIL>."},
          {"jürgen@clinic.example", "<EMAIL>"}, {"jsmith@CLINIC.LOCAL: pre-authentication failed", "<EMAIL>: pre-authentication failed"},
          {"getty@tty1.service: Failed with result 'exit-code'", NULL}, {"a @ b", NULL}, {"user@host", NULL}, {"@", NULL},
          {"x@y.", NULL});
}

static void secrets_go(void **state)
{
    CHECK(state, {"password=hunter2", "password=<SECRET>"}, {"password: 'two words', next", "password: '<SECRET>', next"},
          {"PWD = hunter2; Server=db", "PWD = <SECRET>; Server=db"}, {"db_password=x&y=1", "db_password=<SECRET>&y=1"},
          {"{\"api_key\": \"abc\"}", "{\"api_key\": \"<SECRET>\"}"}, {"restic --password hunter2 -v", "restic --password <SECRET> -v"},
          {"Authorization: Bearer abc.def, then", "Authorization: <SECRET>, then"},
          {"sent Bearer 0123456789abcdef", "sent Bearer <SECRET>"}, {"Basic authentication is off", NULL},
          {"key fwk_6vyH6NDfTS3yzQbGKoVx4znhWHE3E6sc is revoked", "key <SECRET> is revoked"},
          {"AKIAIOSFODNN7EXAMPLE", "<SECRET>"}, {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d", "<SECRET>"},
          {"https://bob:hunter2@repo.example/path", "https://<SECRET>@repo.example/path"},
          {"https://repo.example/@scope", NULL},
          {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- rest", "<SECRET> rest"},
          {"-----BEGIN PRIVATE KEY-----\nMIIE", "<SECRET>"}, {"-----BEGIN CERTIFICATE-----", NULL},
          {"got Zk9qT2mXv7Lr4Wb8Yc1Hn6Dp3Fs5Gj0Ka", "got <SECRET>"},
          {"Microsoft-Windows-Security-Auditing-4625", NULL}, {"the password is wrong", NULL}, {"passwords: 3 expired", NULL},
          {"token expired", NULL}, {"key: HKLM\\Software\\Policies", NULL}, {"PASS: 3 checks", NULL}, {"db_pass=x", "db_pass=<SECRET>"},
          {"api-key: x", "api-key: <SECRET>"});
}

static void names_of_users_go(void **state)
{
    CHECK(state, {"C:\\Users\\jsmith\\AppData\\x.dll", "C:\\Users\\<USER>\\AppData\\x.dll"},
          {"C:\\Users\\John Smith\\x", "C:\\Users\\<USER>\\x"}, {"C:\\\\Users\\\\jsmith\\\\x", "C:\\\\Users\\\\<USER>\\\\x"},
          {"c:/users/jsmith", "c:/users/<USER>"}, {"/home/jane/.ssh/config: bad", "/home/<USER>/.ssh/config: bad"},
          {"/home/jane failed to open /etc/fstab", "/home/<USER> failed to open /etc/fstab"},
          {"C:\\Users\\Public\\Desktop", NULL}, {"/home", NULL}, {"/usr/home2/x", NULL},
          {"Logon failed for user jsmith.", "Logon failed for user <USER>."}, {"user 'J. Smith' has no rights", "user '<USER>' has no rights"},
          {"user=jsmith host=ws02", "user=<USER> host=ws02"}, {"Account Name: x", NULL}, {"account: CLINIC\\jsmith", "account: <USER>"},
          {"the user cannot log on", NULL}, {"runas=admin", "runas=<USER>"}, {"user: SYSTEM", NULL}, {"for user root", NULL},
          {"S-1-5-21-3623811015-3361044348-30300820-1013 failed", "<SID> failed"}, {"S-1-5-18", NULL});
}

static void what_is_a_patients_goes(void **state)
{
    CHECK(state, {"patient John Q. Smith, room 3", "patient <PERSONAL>, room 3"}, {"Patient: Smith John; DOB: 01/02/1980", "Patient: <PERSONAL>; DOB: <PERSONAL>"},
          {"MRN 12345", "MRN <PERSONAL>"}, {"mrn=A-12345, x", "mrn=<PERSONAL>, x"}, {"phone: 555 0100", "phone: <PERSONAL>"},
          {"patient records wait", NULL}, {"Patients: none", NULL});
}

static void long_numbers_go(void **state)
{
    CHECK(state, {"SSN is 078-05-1120.", "SSN is <NUMBER>."}, {"078 05 1120", "<NUMBER>"}, {"call (555) 010-0199 now", "call <NUMBER> now"},
          {"call 555-010-0199", "call <NUMBER>"}, {"+1 555 010 0199", "<NUMBER>"}, {"+49 89 1234567", "<NUMBER>"},
          {"4111 1111 1111 1111", "<NUMBER>"}, {"record 12345678 is locked", "record <NUMBER> is locked"},
          {"scan_123456789.pdf", "scan_<NUMBER>.pdf"}, {"123456-123456-123456-123456-123456-123456-123456-123456", "<NUMBER>"}, {"1234567", "<NUMBER>"});
}

static void what_a_technician_needs_stays(void **state)
{
    CHECK(state, {"123456 files", NULL}, {"exit code 3221225477", NULL}, {"HRESULT: -2147024891", NULL}, {"failed with -2147024891", NULL},
          {"volume shadow copy failed: 0x8004230f", NULL}, {"8589934592 bytes free", NULL}, {"2026-11-22T10:11:12.1234567Z", NULL},
          {"2026-11-22 10:11:12 2026-11-22", NULL}, {"{123e4567-e89b-12d3-a456-426614174000}", NULL}, {"backup-20261122103000.log", NULL},
          {"sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", NULL}, {"KB5031356", NULL}, {"10.0.19041.3803", NULL},
          {"MAC 00:1a:2b:3c:4d:5e at 12:34:56", NULL}, {"3.14159265", NULL}, {"192.168.1.20:443", NULL}, {"fe80::1", NULL},
          {"std::string", NULL}, {"event 4625123", NULL}, {"The check still fails after the runbook has run.", NULL}, {"", NULL},
          {"größe 12", NULL});
}

static void addresses_that_the_world_can_reach_go(void **state)
{
    CHECK(state, {"no answer from peer 203.0.113.9", "no answer from peer <IP>"}, {"(8.8.8.8:53)", "(<IP>:53)"}, {"8.8.8.8.", "<IP>."},
          {"1.2.3.4.5", NULL}, {"300.1.1.1", NULL}, {"v1.2.3.4", NULL}, {"2001:db8::1 is away", "<IP> is away"},
          {"172.16.0.1 172.32.0.1", "172.16.0.1 <IP>"}, {"::1", NULL});
}

static void absent_stays_absent_and_untouched_text_is_not_copied(void **state)
{
    struct slice text = SLICE("nothing to see");
    assert_false(slice_present(redact_text(*state, SLICE_ABSENT)));
    assert_false(slice_present(redact_and_cut(*state, SLICE_ABSENT, 10)));
    assert_ptr_equal(redact_text(*state, text).ptr, text.ptr);
}

static void cutting_comes_after_redacting(void **state)
{
    assert_slice(redact_and_cut(*state, SLICE("jane.doe@clinic.example is away"), 12), "<EMAIL> is a");
    assert_slice(redact_and_cut(*state, SLICE("ééééé"), 3), "ééé");
    /* What is cut off before it can be recognised does not show half. */
    assert_slice(redact_and_cut(*state, SLICE("a jane.doe@clinic.example"), 4), "a ");
}

static void long_texts_take_time_in_proportion_only(void **state)
{
    static const char *const units[] = {"1", "1.", "a-", "a_1", ":", "/", "/users/", "user=", "patient A ", "+1 ", "S-1-5-21-1", "eyJ", "\"", "--pin "};
    enum { SIZE = 128 * 1024 };
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        size_t len = strlen(units[u]);
        char *text = arena_alloc(*state, SIZE);
        for (size_t i = 0; i < SIZE; i++)
            text[i] = units[u][i % len];
        assert_true(slice_is_utf8(redact_text(*state, (struct slice){text, SIZE})));
        arena_reset(*state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(addresses_of_people_go),
        UNIT_TEST(secrets_go),
        UNIT_TEST(names_of_users_go),
        UNIT_TEST(what_is_a_patients_goes),
        UNIT_TEST(long_numbers_go),
        UNIT_TEST(what_a_technician_needs_stays),
        UNIT_TEST(addresses_that_the_world_can_reach_go),
        UNIT_TEST(absent_stays_absent_and_untouched_text_is_not_copied),
        UNIT_TEST(cutting_comes_after_redacting),
        UNIT_TEST(long_texts_take_time_in_proportion_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
