# shellcheck shell=bash
# shellcheck disable=SC2154  # top comes from common.sh
# Debian packages: which are missing, and installing them without starting anybody's services.

# packages_of SECTION…: the package names of those sections of deploy/packages.
packages_of() {
    local section
    for section; do
        sed -n "/^\[$section\]/,/^\[/{/^\[/d;/^#/d;/^$/d;p}" "$top/deploy/packages"
    done
}

# packages_missing SECTION…: those of them that are not installed. A program that is there
# without its package (node from elsewhere) counts as missing only when the package has no such program.
packages_missing() {
    local name installed
    installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii *//p')
    for name in $(packages_of "$@"); do
        grep -qxF "$name" <<<"$installed" && continue
        case $name in nodejs) have node && continue ;; npm) have npm && continue ;; esac
        printf '%s\n' "$name"
    done
}

# packages_install SECTION…: installs what is missing; asks for sudo when not root, and only then.
packages_install() {
    have dpkg-query || die "this is not a Debian system (no dpkg-query). Flywheel is set up on Debian 12; use a machine or container with it."
    local missing
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        have sudo || die "these Debian packages are missing and there is no sudo: ${missing[*]}. Let an administrator run: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    step "installing ${#missing[@]} Debian packages (a minute or two the first time)"
    "${as_root[@]}" bash "$top/deploy/lib/apt-install" "${missing[@]}" ||
        die "the packages could not be installed (see above). Check the network and /etc/apt/sources.list, then run this again."
}
