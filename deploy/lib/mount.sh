# shellcheck shell=bash
# shellcheck disable=SC2154  # handlers_dir, run_dir come from layout.sh
# What lies in a folder of handlers, and what the supervisor says it runs.

# library_hash FOLDER: of its shared objects together, as the supervisor computes it; empty without any.
library_hash() (
    cd "$1" && shopt -s nullglob && LC_ALL=C && set -- *.so && [ $# -gt 0 ] || return 0
    sha256sum "$@" | sha256sum | cut -c1-64
)

# is_program NAME: the supervisor's idea of a handler program's name.
is_program() { [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,62}$ ]]; }

# build_id FILE: what the program says of itself; empty when it cannot.
build_id() { timeout 5 "$1" --build-id 2>/dev/null </dev/null | head -n 1 || true; }

# programs_of FOLDER: its programs, `SHA-256  NAME` a line.
programs_of() (
    cd "$1" || return 0
    local file names=()
    for file in *; do
        if is_program "$file" && [ -x "$file" ]; then names+=("$file"); fi
    done
    if [ ${#names[@]} -gt 0 ]; then sha256sum "${names[@]}"; fi
)

# programs_of_routes: those that nginx asks, each of which has a socket.
programs_of_routes() { awk '!/^#/ && NF { print $3 }' "$top/deploy/nginx/routes" | sort -u; }

# folder_state FOLDER: {library_sha256, programs: {name: {sha256, build_id}}} as JSON; null without the folder.
folder_state() {
    [ -n "$1" ] && [ -d "$1" ] || { printf 'null'; return; }
    local hash name
    programs_of "$1" | while read -r hash name; do printf '%s\t%s\t%s\n' "$name" "$hash" "$(build_id "$1/$name")"; done |
        jq -R -s --arg library "$(library_hash "$1")" '
            {library_sha256: (if $library == "" then null else $library end),
             programs: (split("\n") | map(select(. != "") | split("\t")
                 | {key: .[0], value: {sha256: .[1], build_id: (if .[2] == "" then null else .[2] end)}}) | from_entries)}'
}

# supervisor_lives: whether the one that wrote the state file does. Where its process cannot be seen (a container beside
# this one), the lock tells, which goes with the process.
supervisor_lives() {
    local pid
    pid=$(jq -r '.supervisor // empty' "$run_dir/supervisor.json" 2>/dev/null) || return 1
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = flywheel-superv ]; then return 0; fi
    [ -r "$run_dir/supervisor.lock" ] && ! flock --nonblock --shared "$run_dir/supervisor.lock" true
}

# running_state: the supervisor's state file, or nothing running.
running_state() {
    if supervisor_lives && [ -r "$run_dir/supervisor.json" ]; then
        cat "$run_dir/supervisor.json"
    else
        printf '{"settled": false, "programs": {}}'
    fi
}

# mount_serves: whether every program of the mount runs in the very version that lies there. Compares contents, so that
# a state file from before the last copy does not count.
mount_serves() {
    local wanted
    wanted=$(programs_of "$handlers_dir")
    running_state | jq -e --arg wanted "$wanted" --arg library "$(library_hash "$handlers_dir")" '
        .settled and ($wanted | length > 0) and (.programs as $programs
        | all($wanted | split("\n")[] | split("  "); . as [$hash, $name]
            | $programs[$name].state == "serving" and $programs[$name].running_sha256 == $hash
              and ($programs[$name].running_library_sha256 // "") == $library))' >/dev/null
}

# pages_are_sent: whether the dashboard's page that lies in the mount is the one that nginx sends.
pages_are_sent() {
    running_state | jq -e --arg wanted "$(sha256sum <"$frontend_dir/index.html" | cut -c1-64)" \
        '.pages.state == "served" and .pages.index_sha256 == $wanted' >/dev/null
}

# page_files FOLDER: the dashboard's files; copies under way and compressed forms are none.
page_files() { [ ! -d "$1" ] || (cd "$1" && find . -type f ! -name '.*' ! -name '*.gz' -printf '%P\n' | LC_ALL=C sort); }

# pages_state FOLDER: {file: sha256} of a dashboard as JSON; null without the folder.
pages_state() {
    [ -n "$1" ] && [ -d "$1" ] || { printf 'null'; return; }
    page_files "$1" | (cd "$1" && while IFS= read -r file; do sha256sum -- "$file"; done) | hashes_as_json
}
hashes_as_json() { jq -R -s 'split("\n") | map(select(. != "") | {key: .[66:], value: .[0:64]}) | from_entries'; }

# pages_sent FOLDER…: the same of what nginx answers with, for the files that those folders have; null where the layout
# does not tell how to ask it, false when it does not answer.
pages_sent() {
    [ -n "${url:-}" ] && [ -n "${connect_to:-}" ] || { printf 'null'; return; }
    local folder file sent_file
    sent_file=$(mktemp)
    ask_nginx index.html >/dev/null 2>&1 || { rm -f "$sent_file"; printf 'false'; return; }
    for folder; do page_files "$folder"; done | LC_ALL=C sort -u | while IFS= read -r file; do
        if ask_nginx "$file" 2>/dev/null >"$sent_file"; then printf '%s  %s\n' "$(sha256sum <"$sent_file" | cut -c1-64)" "$file"; fi
    done | hashes_as_json
    rm -f "$sent_file"
}

# nginx_sends_page: whether its answer is the page that lies in the mount.
nginx_sends_page() { ask_nginx index.html | cmp -s - "$frontend_dir/index.html"; }

# ask_nginx FILE: what nginx sends for it. It is our own nginx that is asked, at the address where it listens: its
# certificate need not be one that this machine trusts.
ask_nginx() { curl -fsSk --max-time 10 --noproxy '*' --connect-to "::$connect_to" "$url/$1"; }
