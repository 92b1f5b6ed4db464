/* What is recognised by its words: secrets, names, addresses of people. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/compiler.h"
#include "rules/redact_scan.h"

static const struct found NOTHING = {0, 0};

enum { LONGEST_NAME = 40, LONGEST_MASK = 10 };

static bool any_of(char c, const char *characters)
{
    return c != '\0' && strchr(characters, c) != NULL;
}

/* Bytes from `at` that are letters, digits, or one of `more`. */
static size_t run_of(const struct scan *scan, const char *at, const char *more)
{
    const char *start = at;
    while (at < scan->end && (isalnum((unsigned char)*at) || any_of(*at, more)))
        at++;
    return (size_t)(at - start);
}

static bool starts_with(const struct scan *scan, const char *at, const char *word)
{
    size_t len = strlen(word);
    return (size_t)(scan->end - at) >= len && strncasecmp(at, word, len) == 0;
}

static bool starts_word(const struct scan *scan)
{
    return scan->at == scan->begin || !scan_is_word(scan->at[-1]);
}

/* ---- e-mail addresses and URLs ------------------------------------------------------------------------------ */

/* Bytes of a domain with at least one dot and a last label of letters; 0 when there is none. */
static size_t domain_at(const struct scan *scan, const char *start)
{
    static const char *const units[] = {"service", "socket", "timer", "mount", "target", "slice", "scope", "path", "device", "swap"};
    const char *at = start, *last = NULL;
    while (at < scan->end && at - start < 255 && (isalnum((unsigned char)*at) || *at == '-' || *at == '.')) {
        if (*at == '.' && at + 1 < scan->end && isalnum((unsigned char)at[1]))
            last = at + 1;
        at++;
    }
    while (at > start && (at[-1] == '.' || at[-1] == '-'))
        at--;
    size_t letters = 0;
    while (last != NULL && last + letters < at && isalpha((unsigned char)last[letters]))
        letters++;
    if (letters < 2 || last + letters != at)
        return 0;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (strlen(units[i]) == letters && strncasecmp(units[i], last, letters) == 0)
            return 0;
    return (size_t)(at - start);
}

struct found scan_email(const struct scan *scan)
{
    enum { LONGEST_LOCAL = 64 };
    const char *at = scan->at;
    while (at < scan->end && at - scan->at <= LONGEST_LOCAL && (scan_is_word(*at) || any_of(*at, ".%+-'")))
        at++;
    if (!scan_is_word(*scan->at) || at == scan->end || *at != '@')
        return NOTHING;
    size_t domain = domain_at(scan, at + 1);
    return domain > 0 ? (struct found){0, (size_t)(at + 1 - scan->at) + domain} : NOTHING;
}

/* What stands between `://` and `@`. */
struct found scan_url_login(const struct scan *scan)
{
    enum { LONGEST = 256 };
    if (!starts_with(scan, scan->at, "://"))
        return NOTHING;
    const char *at = scan->at + 3;
    while (at < scan->end && at - scan->at < LONGEST && !isspace((unsigned char)*at) && !any_of(*at, "/?#@\"'<>"))
        at++;
    size_t len = (size_t)(at - scan->at) - 3;
    return len > 0 && at < scan->end && *at == '@' ? (struct found){3, len} : NOTHING;
}

/* ---- secrets ------------------------------------------------------------------------------------------------ */

struct found scan_private_key(const struct scan *scan)
{
    static const char begin[] = "-----BEGIN ", key[] = "PRIVATE KEY", end[] = "-----END ";
    if (!starts_with(scan, scan->at, begin))
        return NOTHING;
    size_t rest = (size_t)(scan->end - scan->at);
    const char *name = memmem(scan->at, rest < 64 ? rest : 64, key, sizeof key - 1);
    if (name == NULL)
        return NOTHING;
    const char *at = memmem(name, (size_t)(scan->end - name), end, sizeof end - 1);
    if (at == NULL)
        return (struct found){0, rest};
    at += sizeof end - 1;
    while (at < scan->end && (isupper((unsigned char)*at) || *at == ' '))
        at++;
    while (at < scan->end && *at == '-')
        at++;
    return (struct found){0, (size_t)(at - scan->at)};
}

