# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the layout's variables; root, server_name … come from deploy/install
# A host's own instance: folders, configuration and units. Run by deploy/install.

# Who nginx is on a host: it may not read what the handlers may.
readonly web_account=flywheel-web

# host_choices: the layout, and what was chosen now or before.
host_choices() {
    folder=$root/etc/flywheel instance=$folder kind=host server_user=$system_user web_user=$web_account
    if [ -n "$root" ]; then # other people than a host's, but two of them where that is possible
        web_user=www-data
        [ "$(id -u)" = 0 ] || server_user=$(id -un) web_user=$(id -un)
    fi
    etc_dir=$folder
    if [ -f "$folder/layout" ]; then layout_read "$folder/layout"; fi
    lib_dir=$root/usr/lib/flywheel
    mounts=${mounts:-$(setting mounts "$root/opt/mcp-server")}
    server_name=${server_name:-$(setting server_name)}
    local six=''
    if [ -e /proc/net/if_inet6 ]; then six=yes; fi
    listen=${listen:-$(setting listen "0.0.0.0:443${six:+ [::]:443}")}
    plain=${plain:-$(setting plain "0.0.0.0:80${six:+ [::]:80}")}
    rate_limit=${rate_limit:-$(setting rate_limit on)}
    database_base=${database_base:-$(setting database host=/var/run/postgresql)}
    superuser=${superuser:-$(setting superuser postgres)}
    superuser_os=${superuser_os:-$(setting superuser_account)}
    if [ -z "$superuser_os" ] && [ "$database_base" = host=/var/run/postgresql ]; then superuser_os=postgres; fi
    [ -n "$server_name" ] || die 'the name people use is missing: --server-name NAME'
    host_layout
}

# host_layout: where things lie on a host.
host_layout() {
    image_handlers_dir=$lib_dir/handlers image_frontend_dir=$lib_dir/frontend bin_dir=$lib_dir/bin
    handlers_dir=$mounts/dashboard_api_mount frontend_dir=$mounts/frontend_dist
    run_dir=$root/var/lib/flywheel/run pages_dir=$root/var/lib/flywheel/run/pages
    sockets_dir=$root/run/flywheel sockets=$root/run/flywheel
    log_dir=$root/var/log/flywheel state_dir=$root/var/lib/flywheel/state tmp_dir=$root/var/cache/flywheel
    local port=${listen%% *}
    port=${port##*:}
    url=https://$server_name
    if [ "$port" != 443 ]; then url+=:$port; fi
    connect_to=127.0.0.1:$port
    case $listen in 0.0.0.0:* | '[::]:'*) ;; *) connect_to=${listen%% *} ;; esac
    database_owner="$database_base dbname=flywheel user=flywheel_migrate"
    database_superuser='' superuser_account=$superuser_os
    if [ "$superuser" != none ]; then database_superuser="$database_base dbname=flywheel user=$superuser"; fi
}

# host_accounts: the handlers' and nginx's; nginx reaches the handlers' sockets by their group.
host_accounts() {
    make_server_user
    id "$web_account" >/dev/null 2>&1 ||
        useradd --system --user-group --groups "$system_user" --no-create-home --home-dir /nonexistent \
            --shell /usr/sbin/nologin "$web_account" || die "the account '$web_account' could not be made."
    usermod --append --groups "$system_user" "$web_account"
}

# owned USER MODE DIR…: folders that a server writes to.
owned() {
    local user=$1 mode=$2; shift 2
    mkdir -p "$@"
    chmod "$mode" "$@"
    if [ "$(id -u)" = 0 ]; then chown "$user:$user" "$@"; fi
}

host_folders() {
    mkdir -p "$etc_dir/tls" "$lib_dir" "$bin_dir" "$image_handlers_dir" "$image_frontend_dir" "$handlers_dir" "$frontend_dir" \
        "$root/var/lib/flywheel/acme" || die "the folders cannot be made."
    chmod 755 "$etc_dir" "$lib_dir" "$root/var/lib/flywheel" "$handlers_dir" "$frontend_dir" "$root/var/lib/flywheel/acme"
    chmod 711 "$etc_dir/tls"
    owned "$server_user" 711 "$run_dir" "$sockets_dir"
    owned "$web_user" 750 "$log_dir"
    owned "$web_user" 700 "$tmp_dir"
    mkdir -p "$state_dir"
    chmod 711 "$state_dir"
    programs_may_run_in "$run_dir"
}

# programs_may_run_in DIR: copies of the handlers run from there; a file system mounted noexec would not let them.
programs_may_run_in() {
    local trial=$1/.trial
    printf '#!/bin/sh\n' >"$trial"
    chmod 755 "$trial"
    "$trial" 2>/dev/null || { rm -f "$trial"; die "programs may not run from $1 (mounted noexec?). Allow that there."; }
    rm -f "$trial"
}

