"""Ways out of the folder that nginx sends files from, and around the addresses it lets through."""

import itertools

import pytest

from house.client import LEARNING, raw_request

UPS = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", "%uff0e%uff0e", "..;", "....", "%e3%80%82%e3%80%82"]
SLASHES = ["/", "\\", "%2f", "%5c", "%252f", "%255c", "%c0%af", "//", "%ef%bc%8f"]
TARGETS = ["etc/passwd", "etc/flywheel.conf", "etc/pgpass", "quickstart.json", "log/handlers.log", "pg/PG_VERSION"]
STARTS = ["/", "/assets/", "/index.html/", "/api/", "/api/version/", "/livez/", LEARNING + "/candidates/"]
SECRETS = ["root:x:0:0", "database_read", "postgres:", '"api_key"', '"event":"serving"', "password="]


@pytest.mark.parametrize("start", STARTS)
def test_no_spelling_leads_out_of_the_dashboards_folder(server, quickstart, start):
    for number, (up, slash) in enumerate(itertools.product(UPS, SLASHES)):
        for target in (TARGETS[number % len(TARGETS)], "etc/passwd"):
            for depth in (1, 3, 9):
                address = start + (up + slash) * depth + target
                head, body = raw_request(server, f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                status = head.split()[1]
                assert status in ("400", "401", "404", "405") or "text/html" in head, (address, head)
                assert not [secret for secret in SECRETS if secret in body], address
                assert quickstart["api_key"] not in body and quickstart["password"] not in body


@pytest.mark.parametrize("address", [
    "/.git/config", "/.env", "/.htaccess", "/quickstart.json", "/../quickstart.json", "/assets/", "/assets", "/assets/.",
    "/etc/flywheel.conf", "/handlers/account", "/run/supervisor.json", "/nginx.conf", "/server-status", "/nginx_status",
    "/_problem/404", "/_problem/", "/cgi-bin/account", "/account.sock", "/index.html~", "/index.html.bak", "/assets/%00.js",
    "http://127.0.0.1/etc/passwd", "file:///etc/passwd", "/proc/self/environ",
])
def test_nothing_but_the_dashboard_is_sent(server, address):
    head, body = raw_request(server, f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert head.split()[1] in ("400", "404") or ("text/html" in head and "<script" in body), (address, head)
    assert not [secret for secret in SECRETS if secret in body], address


@pytest.mark.parametrize("path", ["/api/partners/me/learning/stats", "/api/partners/me", "/api/partners/me/keys"])
def test_no_spelling_of_an_address_gets_around_its_guard(server, path):
    """What is not the address itself is refused, never served without the check."""
    for address in (path.upper(), path.replace("/api/", "/API/"), path.replace("/", "//", 1), path + "/", path + "%2f",
                    path + ".json", path + ";x=1", path + "%20", path + "%09", path + "?", path + "%3f", path + "#x",
                    path.replace("me", "%6de"), path.replace("/api/", "/api/./"), "/livez/.." + path, "/livez%2f.." + path,
                    path.replace("/me", "\\me"), path + "\\"):
        head, body = raw_request(server, f"GET {address} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert head.split()[1] in ("400", "401", "404") or "text/html" in head, (address, head)
        assert "pending_candidates" not in body and '"slug"' not in body and '"prefix"' not in body