struct found scan_known_secret(const struct scan *scan)
{
    static const struct {
        const char *prefix;
        size_t shortest; /* of what follows it */
    } kinds[] = {{"fwk_", 16}, {"fwa_", 16}, {"fws_", 16},   {"ghp_", 16},  {"gho_", 16},  {"github_pat_", 16}, {"glpat-", 16},
                 {"xoxb-", 8}, {"xoxp-", 8}, {"sk-", 20},    {"AKIA", 16},  {"ASIA", 16},  {"AIza", 30},        {"eyJ", 20}};
    for (size_t i = 0; i < COUNT_OF(kinds) && starts_word(scan); i++) {
        size_t len = strlen(kinds[i].prefix);
        if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, kinds[i].prefix, len) != 0)
            continue;
        size_t rest = run_of(scan, scan->at + len, "_-.=+/");
        if (rest >= kinds[i].shortest)
            return (struct found){0, len + rest};
    }
    return NOTHING;
}

/* Something that is no English word. */
static bool looks_random(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (isdigit((unsigned char)at[i]) || at[i] == '=' || (i > 0 && isupper((unsigned char)at[i])))
            return len >= 8;
    return false;
}

struct found scan_bearer(const struct scan *scan)
{
    static const char *const schemes[] = {"Bearer ", "Basic ", "Negotiate ", "NTLM "};
    for (size_t i = 0; i < COUNT_OF(schemes) && starts_word(scan); i++) {
        if (!starts_with(scan, scan->at, schemes[i]))
            continue;
        size_t keep = strlen(schemes[i]), len = run_of(scan, scan->at + keep, "_-.=+/~");
        return looks_random(scan->at + keep, len) ? (struct found){keep, len} : NOTHING;
    }
    return NOTHING;
}

struct found scan_random_word(const struct scan *scan)
{
    enum { SHORTEST = 32, SOME = 4, ONE_IN = 8 };
    if (scan->at > scan->begin && (isalnum((unsigned char)scan->at[-1]) || any_of(scan->at[-1], "_=-")))
        return NOTHING;
    size_t len = run_of(scan, scan->at, "_=-"), lower = 0, upper = 0, digits = 0;
    for (size_t i = 0; i < len; i++) {
        lower += islower((unsigned char)scan->at[i]) != 0;
        upper += isupper((unsigned char)scan->at[i]) != 0;
        digits += isdigit((unsigned char)scan->at[i]) != 0;
    }
    return len >= SHORTEST && lower >= SOME && upper >= SOME && digits * ONE_IN >= len ? (struct found){0, len} : NOTHING;
}

/* ---- values behind a name ----------------------------------------------------------------------------------- */

/* The name at `at`, `password` as well as `db_password` and `"api-key"`. */
static struct slice name_at(const struct scan *scan)
{
    size_t len = 0;
    while (scan->at + len < scan->end && len <= LONGEST_NAME &&
           (isalnum((unsigned char)scan->at[len]) || any_of(scan->at[len], "_-")))
        len++;
    bool begins = scan->at == scan->begin || !scan_is_word(scan->at[-1]);
    return begins && len > 0 && len <= LONGEST_NAME ? (struct slice){scan->at, len} : SLICE_ABSENT;
}

/* Whether the name is one of the words, or ends with one behind `_` or `-`. A word that begins with `_` is an ending only:
 * `key: HKLM\\…` and `PASS: 3 checks` are no secrets. */
static bool names(struct slice name, const char *const *words, size_t count)
{
    for (size_t i = 0; slice_present(name) && i < count; i++) {
        bool ending_only = words[i][0] == '_';
        const char *word = words[i] + ending_only;
        size_t len = strlen(word);
        if (name.len < len + ending_only || (name.len > len && !any_of(name.ptr[name.len - len - 1], "_-")))
            continue;
        if (strncasecmp(name.ptr + name.len - len, word, len) == 0)
            return true;
    }
    return false;
}

