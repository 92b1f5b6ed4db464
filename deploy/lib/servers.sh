# shellcheck shell=bash
# shellcheck disable=SC2154  # instance, sockets, top come from common.sh and instance.sh
# The supervisor of the handlers and nginx: start, reload, stop, look.

supervisor_pid() { pid_in "$instance/run/supervisor.pid" flywheel-supervisor; }
nginx_pid() { pid_in "$instance/run/nginx.pid" nginx; }

# strays [PROGRAM]: processes of this instance that no process id file names any more, as nginx's workers after their
# master was killed. Every server works in the instance's folder; a person's shell that stands there is none of them.
strays() {
    local process pid name
    for process in /proc/[0-9]*; do
        pid=${process#/proc/}
        case $(readlink "$process/cwd" 2>/dev/null) in "$instance" | "$instance"/*) ;; *) continue ;; esac
        name=$(cat "$process/comm" 2>/dev/null) || continue
        case $(readlink "$process/exe" 2>/dev/null) in "$instance/run/live"/*) name=handler ;; esac
        case $name in nginx | postgres | keep-postgres | flywheel-superv | handler) ;; *) continue ;; esac
        if [ -z "${1:-}" ] || [ "$1" = "$name" ]; then printf '%s\n' "$pid"; fi
    done
}

# end_strays [PROGRAM]: ends them.
end_strays() {
    local pid
    for pid in $(strays "$@"); do stop_process "$pid" 5 TERM; done
}

# supervisor_start: starts it when it does not run, or when it is not the one in bin/ any more; its standard error is the
# handlers' log.
supervisor_start() {
    local pid
    if pid=$(supervisor_pid); then
        ! cmp -s "/proc/$pid/exe" "$instance/bin/flywheel-supervisor" || return 0
        stop_process "$pid" 45 TERM
    fi
    end_strays handler
    as_server bash -c 'setsid "$@" </dev/null >>log/handlers.log 2>&1 & echo $! >run/supervisor.pid' - \
        "$bin_dir/flywheel-supervisor" --handlers "$handlers_dir" --sockets "$sockets_dir" --run "$run_dir" \
        --config "$etc_dir/flywheel.conf" --frontend "$frontend_dir" --log "$log_dir/handlers.log" --ready-timeout 20000
}

# handlers_renew: fresh processes for all handlers, one beside the other, after their configuration has changed.
handlers_renew() {
    local pid
    ! pid=$(supervisor_pid) || kill -HUP "$pid"
}

# handlers_wait: until everything in the mounts is served; says what is not, and why.
handlers_wait() {
    if wait_until 60 mount_serves; then
        wait_until 15 pages_are_sent && return 0
        die "the dashboard in $frontend_dir is not sent: $(running_state | jq -r '.pages.why // "no reason known"')"
    fi
    running_state | jq -r '.programs | to_entries[] | select(.value.state != "serving")
        | "    \(.key): \(.value.state); \(.value.last_failure.what // "no reason known")"' >&2 || true
    tail -n 5 "$instance/log/handlers.log" >&2 || true
    die "not every handler serves (see above). The whole log is $instance/log/handlers.log"
}

# nginx_apply PORT: puts standard input in place as the configuration; a running nginx takes it over when it has changed,
# one that does not run is started.
nginx_apply() {
    local before
    before=$(cat "$instance/etc/nginx.conf" 2>/dev/null || true)
    write_file "$instance/etc/nginx.conf" 644
    local arguments=(nginx -p "$instance" -e "$instance/log/nginx-error.log" -c "$instance/etc/nginx.conf")
    as_server "${arguments[@]}" -t -q || die "nginx refuses $instance/etc/nginx.conf (see above)."
    local pid
    if pid=$(nginx_pid); then
        [ "$before" = "$(cat "$instance/etc/nginx.conf")" ] || kill -HUP "$pid"
    else
        end_strays nginx
        ! port_is_taken "$1" || die "port $1 is taken by another program. Choose another one: ./deploy/quickstart --port NUMBER"
        as_server "${arguments[@]}" || die "nginx does not start; see $instance/log/nginx-error.log"
    fi
}

# How many old logs are kept, the newest one as it is, the others compressed.
readonly logs_kept=14

# rotate_log FILE: FILE.1, FILE.2.gz … ; the oldest goes.
rotate_log() {
    local file=$1 number
    [ -s "$file" ] || return 0
    for ((number = logs_kept - 1; number >= 2; number--)); do
        [ ! -e "$file.$number.gz" ] || mv -f "$file.$number.gz" "$file.$((number + 1)).gz"
    done
    [ ! -e "$file.1" ] || { gzip -f "$file.1" && mv -f "$file.1.gz" "$file.2.gz"; }
}

# servers_rotate_logs: begins new logs. nginx and the supervisor open theirs anew, and the handlers get fresh processes that
# write there; PostgreSQL goes on in its file, which is copied and emptied.
servers_rotate_logs() {
    local file pid
    for file in handlers nginx-access nginx-error postgresql; do
        file=$log_dir/$file.log
        rotate_log "$file"
        [ -s "$file" ] || continue
        if [ "$file" = "$log_dir/postgresql.log" ]; then as_server cp -p "$file" "$file.1" && as_server truncate -s 0 "$file"
        else mv -f "$file" "$file.1"; fi
    done
    if pid=$(nginx_pid); then kill -USR1 "$pid"; fi
    if pid=$(supervisor_pid); then kill -USR1 "$pid"; fi
}

# stop_process PID SECONDS SIGNAL: asks politely, waits, and insists.
stop_process() {
    kill -"$3" "$1" 2>/dev/null || return 0
    wait_until "$2" process_is_gone "$1" || kill -KILL "$1" 2>/dev/null || true
}
process_is_gone() { ! is_running "$1"; }

# servers_stop: in the order that loses no request: the door first, the database last.
servers_stop() {
    local pid stopped=()
    if pid=$(nginx_pid); then stopped+=("$pid"); stop_process "$pid" 10 QUIT; fi
    if pid=$(supervisor_pid); then stopped+=("$pid"); stop_process "$pid" 45 TERM; fi
    if pid=$(pg_pid); then stopped+=("$pid"); fi
    pg_stop
    end_strays
    # The machine's first process buries the dead; give it the moment it takes.
    for pid in "${stopped[@]}"; do wait_until 3 test ! -e "/proc/$pid" || true; done
}
