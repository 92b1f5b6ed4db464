# shellcheck shell=bash
# shellcheck disable=SC2154  # top comes from common.sh
# Podman with everything it keeps in one folder, and a Debian 12 to build on without any registry of images. Sourced by
# the suite `containers`.

# engine_start DIR: makes DIR/podman, the program that everything here calls. Nothing of the machine's own podman is used.
engine_start() {
    engine=$1
    mkdir -p "$engine/net"
    # Without systemd podman cannot ask for health by itself, and says so each time.
    cat >"$engine/podman" <<PODMAN
#!/bin/bash
exec podman --root '$engine/storage' --runroot '$engine/runroot' --tmpdir '$engine/tmp' --network-config-dir '$engine/net' \\
    --runtime runc --cgroup-manager=cgroupfs --storage-driver=vfs "\$@" 2> >(grep -v 'systemd connection' >&2)
PODMAN
    chmod 755 "$engine/podman"
}

# machine_sources: the Debian archives that this machine takes packages from, as lines of a sources.list.
machine_sources() {
    # shellcheck disable=SC2016  # apt's names
    apt-get indextargets --format '$(LABEL)|$(COMPONENT)|deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n 's/^Debian\(-Security\)\{0,1\}|main|//p' | sort -u
}

# engine_base NAME: a Debian 12 as an image, with this machine's sources and certificate authorities.
engine_base() {
    local tree=$engine/base mirror
    mirror=$(machine_sources | awk '$3 == "bookworm" || $3 == "stable" { print $2; exit }')
    debootstrap --variant=minbase --include=ca-certificates bookworm "$tree" "$mirror" >"$engine/debootstrap.log" 2>&1 ||
        { tail -n 20 "$engine/debootstrap.log"; return 1; }
    machine_sources >"$tree/etc/apt/sources.list"
    apt-config dump | grep -E '^Acquire::https?::(Proxy|CaInfo)' >"$tree/etc/apt/apt.conf.d/90machine" || true
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$tree/usr/local/share/ca-certificates/" \; 2>/dev/null || true
    chroot "$tree" update-ca-certificates >/dev/null 2>&1
    tar -C "$tree" --exclude='./var/cache/apt/archives/*' --exclude='./var/lib/apt/lists/*' -cf - . |
        "$engine/podman" import - "$1" >/dev/null 2>&1
    rm -rf -- "$tree"
}

# engine_build TARGET TAG BASE: one image of the Containerfile. What npm is told of this machine comes as a secret of the build.
engine_build() {
    local npmrc=${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc} secret=()
    [ ! -r "$npmrc" ] || secret=(--secret "id=npmrc,src=$npmrc")
    "$engine/podman" build --format docker --isolation=chroot --layers=false --ulimit nofile=8192:8192 --ulimit nproc=4096:4096 \
        --build-arg "BASE=$3" "${secret[@]}" --file "$top/deploy/container/Containerfile" --target "$1" --tag "$2" "$top" \
        >"$engine/build-$1.log" 2>&1 || { tail -n 30 "$engine/build-$1.log"; return 1; }
}

# engine_stop: containers, images, volumes, networks and the folder.
engine_stop() {
    [ -n "${engine:-}" ] && [ -x "$engine/podman" ] || return 0
    "$engine/podman" rm --force --all --time 5 >/dev/null 2>&1 || true
    "$engine/podman" volume rm --force --all >/dev/null 2>&1 || true
    "$engine/podman" system reset --force >/dev/null 2>&1 || true
    local mounted
    while read -r mounted; do umount "$mounted" || true; done < <(awk -v folder="$engine/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r)
    rm -rf -- "$engine"
}