/* Where the value begins behind `name`: over quotes, spaces and `:` or `=`; NULL when none of these two is there. */
static const char *behind_sign(const struct scan *scan, const char *at)
{
    bool sign = false;
    if (at < scan->end && any_of(*at, "\"'"))
        at++;
    while (at < scan->end && (*at == ' ' || (any_of(*at, ":=") && !sign))) {
        sign |= *at != ' ';
        at++;
    }
    return sign && at < scan->end ? at : NULL;
}

/* The value at `at`: what is in its quotes, else up to one of `stops`. A mask that is there already is the value. */
static struct found value_at(const struct scan *scan, const char *at, const char *stops)
{
    const char *start = at;
    size_t rest = (size_t)(scan->end - at);
    const char *mask_end = *at == '<' ? memchr(at, '>', rest < LONGEST_MASK ? rest : LONGEST_MASK) : NULL;
    if (mask_end != NULL)
        return (struct found){(size_t)(mask_end + 1 - scan->at), 0};
    if (*at == '"' || *at == '\'') {
        const char *close = memchr(at + 1, *at, (size_t)(scan->end - at - 1));
        start = at + 1;
        at = close != NULL ? close : scan->end;
    } else {
        while (at < scan->end && !any_of(*at, stops) && *at != '\0')
            at++;
        while (at > start && at[-1] == ' ')
            at--;
    }
    return at > start ? (struct found){(size_t)(start - scan->at), (size_t)(at - start)} : NOTHING;
}

static const char word_stops[] = " \t\r\n,;&|)]}\"'<>";
static const char phrase_stops[] = "\r\n,;|)]}\"<>";

struct found scan_secret_value(const struct scan *scan)
{
    static const char *const words[] = {"password", "passwd", "passphrase", "pwd", "_pass", "passwort", "secret", "token", "apikey",
                                        "_key", "credential", "credentials", "cookie", "sessionid", "pin"};
    struct slice name = name_at(scan);
    const char *behind = scan->at + name.len;
    if (names(name, (const char *const[]){"authorization"}, 1)) {
        const char *value = behind_sign(scan, behind);
        return value != NULL ? value_at(scan, value, phrase_stops) : NOTHING;
    }
    if (!names(name, words, COUNT_OF(words)))
        return NOTHING;
    const char *value = behind_sign(scan, behind);
    bool is_flag = scan->at - scan->begin >= 1 && scan->at[-1] == '-';
    if (value == NULL && is_flag && behind + 1 < scan->end && *behind == ' ')
        value = behind + 1;
    return value != NULL ? value_at(scan, value, word_stops) : NOTHING;
}

/* Accounts that are nobody's. */
static bool is_common(const char *at, size_t len)
{
    static const char *const accounts[] = {"public", "default", "all users", "default user", "administrator", "defaultapppool",
                                           "system", "root", "guest", "nobody", "www-data", "localservice", "networkservice"};
    for (size_t i = 0; i < COUNT_OF(accounts); i++)
        if (strlen(accounts[i]) == len && strncasecmp(accounts[i], at, len) == 0)
            return true;
    return false;
}

/* `for user jsmith`, `user 'J. Smith'`: no sign between, but nothing else can be meant. */
static struct found named_by_position(const struct scan *scan, const char *behind)
{
    static const char *const before[] = {"for", "by", "of", "as"};
    if (behind + 1 >= scan->end || *behind != ' ')
        return NOTHING;
    if (behind[1] == '\'' || behind[1] == '"')
        return value_at(scan, behind + 1, word_stops);
    size_t len = run_of(scan, behind + 1, "._\\-");
    while (len > 0 && behind[len] == '.')
        len--;
    bool telling = false;
    for (size_t i = 0; i < COUNT_OF(before); i++)
        telling |= scan->previous.len == strlen(before[i]) && strncasecmp(scan->previous.ptr, before[i], scan->previous.len) == 0 &&
                   scan->previous.ptr + scan->previous.len + 1 == scan->at;
    return telling && len > 0 ? (struct found){(size_t)(behind + 1 - scan->at), len} : NOTHING;
}

