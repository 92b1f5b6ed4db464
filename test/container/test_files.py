"""The files of the containers agree with each other and with the layout; nothing is built or started here."""
import argparse
import pathlib
import re
import subprocess

import pytest

import compose

TOP = pathlib.Path(__file__).resolve().parents[2]
FILES = TOP / "deploy/container"
SERVERS = ("database", "handlers", "nginx")


@pytest.fixture(name="project")
def fixture_project(monkeypatch):
    for name in ("HOST_DIR", "PORT", "LISTEN", "SERVER_NAME", "TLS_PORT", "RATE_LIMIT", "IMAGE", "DATABASE_IMAGE"):
        monkeypatch.delenv(f"FLYWHEEL_{name}", raising=False)
    return compose.Project(argparse.Namespace(project="flywheel", podman="false", file=[FILES / "compose.yaml"]))


@pytest.fixture(name="services")
def fixture_services(project):
    return project.document["services"]


@pytest.fixture(name="layout")
def fixture_layout():
    lines = (FILES / "layout").read_text().splitlines()
    return dict(re.fullmatch(r"(\w+) = ?(.*)", line).groups() for line in lines if line and not line.startswith("#"))


def mounts(service):
    """{where in the container: (what, how)}"""
    result = {}
    for volume in service.get("volumes", []):
        source, target, *how = volume.split(":")
        result[target] = (source, how)
    return result


def test_every_member_of_the_compose_file_is_one_that_the_tests_use(project, services):
    for name in services:
        assert project.arguments(name)


def test_the_layout_is_one_that_the_commands_read(layout):
    script = f'set -eu; . {TOP}/deploy/lib/common.sh; . {TOP}/deploy/lib/layout.sh; layout_read {FILES}/layout; echo "$kind ${{layout_keys[*]}}"'
    kind, *keys = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert kind == "container"
    assert set(layout) == set(keys), "a key that the layout of a container does not name keeps no value"


def test_p42_the_two_folders_of_the_host_lie_over_those_of_the_image(services, layout):
    expected = {layout["handlers_dir"]: "/opt/mcp-server/dashboard_api_mount/", layout["frontend_dir"]: "/opt/mcp-server/frontend_dist/"}
    assert expected == {"/app/dashboard_api": "/opt/mcp-server/dashboard_api_mount/",
                        "/usr/share/nginx/html": "/opt/mcp-server/frontend_dist/"}
    for target, source in expected.items():
        assert mounts(services["handlers"])[target] == (source, ["ro"]), "what runs cannot change what runs"
        assert mounts(services["fill"])[target] == (source, [])


def test_the_image_holds_both_once_more_where_no_mount_hides_them(layout):
    text = (FILES / "Containerfile").read_text()
    for what in ("handlers", "frontend"):
        assert f"COPY --from=build {layout[f'image_{what}_dir']} {layout[f'{what}_dir']}\n" in text
    assert f"COPY deploy/container/layout {'/etc/flywheel'}/layout" in text
    assert "FLYWHEEL_DIR=/etc/flywheel " in text


def test_handlers_and_nginx_share_sockets_and_pages(services, layout):
    assert mounts(services["handlers"])["/run/flywheel"] == ("run", [])
    assert mounts(services["nginx"])["/run/flywheel"] == ("run", ["ro"])
    for key in ("run_dir", "sockets_dir", "pages_dir"):
        assert (layout[key] + "/").startswith("/run/flywheel/")
    for service in ("handlers", "migrate"):
        assert mounts(services[service])["/run/postgresql"][0] == "database-socket"
    assert "host=/run/postgresql " in layout["database_owner"]


def test_p41_each_gets_the_secrets_it_needs_and_no_other(project, services, layout):
    assert layout["etc_dir"] == "/run/secrets"
    got = {name: set(service.get("secrets", [])) for name, service in services.items()}
    assert got == {"database": {"pgpass"}, "migrate": {"pgpass", "flywheel.conf"}, "handlers": {"flywheel.conf", "rules.key"},
                   "tools": set(), "fill": set(), "nginx": set()}
    with_all = [name for name in services if layout["etc_dir"] in mounts(services[name])]
    assert with_all == ["tools"], "back-ups hold all secrets, and a restore and a new key write some"
    assert mounts(services["tools"])[layout["etc_dir"]] == ("/opt/mcp-server/secrets/", [])
    for name, secret in project.document["secrets"].items():
        assert secret["file"] == f"/opt/mcp-server/secrets/{name}"
        assert f"secret {name}\n" in (FILES / "prepare").read_text() + "\n"


