# shellcheck shell=bash
# shellcheck disable=SC2154  # top comes from common.sh
# One instance: where it lives, who runs it, what was chosen for it.
#
#   folder    what the person named (--dir, FLYWHEEL_DIR, ./var); keeps quickstart.json
#   instance  where the files live: the folder itself, or a folder elsewhere when the servers' user cannot
#             reach it (a clone under /root), or its name has characters that configuration files cannot hold
#   sockets   the unix sockets: instance/run, or a short private folder when that path is too long
#   server_user  who runs the servers: the invoking user, or `flywheel` when that is root
#
# The rest is the layout (layout.sh), which is known once the instance is.
#
#   instance/handlers, frontend        the mounts: what is in them is what runs
#   instance/bin, etc                  supervisor and operators' command; configuration
#   instance/pg, run, log, state, tmp  written by the servers and the commands

# shellcheck source=deploy/lib/layout.sh
. "$top/deploy/lib/layout.sh"

# Longest path a unix socket may have (sockaddr_un, without the final zero), and the longest name we use.
readonly socket_path_max=107
readonly longest_socket_name=learning-rule-deploy.sock
readonly system_user=flywheel
readonly system_folder=/var/lib/flywheel
readonly host_folder=/etc/flywheel

# instance_locate [DIR]: sets folder, instance, sockets, server_user and the layout's variables. Makes nothing.
instance_locate() {
    folder=$(realpath -m -- "${1:-${FLYWHEEL_DIR:-$(default_folder)}}")
    instance=$folder
    if [ -f "$folder/layout" ]; then
        layout_read "$folder/layout"
        sockets=$sockets_dir
        return
    fi
    server_user=$(id -un)
    [ "$(id -u)" != 0 ] || server_user=$system_user
    if [ ! -f "$folder/etc/folder" ] && ! is_suitable "$folder"; then instance=$(instance_elsewhere); fi
    sockets=$(socket_folder)
    layout_of_quickstart
    if [ -f "$instance/etc/layout" ]; then layout_read "$instance/etc/layout"; fi
}

# default_folder: a quickstart's in the clone, else the host's own instance, else where a quickstart would be made.
default_folder() {
    if [ ! -e "$top/var" ] && [ -f "$host_folder/layout" ]; then printf '%s' "$host_folder"; else printf '%s' "$top/var"; fi
}

# need_instance: for the commands that work on one that is there.
need_instance() {
    instance_exists || die "there is no instance in $folder. Make one with ./deploy/quickstart, or name another with --dir."
}

# is_suitable PATH: whether the instance may live there: no characters that configuration files take for their own, and
# within reach of the servers' user.
is_suitable() {
    [[ $1 =~ ^[A-Za-z0-9._/+@-]+$ ]] && { [ "$(id -u)" != 0 ] || server_can_reach "$1"; }
}

# server_can_reach PATH: whether the servers' user gets as far as the nearest folder that exists.
server_can_reach() {
    local path=$1
    until [ -d "$path" ]; do path=$(dirname "$path"); done
    if id "$system_user" >/dev/null 2>&1; then
        setpriv --reuid="$system_user" --regid="$system_user" --clear-groups test -x "$path"
    else
        everybody_can_reach "$path"
    fi
}

# everybody_can_reach DIR: the same question before that user exists.
everybody_can_reach() {
    local path=$1
    until [ "$path" = / ]; do
        [ $((0$(stat -c %a "$path") & 1)) = 1 ] || return 1
        path=$(dirname "$path")
    done
}

# instance_elsewhere: /var/lib/flywheel, for an ordinary user a folder of their own; or one beside it when another
# folder's instance lives there.
instance_elsewhere() {
    local place=$system_folder owner=''
    [ "$(id -u)" = 0 ] || place=${XDG_STATE_HOME:-$HOME/.local/state}/flywheel
    is_suitable "$place" || die "neither $folder nor $place can hold an instance. Choose a folder with --dir: letters, digits and . _ + @ - only."
    [ ! -f "$place/etc/folder" ] || owner=$(cat "$place/etc/folder")
    if [ -z "$owner" ] || [ "$owner" = "$folder" ]; then
        printf '%s' "$place"
    else
        printf '%s-%s' "$place" "$(printf '%s' "$folder" | sha256sum | cut -c1-8)"
    fi
}

