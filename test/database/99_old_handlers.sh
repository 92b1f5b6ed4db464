#!/bin/bash
# Migrations that old handlers live with: nothing that handlers of the last release rely on is taken away or narrowed, and
# every statement of theirs can be prepared on the new schema. Run by ./run, which sets PGHOST, PGPORT, PGUSER and
# FLYWHEEL_TOP; speaks TAP.
#
# released/NUMBER_statements.json: the statements of the release whose last migration has that number (print_statements).
set -euo pipefail
count=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
readonly released=33
here=$FLYWHEEL_TOP/test/database

check() {
    local what=$1; shift
    count=$((count + 1))
    if "$@" >"$work/out" 2>&1; then echo "ok $count - $what"; else
        echo "not ok $count - $what"
        sed 's/^/# /' "$work/out"
    fi
}
quiet() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# Limits that old handlers keep to by themselves: who is made by an old flywheelctl is active and has a password; of a
# disabled person, who signs in nowhere, nothing is updated; under the third policy only the new login flywheel_access inserts;
# the fourth narrows a right that old handlers of appliances do not have.
readonly known_limits='
limit constraint users users_password_check
limit policy users only_active
limit policy users only_invited
limit policy promoted_rule_deployments own_appliance_update
'

# found OLD NEW: what was taken away from, or newly asked of, tables that the old schema has.
found() {
    comm -23 <(grep '^has ' "$1") <(grep '^has ' "$2") | while IFS= read -r fact; do
        case $fact in
            'has word '*) # gone with its check, it is no loss
                read -r _ _ table constraint _ <<<"$fact"
                grep -q "^limit constraint $table $constraint " "$2" || continue ;;
        esac
        printf '%s\n' "$fact"
    done
    comm -13 <(grep '^limit ' "$1") <(grep '^limit ' "$2") | while IFS= read -r fact; do
        read -r _ kind table name _ <<<"$fact"
        table=${table%%.*}
        grep -q "^has column $table\." "$1" || continue
        # Of a new column that is filled by itself, or of words only (compared above).
        ! grep -qF "limit constraint $table $name " "$1" || [[ $fact != *'(words)' ]] || continue
        [[ $known_limits != *$'\n'"limit $kind $table $name"$'\n'* ]] || continue
        printf '%s\n' "$fact"
    done
}
nothing_found() { found "$@" | tee "$work/found"; [ ! -s "$work/found" ]; }
is_found() { found "$1" "$2" >"$work/found"; cat "$work/found"; grep -qF -- "$3" "$work/found"; }
facts() { quiet -f "$here/lib/facts.sql" "$1"; }

# The schema as it was released, and as it is.
tree=$work/tree
mkdir -p "$tree/sql"
cp -r "$FLYWHEEL_TOP/deploy" "$tree/"
cp -r "$FLYWHEEL_TOP/sql/migrations" "$tree/sql/"
for file in "$tree"/sql/migrations/*.sql; do
    number=$(basename "$file" | cut -c1-3)
    [ "$((10#$number))" -le "$released" ] || rm "$file"
done
quiet -c 'CREATE DATABASE released OWNER flywheel_migrate' postgres
"$tree/deploy/migrate" --database "host=$PGHOST port=$PGPORT dbname=released user=flywheel_migrate" 2>/dev/null
facts released >"$work/old"
facts flywheel >"$work/new"
check 'the released schema has what handlers rely on' test "$(grep -c '^has ' "$work/old")" -gt 500
check 'later migrations take nothing away and ask nothing new of what was there' nothing_found "$work/old" "$work/new"

# The comparison itself: each kind of change that old handlers could not live with is found.
quiet -c 'CREATE DATABASE narrowed TEMPLATE released' postgres
breaks() { # SENTENCE FACT SQL
    quiet -c "BEGIN" -c "$3" -f "$here/lib/facts.sql" -c 'ROLLBACK' narrowed >"$work/changed"
    check "$1 would be found" is_found "$work/old" "$work/changed" "$2"
}
breaks 'a dropped column' 'has column sites.clinic_name' 'ALTER TABLE sites DROP COLUMN clinic_name CASCADE'
breaks 'a renamed table' 'has column runbooks.title' 'ALTER TABLE runbooks RENAME TO books'
breaks 'another type' 'has column promoted_rule_versions.version integer' 'ALTER TABLE promoted_rule_versions ALTER version TYPE bigint'
breaks 'a new column that must be filled' 'limit not-null sites.town' 'ALTER TABLE sites ADD COLUMN town text NOT NULL'
breaks 'an old column that must be filled now' 'limit not-null promoted_rules.notes' 'ALTER TABLE promoted_rules ALTER notes SET NOT NULL'
breaks 'a word less' 'has word promoted_rules promoted_rules_status_check disabled' "ALTER TABLE promoted_rules DROP CONSTRAINT promoted_rules_status_check, ADD CONSTRAINT promoted_rules_status_check CHECK (status IN ('active', 'archived'))"
breaks 'a new check' 'limit constraint sites' "ALTER TABLE sites ADD CHECK (length(clinic_name) < 50)"
breaks 'a new unique key' 'limit unique sites' 'CREATE UNIQUE INDEX ON sites (clinic_name)'
breaks 'a unique key that is gone' 'has unique execution_ids' 'ALTER TABLE execution_ids DROP CONSTRAINT execution_ids_pkey'
breaks 'a right that is taken' 'has grant flywheel_agent INSERT execution_ids.site_id' 'REVOKE INSERT ON execution_ids FROM flywheel_agent'
breaks 'a function with another argument' 'has function note_key_use' 'DROP FUNCTION note_key_use(uuid[])'
breaks 'a policy that is gone' 'has policy sites own_site' 'DROP POLICY own_site ON sites'
breaks 'a new restriction' 'limit policy sites no_more' 'CREATE POLICY no_more ON sites AS RESTRICTIVE TO flywheel_agent USING (false)'
wider() {
    quiet -c "BEGIN" -c "ALTER TABLE promoted_rules DROP CONSTRAINT promoted_rules_status_check, ADD CONSTRAINT promoted_rules_status_check CHECK (status IN ('active', 'disabled', 'archived', 'shadow'))" \
        -c 'ALTER TABLE sites ADD COLUMN town text' -c 'ALTER TABLE sites ADD COLUMN floors integer NOT NULL DEFAULT 1' -f "$here/lib/facts.sql" -c 'ROLLBACK' narrowed >"$work/changed"
    nothing_found "$work/old" "$work/changed"
}
check 'a word more and columns that may be left out are no such change' wider

# The old handlers' statements, prepared as they prepare them.
statements=$here/released/0${released}_statements.json
check 'there are statements of the release' test "$(jq length "$statements")" -gt 50
prepare_all() { jq -r 'to_entries[] | select(.value | test("^(SELECT|INSERT|UPDATE|DELETE|WITH) ")) | "PREPARE \"\(.key)\" AS \(.value);"' "$statements" | quiet -o /dev/null -f - "$1"; }
check "every statement of the release's handlers can be prepared on its own schema" prepare_all released
check 'and on the new one' prepare_all flywheel
echo "1..$count"
