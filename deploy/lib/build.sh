# shellcheck shell=bash
# shellcheck disable=SC2154  # top, handlers_dir … come from common.sh and layout.sh
# Building the programs and the dashboard, and putting what has changed into an instance.

# build_programs FOLDER [CMAKE-ARGUMENT…]: the C programs; quick when nothing has changed. A folder that the tests have
# set up keeps building the tests too.
build_programs() {
    local build=$1 arguments=(); shift
    mkdir -p "$build"
    grep -qs '^BUILD_TESTING:BOOL=ON' "$build/CMakeCache.txt" || arguments=("$@")
    {
        cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release "${arguments[@]}" &&
            cmake --build "$build" --parallel "$(nproc)"
    } >"$build/build.log" 2>&1 || {
        grep -E -A 12 'error|CMake Error|FAILED' "$build/build.log" | head -40 >&2 || true
        die "the programs could not be built; the whole log is $build/build.log"
    }
}

# build_frontend FOLDER: the dashboard, with a .gz beside each file worth it; quick when nothing has changed.
build_frontend() {
    mkdir -p "$1"
    trust_this_machine
    "$top/frontend/build" --out "$1" >"$1.log" 2>&1 || {
        tail -n 30 "$1.log" >&2
        die "the dashboard could not be built; the whole log is $1.log"
    }
}

# build_everything FOLDER [CMAKE-ARGUMENT…]: both at once, one at a time per build folder.
build_everything() {
    local build=$1 dashboard; shift
    mkdir -p "$build"
    exec 8<"$build"
    flock 8
    build_frontend "$build/frontend" & dashboard=$!
    build_programs "$build" "$@" || { wait "$dashboard" || true; exit 1; }
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
    for file in "$1"/handlers/*; do put "$file" "$handlers_dir/$(basename "$file")"; done
    for file in "$1"/bin/*; do put "$file" "$bin_dir/$(basename "$file")"; done
}

# put_dashboard BUILD: hashed assets first, index.html last, so that no page asks for what is not there yet.
put_dashboard() {
    local file
    while IFS= read -r file; do
        mkdir -p "$(dirname "$frontend_dir/$file")"
        put "$1/frontend/$file" "$frontend_dir/$file"
    done < <(cd "$1/frontend" && find . -type f ! -name 'index.html*' && find . -type f -name 'index.html*')
    chmod -R u=rwX,go=rX "$frontend_dir"
}