# host_configuration: layout, choices, and flywheel.conf, which is only ever added to: it may have been edited.
host_configuration() {
    local role lines=''
    layout_write "$etc_dir/layout"
    printf '%s\n' "mounts = $mounts" "server_name = $server_name" "listen = $listen" "plain = $plain" "rate_limit = $rate_limit" \
        "database = $database_base" "superuser = $superuser" "superuser_account = $superuser_os" | write_file "$etc_dir/host.conf" 644
    if [ ! -f "$etc_dir/flywheel.conf" ]; then
        lines=$'# Configuration of the handlers and of flywheelctl. Holds passwords: readable by the servers only.\nthreads = 4\nlog_level = info\n'
    else
        lines=$(cat "$etc_dir/flywheel.conf")$'\n'
    fi
    for role in "${role_keys[@]}"; do
        grep -q "^database_$role = " <<<"$lines" ||
            lines+="database_$role = $(conninfo "flywheel_$role" flywheel) password=$(random_secret)"$'\n'
    done
    printf '%s' "$lines" | write_file "$etc_dir/flywheel.conf" 600
    if [ "$(id -u)" = 0 ]; then chown "$server_user:$server_user" "$etc_dir/flywheel.conf"; fi
    if ! grep -qs '^\*:\*:\*:flywheel_migrate:' "$etc_dir/pgpass"; then
        { cat "$etc_dir/pgpass" 2>/dev/null || true; printf '*:*:*:flywheel_migrate:%s\n' "$(random_secret)"; } |
            write_file "$etc_dir/pgpass.made" 600
        mv -f "$etc_dir/pgpass.made" "$etc_dir/pgpass"
    fi
}

# host_certificate CERTIFICATE KEY: where nginx may read them; it is not root. Without both, those of an earlier run.
host_certificate() {
    local tls=$etc_dir/tls
    if [ -z "$1$2" ]; then
        [ -f "$tls/certificate.pem" ] && [ -f "$tls/key.pem" ] || die 'a certificate is missing: --certificate FILE --key FILE'
        return 0
    fi
    "$top/deploy/certificate" --dir "$folder" --certificate "$1" --key "$2" --account "$web_user"
}

# host_tools: the commands and the migrations, beside the programs, so that the clone is not needed in the night.
host_tools() {
    local part
    [ "$top" != "$lib_dir" ] || return 0
    mkdir -p "$lib_dir/sql"
    for part in deploy sql/migrations sql/roles.sql; do
        rm -rf -- "$lib_dir/$part.part"
        cp -R "$top/$part" "$lib_dir/$part.part"
        rm -rf -- "${lib_dir:?}/$part"
        mv -T "$lib_dir/$part.part" "$lib_dir/$part"
    done
    mkdir -p "$root/usr/local/sbin"
    write_file "$root/usr/local/sbin/flywheelctl" 755 <<SCRIPT
#!/bin/sh
exec $lib_dir/deploy/flywheelctl --dir \${FLYWHEEL_DIR:-$etc_dir} "\$@"
SCRIPT
}

# host_database: a cluster when there is none on this machine, then database and roles.
host_database() {
    if [ -z "$root" ] && [ "$database_base" = host=/var/run/postgresql ]; then
        pg_lsclusters -h | grep -q . || host_cluster
        systemctl enable --now postgresql.service >&2 || die 'PostgreSQL does not start. Look: journalctl -u postgresql*'
        wait_until 30 pg_isready -q -h /var/run/postgresql || die 'PostgreSQL does not answer in /var/run/postgresql.'
        host_passwords_by_socket
    fi
    [ "$superuser" != none ] || return 0
    local most
    most=$(superuser_sql postgres <<<'SHOW max_connections') || die 'PostgreSQL refuses its superuser (see above).'
    [ "$most" -ge "$connections_needed" ] || die "PostgreSQL takes $most connections at most; while handlers are replaced there are up to $connections_needed. Set max_connections = 200, restart PostgreSQL, and run this again."
    pg_database
}

# Twice as many as handlers have threads, while each is being replaced, and some for people and jobs.
readonly connections_needed=150

# host_cluster: a new one, with settings as a quickstart's has them: enough connections, and logs without anybody's data.
host_cluster() {
    local version programs
    programs=$(pg_programs)
    version=$(basename "$(dirname "$programs")")
    pg_createcluster --locale C.UTF-8 --encoding UTF8 "$version" main -- --data-checksums >&2 || die "PostgreSQL's cluster could not be made (see above)."
    mkdir -p "/etc/postgresql/$version/main/conf.d"
    write_file "/etc/postgresql/$version/main/conf.d/flywheel.conf" 644 <<CONF
listen_addresses = ''
max_connections = 200
shared_buffers = '256MB'
work_mem = '8MB'
max_wal_size = '1GB'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
CONF
}