# socket_folder: where the sockets go; a path that would be cut off is never used.
socket_folder() {
    local path=$instance/run
    if [ $((${#path} + 1 + ${#longest_socket_name})) -gt "$socket_path_max" ]; then
        path=/tmp/flywheel-$(id -u)-$(printf '%s' "$instance" | sha256sum | cut -c1-12)
    fi
    printf '%s' "$path"
}

# as_server COMMAND…: runs it as the servers' user, with a clean environment and none of our files open.
as_server() {
    local identity=()
    if [ "$(id -un)" != "$server_user" ]; then
        identity=(setpriv "--reuid=$server_user" "--regid=$server_user" --clear-groups)
    fi
    (cd "$instance" && exec 9>&- && exec "${identity[@]}" env -i "HOME=$instance" "PATH=$PATH" \
        LC_ALL=C.UTF-8 ${NPM_CONFIG_USERCONFIG:+"NPM_CONFIG_USERCONFIG=$NPM_CONFIG_USERCONFIG"} "$@")
}

# make_server_user: the unprivileged account of the servers, where root sets up the instance.
make_server_user() {
    [ "$(id -u)" = 0 ] || return 0
    id "$system_user" >/dev/null 2>&1 && return 0
    # A second command at the same moment may have been quicker.
    useradd --system --user-group --no-create-home --home-dir "$system_folder" \
        --shell /usr/sbin/nologin "$system_user" || wait_until 5 id "$system_user" ||
        die "the account '$system_user' that runs the servers could not be made. Make it with: useradd --system --user-group $system_user"
}

# make_folders: the layout above; what the servers only read stays ours.
make_folders() {
    instance_exists || is_vacant "$instance" ||
        die "$instance holds files that are not an instance of Flywheel. Choose an empty or new folder with --dir."
    mkdir -p "$folder" "$instance"/{handlers,frontend,bin,etc,run,log,pg,state,tmp} ||
        die "cannot make $instance. Choose a folder you may write to with --dir."
    chmod 755 "$instance" "$instance"/{handlers,frontend,bin,etc}
    chmod 711 "$instance/run"
    chmod 700 "$instance"/{log,pg,state,tmp}
    printf '%s\n' "$folder" | write_file "$instance/etc/folder" 644
    make_private_socket_folder
    if [ "$(id -u)" = 0 ]; then
        chown "$server_user:$server_user" "$instance"/{run,log,pg,tmp} "$sockets"
    fi
}

# make_private_socket_folder: only where run/ lies too deep. /tmp is everybody's: a folder of that
# name which somebody else made is refused.
make_private_socket_folder() {
    [ "$sockets" != "$instance/run" ] || return 0
    mkdir -m 711 "$sockets" 2>/dev/null || true
    local owner
    owner=$(stat -c %U "$sockets")
    if [ -L "$sockets" ] || { [ "$owner" != "$(id -un)" ] && [ "$owner" != "$server_user" ]; }; then
        die "$sockets belongs to somebody else. Remove it, or choose a shorter --dir."
    fi
}

# instance_exists: whether an instance of this folder was ever set up. Only what says so itself is one: reset removes it.
instance_exists() { [ "$kind" != quickstart ] || [ "$(cat "$instance/etc/folder" 2>/dev/null)" = "$folder" ]; }

# is_vacant DIR: whether it can become an instance: absent, empty, or holding no more than a summary.
is_vacant() { [ ! -e "$1" ] || { [ -d "$1" ] && [ -z "$(find "$1" -mindepth 1 -maxdepth 1 ! -name quickstart.json -print -quit)" ]; }; }

# setting NAME [FALLBACK]: what an earlier run chose (of the quickstart: port, listen, demo, rate_limit).
setting() {
    local value=''
    [ ! -f "$etc_dir/$kind.conf" ] || value=$(sed -n "s/^$1 = //p" "$etc_dir/$kind.conf")
    printf '%s' "${value:-${2:-}}"
}

# pid_in FILE PROGRAM: the process id a server wrote there, when that process lives and is that program
# (a number left over from before a restart of the machine may be anybody's by now).
pid_in() {
    local pid=''
    [ -f "$1" ] || return 1
    read -r pid <"$1" 2>/dev/null || [ -n "$pid" ] || return 1
    is_running "$pid" || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "${2:0:15}" ] || return 1
    printf '%s' "$pid"
}
