#!/bin/bash
# The audit log's chain when many log at the same moment. Run by ./run, which sets PGHOST, PGPORT, PGUSER; speaks TAP.
set -euo pipefail
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

check() {
    local what=$1; shift
    count=$((count + 1))
    if "$@" >"$work/out" 2>&1; then echo "ok $count - $what"; else
        echo "not ok $count - $what"
        sed 's/^/# /' "$work/out"
    fi
}
quiet() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
a=aaaaaaaa-0000-4000-8000-000000000001 b=bbbbbbbb-0000-4000-8000-000000000002

quiet -c 'CREATE DATABASE chained TEMPLATE flywheel' postgres
export PGDATABASE=chained
quiet <<SQL
INSERT INTO partners (id, name, slug) VALUES ('$a', 'A', 'a'), ('$b', 'B', 'b');
INSERT INTO sites (site_id, clinic_name, partner_id) SELECT 'one-' || n, 'One', '$a' FROM generate_series(1, 4) AS n;
INSERT INTO sites (site_id, clinic_name, partner_id) SELECT 'two-' || n, 'Two', '$b' FROM generate_series(1, 4) AS n;
SQL
log() { printf "INSERT INTO promotion_audit_log (partner_id, actor_kind, actor, action, entity, entity_id) VALUES ('%s', 'user', 'x', 'rule.created', 'rule', '1');\n" "$1"; }
# Sixteen sessions, ten transactions each, of both partners. Half of them log first and then change the site that the other
# half has changed before it logs: with a chain that is locked while logging they would wait for each other in a circle.
session() {
    local n=$1 i
    for ((i = 0; i < 10; i++)); do
        echo 'BEGIN;'
        if ((n % 2)); then log "$a"; echo "UPDATE sites SET rules_revision = rules_revision + 1 WHERE site_id = 'one-$((n % 4 / 2 + 1))';"
        else echo "UPDATE sites SET rules_revision = rules_revision + 1 WHERE site_id = 'one-$((n % 4 / 2 + 1))';"; log "$a"; fi
        log "$b"
        ((n % 5)) || { echo 'ROLLBACK;'; continue; }
        echo 'COMMIT;'
    done | quiet
}
together() {
    local i pids=() bad=0
    for ((i = 1; i <= 16; i++)); do session "$i" & pids+=($!); done
    for i in "${pids[@]}"; do wait "$i" || bad=1; done
    return "$bad"
}
check 'P4 sixteen at once log, in whatever order, without a deadlock' together
entries() { quiet -c "SELECT count(*) FROM promotion_audit_log WHERE partner_id = '$1'"; }
check 'what was committed is logged, what was rolled back is not' test "$(entries "$a") $(entries "$b")" = '130 130'
check 'every entry has its link, one after the other' test "$(quiet -c "SELECT count(*), max(seq), count(DISTINCT audit_id) FROM audit_chain_links GROUP BY partner_id")" = $'130|130|130\n130|130|130'
check 'both chains are whole' test -z "$(quiet -c "SELECT v FROM partners p, verify_audit_chain(p.id) AS v")"

# One partner's decision that takes its time to commit keeps nobody else's.
other_partner_goes_on() {
    quiet -c "BEGIN; $(log "$a") SET CONSTRAINTS ALL IMMEDIATE; SELECT pg_sleep(30); COMMIT" 2>/dev/null & local slow=$!
    until [ "$(quiet -c "SELECT count(*) FROM pg_stat_activity WHERE datname = 'chained' AND wait_event = 'PgSleep'")" = 1 ]; do sleep 0.1; done
    PGOPTIONS='-c lock_timeout=2s' quiet -c "$(log "$b")" || return 1
    ! PGOPTIONS='-c lock_timeout=1s' quiet -c "$(log "$a")" 2>/dev/null || return 1
    quiet -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'chained' AND wait_event = 'PgSleep'" >/dev/null
    wait "$slow" || true
}
check 'a partner waits for its own commits only' other_partner_goes_on
check 'and goes on when they are over' quiet -c "$(log "$a")"
echo "1..$count"