# host_passwords_by_socket: Debian lets accounts in by their names only; ours have passwords.
host_passwords_by_socket() {
    local file names line
    file=$(superuser_sql postgres <<<'SHOW hba_file')
    names=$(printf ',flywheel_%s' migrate "${role_keys[@]}")
    line="local flywheel ${names#,} scram-sha-256"
    ! grep -qxF "$line" "$file" || return 0
    { printf '# Flywheel\n%s\n' "$line"; sed -e '/^# Flywheel$/d' -e '/^local flywheel flywheel_/d' "$file"; } >"$file.new"
    chown --reference="$file" "$file.new"
    chmod --reference="$file" "$file.new"
    mv -f "$file.new" "$file"
    superuser_sql postgres <<<'SELECT pg_reload_conf()' >/dev/null
}

# fill_unit: standard input with the layout's values in place of @NAME@.
fill_unit() {
    local text name network='RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6'
    text=$(cat)
    # A database on this machine is reached by its socket: the handlers need no network at all.
    case $database_base in host=/*) network=$'RestrictAddressFamilies=AF_UNIX\nPrivateNetwork=yes\nIPAddressDeny=any' ;; esac
    text=${text//@SOCKETS@/"$(programs_of_routes | sed "s#.*#ListenStream=$sockets_dir/&.sock#")"}
    text=${text//@HARDENING@/"$(cat "$top/deploy/systemd/hardening")"}
    text=${text//@DATABASE_NETWORK@/"$network"}
    text=${text//@REOPEN@/"$reopen_logs"}
    for name in "${layout_keys[@]}" web_user lib_dir; do text=${text//"@${name^^}@"/"${!name}"}; done
    printf '%s\n' "$text"
}

# host_units: systemd's units, the folder for sockets, the rotation of nginx's logs.
host_units() {
    local unit to=$root/etc/systemd/system reopen_logs='systemctl kill --kill-whom=main --signal=USR1 flywheel-nginx.service'
    if [ -n "$root" ]; then reopen_logs="kill -USR1 \"\$(cat $tmp_dir/nginx.pid)\""; fi
    mkdir -p "$to" "$root/etc/tmpfiles.d" "$root/etc/logrotate.d"
    for unit in "$top"/deploy/systemd/*.{service,socket,timer}; do
        fill_unit <"$unit" | write_file "$to/$(basename "$unit")" 644
    done
    fill_unit <"$top/deploy/systemd/tmpfiles.conf" | write_file "$root/etc/tmpfiles.d/flywheel.conf" 644
    fill_unit <"$top/deploy/systemd/logrotate.conf" | write_file "$root/etc/logrotate.d/flywheel" 644
}

# host_nginx: its configuration, refused when nginx refuses it.
host_nginx() {
    local arguments=(--dir "$folder" --rate-limit "$rate_limit" --pid "$tmp_dir/nginx.pid" --server-name "$server_name"
        --certificate "$etc_dir/tls/certificate.pem" --key "$etc_dir/tls/key.pem" --acme "$root/var/lib/flywheel/acme") address
    for address in $listen; do arguments+=(--listen "$address"); done
    for address in $plain; do arguments+=(--plain "$address"); done
    "$top/deploy/nginx/generate" "${arguments[@]}" | write_file "$etc_dir/nginx.conf" 644
}

# host_start: everything on, and on again after a restart of the machine.
host_start() {
    step 'starting the services'
    systemd-tmpfiles --create /etc/tmpfiles.d/flywheel.conf
    systemctl daemon-reload
    systemctl enable --now flywheel.socket flywheel.service >&2 || die 'the handlers do not start. Look: journalctl -u flywheel'
    handlers_wait_here || die 'not every handler serves. Look: flywheelctl status'
    systemctl enable --now flywheel-nginx.service >&2 || die 'nginx does not start. Look: journalctl -u flywheel-nginx'
    systemctl reload flywheel-nginx.service
    systemctl enable --now flywheel-backup.timer flywheel-retain.timer >&2
    wait_until 15 ask_nginx readyz && wait_until 5 nginx_sends_page || die "not everything answers at $url. Look: flywheelctl status"
}
handlers_wait_here() { wait_until 60 mount_serves && wait_until 15 pages_are_sent; }

# host_summary: what comes next.
host_summary() {
    cat <<SUMMARY

Flywheel answers at  $url
Commands             flywheelctl help (as root)
First partner        flywheelctl partner add --slug SLUG --name NAME
                     flywheelctl user add --partner SLUG --email ADDRESS --role admin
Releases             ./deploy/release, and ./deploy/release --rollback
SUMMARY
}
