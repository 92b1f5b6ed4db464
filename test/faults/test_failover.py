"""P37: the primary dies and a standby takes its place. A handler that knows both goes on by itself."""

import json
import os
import subprocess

import pytest

from fastcgi import Connection
from house.client import LEARNING
from machine import soon, wait_until

CLUSTER = """
programs=$(pg_programs)
copy={folder}/standby; sockets_of_copy={folder}/s
as_server mkdir -p "$sockets_of_copy"
PGPASSFILE=$instance/etc/pgpass
"""


@pytest.fixture
def standby(machine):
    """A copy of the instance's cluster that follows it, in the instance's own folder for temporary files."""
    folder = machine.instance / "tmp"
    begin = CLUSTER.format(folder=folder)
    machine.by_hand(begin, """
        password=$(superuser_password)
        as_server env PGPASSWORD="$password" "$programs/pg_basebackup" --host="$sockets" --username=postgres --checkpoint=fast \\
            --wal-method=stream --write-recovery-conf --pgdata="$copy"
        as_server "$programs/pg_ctl" start --silent --wait --timeout 60 --pgdata "$copy" --log "$instance/tmp/standby.log" \\
            --options="-c unix_socket_directories=$sockets_of_copy" >/dev/null
    """)
    yield folder / "s"
    machine.by_hand(begin, 'as_server "$programs/pg_ctl" stop --silent --wait --mode immediate --pgdata "$copy" || true',
                    'rm -rf -- "$copy" "$sockets_of_copy"')


def test_p37_a_handler_that_knows_both_servers_finds_the_new_primary(partner, machine, standby, tmp_path):
    candidates = [partner.new_candidate() for _ in range(3)]
    config = tmp_path / "flywheel.conf"
    text = (machine.instance / "etc" / "flywheel.conf").read_text(encoding="utf-8")
    both = f"host={machine.sockets},{standby}"
    config.touch(mode=0o600)
    config.write_text(text.replace(f"host={machine.sockets}", both + " target_session_attrs=read-write"), encoding="utf-8")
    assert both in config.read_text(encoding="utf-8")
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        handler = subprocess.Popen([machine.instance / "handlers" / "learning-approve", "--config", config, "--socket",
                                    tmp_path / "s"], stdin=subprocess.DEVNULL, stderr=log, env=os.environ)
    try:
        wait_until(10, lambda: "serving" in (tmp_path / "log").read_text(encoding="utf-8"), "it serves")
        connection = Connection(tmp_path / "s")

        def approve(candidate):
            status, headers, body = connection.ask(
                "POST", f"{LEARNING}/candidates/{candidate['id']}/approve", b"{}", CONTENT_TYPE="application/json",
                HTTP_X_API_KEY=partner.api.key, HTTP_IDEMPOTENCY_KEY="failover-" + candidate["id"])
            assert status in (200, 503) and (status == 200 or int(headers["Retry-After"]) > 0), body
            return json.loads(body) if status == 200 else None

        assert approve(candidates[0])
        first_answer = approve(candidates[1])
        with machine.postgres_is_away():
            assert approve(candidates[2]) is None, "there is no server that writes"
            machine.by_hand(CLUSTER.format(folder=machine.instance / "tmp"),
                            'as_server "$programs/pg_ctl" promote --silent --wait --pgdata "$copy" >/dev/null')
            wait_until(soon(), lambda: approve(candidates[2]), "the new primary is found")
            assert approve(candidates[1]) == first_answer, "what was answered before is there, and kept for its key"
        connection.close()
    finally:
        handler.terminate()
        assert handler.wait(timeout=20) == 0