struct found scan_user_value(const struct scan *scan)
{
    static const char *const words[] = {"user", "username", "userid", "user_id", "login", "logon", "account", "account_name",
                                        "accountname", "upn", "samaccountname", "logname", "owner", "runas"};
    struct slice name = name_at(scan);
    if (!names(name, words, COUNT_OF(words)))
        return NOTHING;
    const char *behind = scan->at + name.len, *value = behind_sign(scan, behind);
    struct found found = value != NULL ? value_at(scan, value, word_stops) : named_by_position(scan, behind);
    return is_common(scan->at + found.keep, found.len) ? NOTHING : found;
}

/* One to three words that begin with a capital letter, separated by single spaces. */
static size_t capitalised_words(const struct scan *scan, const char *start)
{
    const char *at = start, *end = start;
    for (int i = 0; i < 3 && at < scan->end && isupper((unsigned char)*at); i++) {
        while (at < scan->end && (scan_is_word(*at) || any_of(*at, ".'-")))
            at++;
        end = at;
        if (at == scan->end || *at != ' ')
            break;
        at++;
    }
    return (size_t)(end - start);
}

struct found scan_personal_value(const struct scan *scan)
{
    static const char *const words[] = {"patient", "patient_name", "patientname", "patient_id", "patientid", "mrn", "ssn", "dob",
                                        "birthdate", "birthday", "date_of_birth", "phone", "fax", "mobile", "telephone",
                                        "first_name", "firstname", "last_name", "lastname", "surname", "full_name", "fullname",
                                        "street", "insurance", "member_id", "policy_no", "subscriber"};
    struct slice name = name_at(scan);
    if (!names(name, words, COUNT_OF(words)))
        return NOTHING;
    const char *behind = scan->at + name.len, *value = behind_sign(scan, behind);
    if (value != NULL)
        return value_at(scan, value, phrase_stops);
    if (behind + 1 >= scan->end || *behind != ' ')
        return NOTHING;
    size_t len = capitalised_words(scan, behind + 1);
    if (len == 0)
        len = run_of(scan, behind + 1, "-") >= 4 && isdigit((unsigned char)behind[1]) ? run_of(scan, behind + 1, "-") : 0;
    return len > 0 ? (struct found){name.len + 1, len} : NOTHING;
}

/* ---- paths -------------------------------------------------------------------------------------------------- */

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* A folder's name: up to the next separator, with spaces only where Windows writes it. */
static size_t folder_name(const struct scan *scan, const char *start, bool windows)
{
    enum { LONGEST = 64 };
    const char *at = start;
    while (at < scan->end && at - start < LONGEST && !is_separator(*at) && !any_of(*at, "\r\n\t\"'<>|:*?;,()") && *at != '\0' &&
           (windows || *at != ' '))
        at++;
    if (at < scan->end && is_separator(*at))
        return (size_t)(at - start);
    const char *space = memchr(start, ' ', (size_t)(at - start));
    return (size_t)((space != NULL ? space : at) - start);
}

struct found scan_user_in_path(const struct scan *scan)
{
    static const char *const folders[] = {"users", "home", "documents and settings"};
    if (!is_separator(*scan->at))
        return NOTHING;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        const char *at = scan->at + 1;
        if (at < scan->end && is_separator(*at))
            at++; /* escaped, as in JSON */
        if (!starts_with(scan, at, folders[i]))
            continue;
        at += strlen(folders[i]);
        bool windows = at < scan->end && *at == '\\';
        const char *before = at;
        while (at < scan->end && is_separator(*at) && at - before < 2)
            at++;
        size_t len = at > before ? folder_name(scan, at, windows) : 0;
        if (len > 0 && !is_common(at, len))
            return (struct found){(size_t)(at - scan->at), len};
    }
    return NOTHING;
}
