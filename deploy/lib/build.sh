# shellcheck shell=bash
# shellcheck disable=SC2154  # top, instance come from common.sh and instance.sh
# Building the programs and the dashboard, and putting what has changed into an instance.

# build_programs FOLDER [CMAKE-ARGUMENT…]: the C programs; quick when nothing has changed.
build_programs() {
    local build=$1; shift
    mkdir -p "$build"
    {
        cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" &&
            cmake --build "$build" --parallel "$(nproc)"
    } >"$build/build.log" 2>&1 || {
        grep -E -A 12 'error|CMake Error|FAILED' "$build/build.log" | head -40 >&2 || true
        die "the programs could not be built; the whole log is $build/build.log"
    }
}

# build_frontend FOLDER: the dashboard, when its sources are newer than what was built from them.
build_frontend() {
    local out=$1 stamp=$1.stamp sources
    [ -x "$top/frontend/build" ] || { mkdir -p "$out"; return 0; }
    sources=$(cd "$top/frontend" && find . \( -name node_modules -o -name dist -o -name coverage \) -prune -o \
        -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    [ ! -f "$out/index.html" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$sources" ] || return 0
    mkdir -p "$(dirname "$out")"
    "$top/frontend/build" --out "$out" >"$out.log" 2>&1 || {
        tail -n 30 "$out.log" >&2
        die "the dashboard could not be built; the whole log is $out.log"
    }
    compress_files "$out"
    printf '%s\n' "$sources" >"$stamp"
}

# compress_files FOLDER: a .gz beside each file worth it, for nginx's gzip_static.
compress_files() {
    find "$1" -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.json' \) \
        -exec gzip -9 -n -k -f {} +
}

# build_everything FOLDER: both at once, one at a time per build folder.
build_everything() {
    local build=$1 dashboard
    mkdir -p "$build"
    exec 8<"$build"
    flock 8
    build_frontend "$build/frontend" & dashboard=$!
    build_programs "$build" || { wait "$dashboard" || true; exit 1; }
    wait "$dashboard" || exit 1
    exec 8<&-
}

# put FILE TARGET: copies a file whose content differs, under a temporary name first; the watcher and
# nginx only ever see whole files.
put() {
    ! cmp -s "$1" "$2" || return 0
    local temporary
    temporary=$(dirname "$2")/.$(basename "$2").new
    cp "$1" "$temporary"
    if [ -x "$1" ]; then chmod 755 "$temporary"; else chmod 644 "$temporary"; fi
    mv -f "$temporary" "$2"
}

# put_programs BUILD: handlers with their library into the mount, the operators' programs into bin/.
put_programs() {
    local file
    for file in "$1"/handlers/*; do put "$file" "$instance/handlers/$(basename "$file")"; done
    for file in "$1"/bin/*; do put "$file" "$instance/bin/$(basename "$file")"; done
}

# put_dashboard BUILD: hashed assets first, index.html last, so that no page asks for what is not there yet.
put_dashboard() {
    local file
    while IFS= read -r file; do
        mkdir -p "$(dirname "$instance/frontend/$file")"
        put "$1/frontend/$file" "$instance/frontend/$file"
    done < <(cd "$1/frontend" && find . -type f ! -name 'index.html*' && find . -type f -name 'index.html*')
    chmod -R u=rwX,go=rX "$instance/frontend"
}
