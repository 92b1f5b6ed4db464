# shellcheck shell=bash
# shellcheck disable=SC2016  # the inner shells expand for themselves
# shellcheck disable=SC2154  # instance, sockets, etc_dir, top, server_user come from common.sh and instance.sh
# The instance's own PostgreSQL: a private cluster that listens on a unix socket only.

# The roles that log in; each has a password of its own, kept in files of mode 0600 only.
# database_<key> in flywheel.conf is for handlers and flywheelctl; `migrate` stays out of it.
readonly role_keys=(read decide agent account access operator)

# pg_programs: the folder of the server programs, of the version the cluster was made with.
pg_programs() {
    local version=15 newest
    if [ -f "$instance/pg/PG_VERSION" ]; then
        version=$(cat "$instance/pg/PG_VERSION")
    else
        newest=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -1)
        [ "${newest:-0}" -lt 15 ] || version=$newest
    fi
    [ -x "/usr/lib/postgresql/$version/bin/postgres" ] ||
        die "PostgreSQL $version is not installed. Run: apt-get install postgresql-$version"
    printf '/usr/lib/postgresql/%s/bin' "$version"
}

# pg_pid: the postmaster's process id, when it runs.
pg_pid() { pid_in "$instance/pg/postmaster.pid" postgres; }

# pg_init: makes the cluster, once.
pg_init() {
    [ ! -f "$instance/pg/PG_VERSION" ] || return 0
    local programs password_file=$instance/tmp/superuser
    programs=$(pg_programs)
    printf '%s' "$(superuser_password)" | as_server bash -c 'umask 077; cat >"$1"' - "$password_file"
    as_server "$programs/initdb" --pgdata "$instance/pg" --username postgres --pwfile "$password_file" \
        --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8 --data-checksums --no-instructions \
        >"$instance/log/initdb.log" 2>&1 || die "PostgreSQL's cluster could not be made; see $instance/log/initdb.log"
    rm -f "$password_file"
    as_server bash -c "echo \"include 'flywheel.conf'\" >>'$instance/pg/postgresql.conf'"
}

# superuser_password: from etc/pgpass, made at the first call.
superuser_password() {
    local file=$etc_dir/pgpass
    if [ ! -f "$file" ]; then
        printf '*:*:*:%s\n' "postgres:$(random_secret)" "flywheel_migrate:$(random_secret)" |
            write_file "$file" 600
    fi
    sed -n 's/^\*:\*:\*:postgres://p' "$file"
}

# pg_configure: memory for a small machine, a socket and no port, and logs without anybody's data
# (a failed statement's text and a key's value may hold what a person wrote).
pg_configure() {
    as_server bash -c 'cat >"$1.new" && mv "$1.new" "$1"' - "$instance/pg/flywheel.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$sockets'
unix_socket_permissions = 0777
max_connections = 200
password_encryption = 'scram-sha-256'
shared_buffers = '256MB'
work_mem = '8MB'
maintenance_work_mem = '64MB'
effective_cache_size = '1GB'
max_wal_size = '1GB'
checkpoint_timeout = '15min'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
CONF
}

# pg_start: starts it when it does not run, with somebody beside it who starts it again when it is killed. Children of one
# that was killed hold its memory for a moment; they go first.
pg_start() {
    ! pg_pid >/dev/null || return 0
    end_strays keep-postgres
    end_strays postgres
    forget_dead_postmaster
    put "$top/deploy/lib/keep-postgres" "$instance/bin/keep-postgres"
    as_server bash -c 'setsid "$@" </dev/null >>log/postgresql.log 2>&1 &' - \
        "$instance/bin/keep-postgres" "$(pg_programs)/postgres" "$instance/pg"
    wait_until 60 pg_answers || die "PostgreSQL does not start; see $instance/log/postgresql.log"
}
pg_answers() { as_server "$(pg_programs)/pg_isready" --quiet --host "$sockets"; }

