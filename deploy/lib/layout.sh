# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are for those who source this; top, folder, instance come from elsewhere
# Where an instance's things lie: the one description that every command in deploy/ goes by.
#
# An instance is named by a folder (--dir, FLYWHEEL_DIR). That folder holds the layout, a file of `key = value` lines
# without any secret:
#
#   FOLDER/etc/layout   of a quickstart: everything lies in the instance's folder
#   FOLDER/layout       of a host or a container: the folder is the configuration, usually /etc/flywheel
#
# A quickstart's without the file (made by an earlier version) has the same places.
#
#   kind                 quickstart, host or container
#   server_user          who runs the handlers
#   image_handlers_dir   handlers and library as they were built or shipped
#   image_frontend_dir   the dashboard as it was built or shipped
#   handlers_dir         the mount of the handlers: what is in it is what runs
#   frontend_dir         the mount of the dashboard
#   pages_dir            what nginx sends: whole copies of what is in that mount, made by the supervisor
#   bin_dir              supervisor, operators' command
#   etc_dir              configuration: flywheel.conf, pgpass (mode 0600), nginx.conf, this file
#   run_dir              supervisor.json and its lock, copies of the programs that run, process ids
#   sockets_dir          the handlers' unix sockets
#   log_dir              logs; on a host the handlers' are in the journal instead
#   state_dir            what must outlive a restart: releases kept for a rollback, backups
#   tmp_dir              nginx's temporary files
#   url                  the address that people use
#   connect_to           where nginx really answers, as ADDRESS:PORT
#   database_owner       connection string of the schema's owner; passwords lie in etc_dir/pgpass
#   database_superuser   connection string of a login that passes row security, for backups; empty when there is none
#   superuser_account    the account of the operating system that database_superuser is used from; empty: one's own
readonly layout_keys=(kind server_user image_handlers_dir image_frontend_dir handlers_dir frontend_dir pages_dir bin_dir
    etc_dir run_dir sockets_dir log_dir state_dir tmp_dir url connect_to database_owner database_superuser superuser_account)

# layout_of_quickstart: the places in an instance's folder.
layout_of_quickstart() {
    kind=quickstart
    image_handlers_dir=$top/build/handlers image_frontend_dir=$top/build/frontend
    handlers_dir=$instance/handlers frontend_dir=$instance/frontend bin_dir=$instance/bin etc_dir=$instance/etc
    run_dir=$instance/run pages_dir=$instance/run/pages sockets_dir=$sockets log_dir=$instance/log state_dir=$instance/state tmp_dir=$instance/tmp
    url='' connect_to=''
    database_owner="host=$sockets dbname=flywheel user=flywheel_migrate"
    database_superuser="host=$sockets dbname=flywheel user=postgres"
    superuser_account=''
}

# layout_read FILE: sets the variables named above from a layout file; what it does not name stays as it is.
layout_read() {
    local line
    while IFS= read -r line; do
        case $line in '' | '#'*) continue ;; esac
        [[ $line =~ ^([a-z_]+)\ =\ ?(.*)$ && " ${layout_keys[*]} " = *" ${BASH_REMATCH[1]} "* ]] ||
            die "$1: '$line' is no line of a layout. See deploy/lib/layout.sh."
        printf -v "${BASH_REMATCH[1]}" '%s' "${BASH_REMATCH[2]}"
    done <"$1"
}

# layout_write FILE: the variables as a layout file.
layout_write() {
    local key
    {
        printf '# Where the things of this instance lie. Every command in deploy/ reads it; the keys are told in deploy/lib/layout.sh.\n'
        for key in "${layout_keys[@]}"; do printf '%s = %s\n' "$key" "${!key}"; done
    } | write_file "$1" 644
}

# database_run owner|superuser COMMAND…: runs psql, pg_dump and the like as that login can be used. The connection string
# itself, "$database_owner" or "$database_superuser", is for the command's arguments.
database_run() {
    local login=$1 account='' identity=(); shift
    if [ "$login" = superuser ]; then
        [ -n "$database_superuser" ] || die "the layout of $folder names no database_superuser. Add a login that passes row security."
        account=$superuser_account
    fi
    if [ -n "$account" ] && [ "$account" != "$(id -un)" ]; then
        [ "$(id -u)" = 0 ] || die "this needs the account '$account'. Run it as root."
        identity=(setpriv "--reuid=$account" "--regid=$account" --init-groups)
    elif [ -e "$etc_dir/pgpass" ]; then
        [ -r "$etc_dir/pgpass" ] || die "$etc_dir/pgpass is not readable for you. Run this as the person who set the instance up."
        identity=(env "PGPASSFILE=$etc_dir/pgpass")
    fi
    "${identity[@]}" "$@"
}