def test_with_tls_nginx_alone_gets_the_key(monkeypatch):
    monkeypatch.setenv("FLYWHEEL_SERVER_NAME", "flywheel.example")
    files = [FILES / "compose.yaml", FILES / "compose.tls.yaml"]
    services = compose.Project(argparse.Namespace(project="flywheel", podman="false", file=files)).document["services"]
    assert services["nginx"]["secrets"] == ["tls.crt", "tls.key"]
    assert services["nginx"]["environment"]["FLYWHEEL_SERVER_NAME"] == "flywheel.example"
    assert services["nginx"]["ports"] == ["127.0.0.1:8080:8080", "127.0.0.1:443:8443"]
    assert not any("tls.key" in service.get("secrets", []) for name, service in services.items() if name != "nginx")


def test_back_ups_lie_on_the_host_where_the_commands_put_them(services, layout):
    assert mounts(services["tools"])[layout["state_dir"] + "/backups"] == ("/opt/mcp-server/backups/", [])
    assert "profiles" in services["tools"], "it is run by name alone"


def test_only_nginx_is_on_a_network_and_only_this_machine_reaches_it(services):
    assert [name for name, service in services.items() if service.get("network_mode") != "none"] == ["nginx"]
    assert services["nginx"]["ports"] == ["127.0.0.1:8080:8080"]


@pytest.mark.parametrize("member, wanted", [("read_only", True), ("cap_drop", ["ALL"]), ("security_opt", ["no-new-privileges"])])
def test_no_service_can_change_itself_or_gain_rights(services, member, wanted):
    for name, service in services.items():
        assert service[member] == wanted, name


def test_only_the_one_that_writes_to_the_folders_of_the_host_is_root(services):
    assert [name for name, service in services.items() if "user" in service] == ["fill"]
    assert [name for name, service in services.items() if "cap_add" in service] == ["fill"]
    assert services["fill"]["restart"] == "no"


def test_everything_has_limits_and_logs_that_end(services):
    for name, service in services.items():
        assert service["mem_limit"] and service["pids_limit"] and service["ulimits"]["nofile"], name
        assert service["logging"]["options"]["max-size"] and service["logging"]["options"]["max-file"], name


def test_servers_come_back_and_tell_their_health(services):
    for name in SERVERS:
        assert services[name]["restart"] == "unless-stopped"
        assert services[name]["healthcheck"]["test"] == ["CMD", "/usr/lib/flywheel/deploy/container/entry", "healthy"]


def test_nothing_serves_before_schema_and_folders_are_there(services):
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["handlers"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"},
                                                  "fill": {"condition": "service_completed_successfully"}}


def test_every_command_is_a_role_of_the_entry(services):
    entry = (FILES / "entry").read_text()
    for name, service in services.items():
        if name == "tools":
            continue
        assert service["command"] == [name]
        assert f"\nrole_{name}() {{" in entry


def test_the_account_is_one_and_the_same_everywhere():
    accounts = re.findall(r"^readonly account=(\d+)$", (FILES / "install-packages").read_text() + (FILES / "prepare").read_text(), re.M)
    users = re.findall(r"^USER (\d+):(\d+)$", (FILES / "Containerfile").read_text(), re.M)
    assert len(accounts) == 2 and len(users) == 2
    assert len({*accounts, *(number for user in users for number in user)}) == 1


def test_what_the_images_copy_exists():
    for line in (FILES / "Containerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--") and words[1] != ".":
            for source in words[1:-1]:
                assert (TOP / source).exists(), source


def test_the_build_sees_what_it_needs_and_nothing_that_was_built():
    lines = (TOP / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*", "what is not named stays outside"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    needed = {word for word in re.findall(r"\$\{CMAKE_SOURCE_DIR\}/(docs/[\w.]+)", (TOP / "CMakeLists.txt").read_text())}
    assert needed <= allowed
    assert {"cgi", "lib", "sql", "deploy", "frontend", "CMakeLists.txt"} <= allowed
    assert not any(name.startswith((".git", "test", "build", "var")) for name in allowed)


def test_the_suite_installs_what_it_runs():
    packages = (TOP / "deploy/packages").read_text().split("[containers]")[1].split("\n[")[0].split()
    assert {"podman", "runc", "debootstrap"} <= set(packages)