# forget_dead_postmaster: PostgreSQL takes a process of the number in its lock files for its own, even one that is dead
# and waits to be buried, or another program's. Called when none of this cluster's processes is left.
forget_dead_postmaster() {
    local file pid
    for file in "$instance/pg/postmaster.pid" "$sockets/.s.PGSQL.5432.lock"; do
        [ -f "$file" ] || continue
        read -r pid <"$file" || true
        if [ -e "/proc/$pid" ]; then rm -f "$file"; fi
    done
}

# pg_stop: ends it, connections and all.
pg_stop() {
    end_strays keep-postgres
    pg_pid >/dev/null || return 0
    as_server "$(pg_programs)/pg_ctl" stop --silent --wait --timeout 60 --mode fast --pgdata "$instance/pg" >/dev/null ||
        die "PostgreSQL does not stop; see $instance/log/postgresql.log"
}

# conninfo ROLE DATABASE: without a password; psql takes it from etc/pgpass. A host's database may be anywhere.
conninfo() { printf '%s dbname=%s user=%s' "${database_base:-host=$sockets}" "$2" "$1"; }

# psql_as ROLE DATABASE ARGUMENT…: a quiet psql that stops at the first error.
psql_as() {
    local role=$1 database=$2; shift 2
    PGPASSFILE=$etc_dir/pgpass psql -X -q -A -t -v ON_ERROR_STOP=1 "$(conninfo "$role" "$database")" "$@"
}

# role_password KEY: the password in flywheel.conf of database_KEY; nothing when there is none.
role_password() {
    [ ! -f "$etc_dir/flywheel.conf" ] ||
        sed -n "s/^database_$1 = .* password=\([A-Za-z0-9]*\).*/\1/p" "$etc_dir/flywheel.conf"
}

# write_handler_configuration: etc/flywheel.conf; passwords of an earlier run are kept. Running handlers take up a change.
write_handler_configuration() {
    local key password before lines=''
    before=$(cat "$etc_dir/flywheel.conf" 2>/dev/null) || true
    for key in "${role_keys[@]}"; do
        password=$(role_password "$key")
        lines+="database_$key = $(conninfo "flywheel_$key" flywheel) password=${password:-$(random_secret)}"$'\n'
    done
    write_file "$etc_dir/flywheel.conf" 600 <<CONF
# Configuration of the handlers and of flywheelctl. Holds passwords: readable by the servers only.
${lines}signing_key = $etc_dir/rules.key
threads = 4
log_level = info
CONF
    [ "$(id -u)" != 0 ] || chown "$server_user:$server_user" "$etc_dir/flywheel.conf"
    [ "$before" = "$(cat "$etc_dir/flywheel.conf")" ] || handlers_renew
}

# superuser_sql DATABASE: runs standard input with the login that the layout names for such work.
superuser_sql() { database_run superuser psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database_superuser dbname=$1" -f -; }

# pg_database: the database and its roles, with their passwords; the same the second time. Works wherever the layout says
# that the database is.
pg_database() {
    [ "$(superuser_sql postgres <<<"SELECT count(*) FROM pg_database WHERE datname = 'flywheel'")" = 1 ] ||
        superuser_sql postgres <<<"CREATE DATABASE flywheel TEMPLATE template0 ENCODING 'UTF8'"
    {
        local key
        printf 'SET client_min_messages = warning;\n'
        cat "$top/sql/roles.sql"
        for key in "${role_keys[@]}"; do
            printf "ALTER ROLE flywheel_%s PASSWORD '%s';\n" "$key" "$(role_password "$key")"
        done
        printf "ALTER ROLE flywheel_migrate PASSWORD '%s';\n" "$(sed -n 's/^\*:\*:\*:flywheel_migrate://p' "$etc_dir/pgpass")"
        printf 'ALTER DATABASE flywheel OWNER TO flywheel_migrate;\n'
    } | superuser_sql flywheel >/dev/null || die "the roles could not be made (see above)."
}
