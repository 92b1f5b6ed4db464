# shellcheck shell=bash
# shellcheck disable=SC2154  # database_owner and the rest come from layout.sh
# How commands work on the database as the schema's owner, whose policies let it see every row.

# owner_psql ARGUMENT…: a quiet psql as the owner that stops at the first error. Values go in with -v name=value and are used as
# :'name'; no SQL is put together from them.
owner_psql() { PGOPTIONS="-c client_min_messages=warning -c timezone=UTC ${PGOPTIONS:-}" database_run owner psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" "$database_owner"; }

# owner_sees_everything: row security would leave out rows without a word where a table lacks the owner's policy.
owner_sees_everything() {
    local hidden
    hidden=$(owner_psql -f - <<'SQL'
SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity
   AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'all_partners' AND p.polpermissive
                      AND p.polcmd = '*' AND pg_get_expr(p.polqual, p.polrelid) = 'true'
                      AND (SELECT oid FROM pg_roles WHERE rolname = current_user) = ANY (p.polroles))
SQL
) || die 'the database cannot be reached. Start it: for a quickstart with ./deploy/quickstart.'
    [ -z "$hidden" ] || die "row security hides rows of $hidden from the schema's owner. Add the policy all_partners to these tables in a migration."
}

# table_counts: a SELECT that lists every table's name and number of rows; it is made by the database, of its own names.
# shellcheck disable=SC2034
readonly table_counts="SELECT string_agg(format('SELECT %L, count(*) FROM public.%I', relname, relname), ' UNION ALL ' ORDER BY relname)
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"

# need_schema TABLE: what a command works on, by a table of it.
need_schema() {
    [ "$(owner_psql -v "name=$1" -f - <<<"SELECT to_regclass(:'name') IS NOT NULL")" = t ] ||
        die "the schema is older than this command. Bring it up to date: ./deploy/flywheelctl migrate"
}
