# shellcheck shell=bash
# What every command under deploy/ and test/ begins with: where the tree is, how to speak, how to stop.
# Source it from a script that has set -euo pipefail; it defines functions and `top`, and does nothing else.

# The top of the source tree, whatever folder the caller stands in.
# shellcheck disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# PostgreSQL's server programs are not on PATH in Debian, nginx not on an ordinary user's.
PATH=$PATH:/usr/sbin:/sbin

# say TEXT…: one line for the person at the terminal. Standard output stays free for results.
say() { printf '%s\n' "$*" >&2; }

# step TEXT…: what is being done now, with the seconds since the command began.
step() { printf '==> [%3d s] %s\n' "$SECONDS" "$*" >&2; }

# die TEXT…: says what is wrong and what to do about it, and ends the command.
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# have PROGRAM: whether a program is on PATH.
have() { command -v "$1" >/dev/null 2>&1; }

# trust_this_machine: Node brings its own list of certificate authorities; here the machine's list counts too, as it does
# for every other program (a company's network may need one of its own).
trust_this_machine() {
    local list=/etc/ssl/certs/ca-certificates.crt
    if [ -z "${NODE_EXTRA_CA_CERTS:-}" ] && [ -r "$list" ]; then export NODE_EXTRA_CA_CERTS=$list; fi
}

# random_secret: 32 letters and digits (190 bits), safe in a URL, a conninfo string and a shell.
random_secret() {
    local secret
    secret=$(head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9')
    printf '%s' "${secret:0:32}"
}

# write_file PATH MODE: writes standard input to PATH under a temporary name first, so that no
# reader ever sees half of it and no secret is readable for an instant.
write_file() {
    local path=$1 mode=$2 temporary=$1.new.$$
    (umask 077 && cat >"$temporary")
    chmod "$mode" "$temporary"
    mv -f "$temporary" "$path"
}

# wait_until SECONDS COMMAND…: repeats the command until it succeeds; fails when the time is over.
wait_until() {
    local deadline=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# is_running PID: whether a process of that id exists, and is not a corpse waiting for its parent.
is_running() {
    [ -n "${1:-}" ] && [ -r "/proc/$1/stat" ] || return 1
    local line
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    line=${line##*) }
    [ "${line%% *}" != Z ]
}

# port_is_taken PORT: whether something on this machine answers there.
port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
