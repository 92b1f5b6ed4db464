#!/bin/bash
# Migrations: applied twice they change nothing, applied halfway they leave nothing, applied at once they apply once.
# Run by ./run, which sets PGHOST, PGPORT, PGUSER and FLYWHEEL_TOP; speaks TAP.
set -euo pipefail
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check WHAT COMMAND…: one assertion.
check() {
    local what=$1; shift
    count=$((count + 1))
    if "$@" >"$work/out" 2>&1; then echo "ok $count - $what"; else
        echo "not ok $count - $what"
        sed 's/^/# /' "$work/out"
    fi
}
quiet() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
# A tree of its own to add files to, with the tools as they are.
tree=$work/tree
mkdir -p "$tree/sql"
cp -r "$FLYWHEEL_TOP/deploy" "$tree/"
cp -r "$FLYWHEEL_TOP/sql/migrations" "$FLYWHEEL_TOP/sql/roles.sql" "$tree/sql/"

new_database() {
    quiet -c "CREATE DATABASE $1 OWNER flywheel_migrate" postgres
    psql -X -q -v ON_ERROR_STOP=1 -f "$tree/sql/roles.sql" "$1"
}
migrate() { "$tree/deploy/migrate" --database "host=$PGHOST port=$PGPORT dbname=$1 user=flywheel_migrate"; }
# dump DATABASE FILE: schema, then the rows that migrations insert. (The dump's \restrict line is chance.)
dump() {
    pg_dump --schema-only "$1" | grep -Ev '^\\(un)?restrict ' >"$2"
    quiet -c 'TABLE runbooks ORDER BY 1' -c 'TABLE runbook_check_types ORDER BY 1' -c 'TABLE learning_thresholds ORDER BY 1' \
        -c 'TABLE schema_migrations ORDER BY 1' "$1" >>"$2"
}
files_of() { find "$tree/sql/migrations" -name '*.sql' | wc -l; }

# Twice, by the command.
new_database twice
check 'the migrations apply' migrate twice
dump twice "$work/once"
check 'they leave something behind' test "$(wc -l <"$work/once")" -gt 1000
check 'all are in the ledger' test "$(quiet -c 'SELECT count(*) FROM schema_migrations' twice)" = "$(files_of)"
check 'the promotion migration is number 032' test "$(quiet -c "SELECT name FROM schema_migrations WHERE version = 32" twice)" = 032_learning_promotion
check 'the migrations apply a second time' migrate twice
dump twice "$work/again"
check 'and change nothing' diff "$work/once" "$work/again"

# Twice, past the ledger: every statement is harmless when its work is done.
for file in "$tree"/sql/migrations/*.sql; do
    check "$(basename "$file") is harmless when run again" env PGOPTIONS='-c client_min_messages=warning' \
        psql -X -q -1 -v ON_ERROR_STOP=1 -U flywheel_migrate -o /dev/null -f "$file" twice
done
dump twice "$work/again"
check 'past the ledger too nothing has changed' diff "$work/once" "$work/again"
psql -X -q -v ON_ERROR_STOP=1 -f "$tree/sql/roles.sql" twice
dump twice "$work/again"
check 'roles.sql run again changes nothing either' diff "$work/once" "$work/again"

# P44: a failure leaves nothing; the next attempt goes on from there.
printf 'CREATE TABLE left_behind (x integer);\nSELECT 1 / 0;\n' >"$tree/sql/migrations/900_fails.sql"
check 'P44: a failing migration fails' bash -c '! "$@"' - "$tree/deploy/migrate" --database "host=$PGHOST port=$PGPORT dbname=twice user=flywheel_migrate"
dump twice "$work/again"
check 'P44: and leaves nothing' diff "$work/once" "$work/again"
printf 'CREATE TABLE left_behind (x integer);\n' >"$tree/sql/migrations/900_fails.sql"
check 'P44: mended, it applies' migrate twice
check 'P44: and is there' test "$(quiet -c "SELECT to_regclass('left_behind')" twice)" = left_behind
echo '-- changed' >>"$tree/sql/migrations/900_fails.sql"
check 'a migration that changed after it was applied is refused' bash -c '! "$@"' - "$tree/deploy/migrate" --database "host=$PGHOST port=$PGPORT dbname=twice user=flywheel_migrate"
rm "$tree/sql/migrations/900_fails.sql"

# P44: a later migration that alters a table under a view works when it drops and makes the view again.
new_database viewed
migrate viewed 2>"$work/out"
check 'P44: a column under a view can be changed in one transaction' psql -X -q -1 -v ON_ERROR_STOP=1 -U flywheel_migrate viewed \
    -c 'DROP VIEW v_partner_promotion_candidates' -c 'ALTER TABLE sites ALTER clinic_name TYPE varchar(200)' \
    -c 'CREATE VIEW v_partner_promotion_candidates WITH (security_invoker = true) AS SELECT a.id, s.clinic_name FROM aggregated_pattern_stats a JOIN sites s USING (site_id)'

# Two at once.
new_database at_once
migrate at_once 2>"$work/first" & first=$!
migrate at_once 2>"$work/second" & second=$!
first_rc=0 second_rc=0
wait "$first" || first_rc=$?
wait "$second" || second_rc=$?
check 'two runs at the same moment both succeed' test "$first_rc$second_rc" = 00
check 'and apply every file once' test "$(quiet -c 'SELECT count(*) FROM schema_migrations' at_once)" = "$(files_of)"
echo "1..$count"
