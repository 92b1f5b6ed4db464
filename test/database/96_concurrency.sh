#!/bin/bash
# What several sessions do at the same moment. Run by ./run, which sets PGHOST, PGPORT, PGUSER; speaks TAP.
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
# together N COMMAND…: runs it N times at once, with the number as last argument; prints how many succeeded.
together() {
    local n=$1 i good=0 pids=(); shift
    for ((i = 1; i <= n; i++)); do "$@" "$i" >>"$work/each" 2>&1 & pids+=($!); done
    for i in "${pids[@]}"; do if wait "$i"; then good=$((good + 1)); fi; done
    echo "$good"
}

is_refused() { ! "$@"; }

quiet -c 'CREATE DATABASE concurrent TEMPLATE flywheel' postgres
export PGDATABASE=concurrent
quiet <<'SQL'
INSERT INTO partners (id, name, slug) VALUES ('aaaaaaaa-0000-4000-8000-000000000001', 'A', 'a');
INSERT INTO sites (site_id, clinic_name, partner_id) VALUES ('one', 'One', 'aaaaaaaa-0000-4000-8000-000000000001');
INSERT INTO aggregated_pattern_stats (site_id, pattern_signature) VALUES ('one', 'p');
SQL

# Partitions: sixteen appliances meet in months that nobody has made yet.
store() {
    quiet -U flywheel_agent >"$work/out.$1" <<SQL
BEGIN;
SELECT set_config('flywheel.partner_id', 'aaaaaaaa-0000-4000-8000-000000000001', true), set_config('flywheel.site_id', 'one', true);
SELECT ensure_execution_partitions(ARRAY['2022-05-10', '2022-06-10', '2022-07-10']::timestamptz[]);
INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id, resolution_level, success)
SELECT m, current_partner(), 'one', 'e$1-' || m, 'L1', true FROM unnest(ARRAY['2022-05-10', '2022-06-10', '2022-07-10']::timestamptz[]) AS m;
COMMIT;
SQL
}
check 'sixteen appliances at once make partitions and store' test "$(together 16 store)" = 16
check 'each month has one partition' test "$(quiet -c "SELECT count(*) FROM pg_inherits WHERE inhparent = 'execution_telemetry'::regclass AND inhrelid::regclass::text LIKE '%2022%'")" = 3
check 'no execution is lost' test "$(quiet -c "SELECT count(*) FROM execution_telemetry")" = 48
check 'and each is counted' test "$(quiet -c "SELECT sum(executions) || ' ' || sum(successes) FROM site_daily_executions")" = '48 48'

# P38: one execution sent by two connections at once counts once.
claim() {
    quiet -U flywheel_agent <<SQL
BEGIN;
SELECT set_config('flywheel.partner_id', 'aaaaaaaa-0000-4000-8000-000000000001', true), set_config('flywheel.site_id', 'one', true);
WITH new AS (INSERT INTO execution_ids (site_id, execution_id, partner_id, created_at) VALUES ('one', 'same', current_partner(), now())
             ON CONFLICT DO NOTHING RETURNING execution_id)
INSERT INTO execution_telemetry (created_at, partner_id, site_id, execution_id) SELECT now(), current_partner(), 'one', execution_id FROM new;
COMMIT;
SQL
}
check 'sixteen deliveries of one execution all succeed' test "$(together 16 claim)" = 16
check 'P38: and it is stored once' test "$(quiet -c "SELECT count(*) FROM execution_telemetry WHERE execution_id = 'same'")" = 1

# P4: many people approve one pattern at the same moment, without any lock but the schema's own.
approve() {
    quiet -U flywheel_decide <<SQL
BEGIN;
SELECT set_config('flywheel.partner_id', 'aaaaaaaa-0000-4000-8000-000000000001', true);
INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature, approval_status, approved_by, approved_at)
VALUES (current_partner(), 'one', 'p', 'approved', 'person $1', now());
INSERT INTO promoted_rules (rule_id, pattern_signature, site_id, partner_id, name, rule_yaml, rule_json, rule_digest, yaml_digest, promoted_by)
VALUES ('R-1', 'p', 'one', current_partner(), 'n', 'y', '{"id": "R-1", "name": "n"}', repeat('0', 64), repeat('0', 64), 'person $1');
COMMIT;
SQL
}
check 'P4: of sixteen approvals at once one succeeds' test "$(together 16 approve)" = 1
check 'P4: the others are told of a duplicate, none of a deadlock' bash -c "grep -c 'duplicate key' '$work/each' | grep -qx 15 && ! grep -qi deadlock '$work/each'"
check 'P4: and there is one rule' test "$(quiet -c 'SELECT count(*) FROM promoted_rules')" = 1

# P3: what a deferred check refuses at the end leaves nothing.
half() {
    quiet -U flywheel_decide <<'SQL'
BEGIN;
SELECT set_config('flywheel.partner_id', 'aaaaaaaa-0000-4000-8000-000000000001', true);
DO $$ BEGIN UPDATE aggregated_pattern_stats SET approval_status = 'not_submitted' WHERE pattern_signature = 'q'; END $$;
INSERT INTO learning_promotion_candidates (partner_id, site_id, pattern_signature, approval_status, approved_by, approved_at)
VALUES (current_partner(), 'one', 'q', 'approved', 'person', now());
COMMIT;
SQL
}
quiet -c "INSERT INTO aggregated_pattern_stats (site_id, pattern_signature) VALUES ('one', 'q')"
check 'P3: an approval without a rule is refused at COMMIT' is_refused half
check 'P3: and leaves the candidate as it was' test "$(quiet -c "SELECT approval_status || (SELECT count(*) FROM learning_promotion_candidates WHERE pattern_signature = 'q') FROM aggregated_pattern_stats WHERE pattern_signature = 'q'")" = not_submitted0
echo "1..$count"
