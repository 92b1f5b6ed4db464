# shellcheck shell=bash
# shellcheck disable=SC2154  # kind, handlers_dir … come from layout.sh, top from common.sh
# Replacing what lies in the mounts as one set, and taking it back.
#
#   state/releases/new        the set that is being brought in
#   state/releases/current    the set that was in the mounts when a release began that is under way, or was killed
#   state/releases/under-way  what that release does; while this file is there, the mounts may hold a mixture
#   state/releases/before     the set that the last release replaced: what --rollback brings back
#   state/releases/lock       one release at a time
#
# A set is a folder with handlers/, frontend/ and bin/, as a build folder has them.

# How long the new handlers may take to serve.
release_wait_s=60
# Assets of older builds stay that long in the mount, for pages that are open.
readonly assets_kept_days=7

# release_begin: the lock, and the folders.
release_begin() {
    releases=$state_dir/releases
    mkdir -p "$releases" || die "cannot make $releases. Run this as the person who set the instance up."
    chmod 711 "$state_dir" "$releases"
    exec 7>>"$releases/lock"
    flock -n 7 || die "another release works on these mounts. Wait for it to finish."
    [ -d "$handlers_dir" ] && [ -w "$handlers_dir" ] && [ -d "$frontend_dir" ] && [ -w "$frontend_dir" ] ||
        die "$handlers_dir and $frontend_dir must be folders that you may write to."
    interrupted=''
    if [ -f "$releases/under-way" ] && [ -d "$releases/current" ]; then
        interrupted=yes
        say "    the last one ($(cat "$releases/under-way")) did not finish; this one makes it whole"
    fi
}

# copy_set FROM TO: a whole set, appearing at once.
copy_set() {
    rm -rf -- "$2" "$2.part"
    mkdir -p "$2.part"
    local part
    for part in handlers frontend bin; do
        if [ -d "$1/$part" ]; then cp -R --preserve=mode,timestamps "$1/$part" "$2.part/$part"; fi
    done
    chmod -R u=rwX,go=rX "$2.part"
    mv -T "$2.part" "$2"
}

# keep_current: what lies in the mounts now; not when a killed release has left a mixture there, and the set itself here.
keep_current() {
    [ -z "$interrupted" ] || return 0
    local to=$releases/current
    rm -rf -- "$to.part" "$to"
    mkdir -p "$to.part"/{handlers,frontend,bin}
    cp -R --preserve=mode,timestamps "$handlers_dir/." "$to.part/handlers"
    cp -R --preserve=mode,timestamps "$frontend_dir/." "$to.part/frontend"
    if [ -d "${bin_dir:-}" ]; then cp -R --preserve=mode,timestamps "$bin_dir/." "$to.part/bin"; fi
    chmod -R u=rwX,go=rX "$to.part"
    mv -T "$to.part" "$to"
}

# programs_in SET: the names of its handlers.
programs_in() { programs_of "$1/handlers" | cut -c67-; }

# check_set SET: whether it is whole: every program says what it is.
check_set() {
    local name count=0
    [ -f "$1/frontend/index.html" ] || die "there is no dashboard in $1/frontend. Build it with: frontend/build --out DIR/frontend"
    for name in $(programs_in "$1"); do
        [ -n "$(build_id "$1/handlers/$name")" ] || die "the new $name does not run here: $("$1/handlers/$name" --build-id 2>&1 | head -n 3 || true)"
        count=$((count + 1))
    done
    [ "$count" -gt 0 ] || die "there are no handlers in $1/handlers."
}

# self_check SET: every handler's own check, with this instance's configuration, against its database; all at once.
self_check() {
    [ "$kind" != bare ] || return 0
    local name said=$releases/said
    rm -rf -- "$said"
    mkdir -p "$said"
    for name in $(programs_in "$1"); do
        as_server timeout 60 "$1/handlers/$name" --check --config "$etc_dir/flywheel.conf" >"$said/$name" 2>&1 </dev/null ||
            touch "$said/$name.failed" &
    done
    wait
    for name in "$said"/*.failed; do
        [ -e "$name" ] || continue
        die "the new $(basename "$name" .failed) does not pass its self-check; nothing was replaced. It says: $(cat "${name%.failed}")"
    done
    rm -rf -- "$said"
}

# put_all FROM TO NAME…: copies beside their places first, then renames in one go.
put_all() {
    local from=$1 to=$2 name changed=(); shift 2
    for name; do
        if cmp -s "$from/$name" "$to/$name" && [ "$(stat -c %A "$from/$name")" = "$(stat -c %A "$to/$name")" ]; then continue; fi
        mkdir -p "$(dirname "$to/$name")"
        cp --preserve=mode "$from/$name" "$(beside "$to/$name")"
        changed+=("$name")
    done
    for name in "${changed[@]}"; do mv -f "$(beside "$to/$name")" "$to/$name"; done
}
beside() { printf '%s/.%s.release' "$(dirname "$1")" "$(basename "$1")"; }

# remove_remains: temporary names that a killed release has left.
remove_remains() { find "$handlers_dir" "$frontend_dir" -name '.*.release' -type f -delete; }

# put_handlers SET: libraries and programs; programs that the set does not have are removed, as their library may not fit.
put_handlers() {
    local names
    mapfile -t names < <(cd "$1/handlers" && printf '%s\n' *.so && printf '%s\n' * | grep -v '\.so$')
    put_all "$1/handlers" "$handlers_dir" "${names[@]}"
    local file
    for file in "$handlers_dir"/*; do
        if is_program "$(basename "$file")" && [ ! -e "$1/handlers/$(basename "$file")" ]; then rm -f -- "$file"; fi
    done
}

# put_pages SET: the page last, so that nothing asks for what is not there yet. Older assets stay for a while.
put_pages() {
    local names
    mapfile -t names < <(cd "$1/frontend" && find . -type f ! -name 'index.html*' ! -name '.*' -printf '%P\n')
    put_all "$1/frontend" "$frontend_dir" "${names[@]}"
    mapfile -t names < <(cd "$1/frontend" && find . -maxdepth 1 -type f -name 'index.html*' -printf '%P\n' | sort -r)
    put_all "$1/frontend" "$frontend_dir" "${names[@]}"
}

# forget_old_assets SET: of neither this set nor the one before, and not used for a while.
forget_old_assets() {
    [ -d "$frontend_dir/assets" ] || return 0
    local file
    while IFS= read -r file; do
        [ -e "$1/frontend/$file" ] || [ -e "$releases/current/frontend/$file" ] || rm -f -- "${frontend_dir:?}/$file"
    done < <(cd "$frontend_dir" && find assets -type f -ctime "+$assets_kept_days")
}

# supervisor_is_seen: whether what runs can be known from here.
supervisor_is_seen() { [ -n "${run_dir:-}" ] && supervisor_lives; }

# failures_since MOMENT: the very files of the mount that did not start since then, with the reason, one a line.
failures_since() {
    local wanted
    wanted=$(programs_of "$handlers_dir")
    running_state | jq -r --arg since "$1" --arg wanted "$wanted" '
        ($wanted | split("\n") | map(split("  ") | {key: .[1], value: .[0][0:16]}) | from_entries) as $hashes
        | .programs | to_entries[] | .key as $name | .value.last_failure as $failure
        | select(.value.state != "serving" and $failure != null and $failure.at >= $since
                 and ($failure.what | contains($hashes[$name] // "no such file")))
        | "\($name): \($failure.what)"'
}

# handlers_serve MOMENT: waits for the set in the mount; fails as soon as one of it did not start.
handlers_serve() {
    local deadline=$((SECONDS + release_wait_s))
    until mount_serves; do
        [ -z "$(failures_since "$1")" ] && [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# put_back MOMENT: the set before, after the new one did not start; ends the release.
put_back() {
    local reasons
    reasons=$(failures_since "$1")
    say "    ${reasons:-not all of the new handlers serve after $release_wait_s s}"
    say '    putting the old files back'
    put_handlers "$releases/current"
    if handlers_serve "$(date -u +%FT%TZ)"; then
        remove_remains
        rm -f "$releases/under-way"
        rm -rf -- "$releases/current" "$releases/new"
        die "the new handlers do not start (${reasons:-too slow}). The old ones serve, as they did all along."
    fi
    die "the new handlers do not start (${reasons:-too slow}). The old files are back, but not all are served: look with ./deploy/flywheelctl status"
}

# replace SET WHAT: the handlers, then the dashboard; waits for both.
replace() {
    local since
    printf '%s\n' "$2" | write_file "$releases/under-way" 644
    since=$(date -u +%FT%TZ)
    step 'replacing the handlers'
    put_handlers "$1"
    if supervisor_is_seen; then handlers_serve "$since" || put_back "$since"
    else say '    what runs cannot be seen from here: look with flywheelctl status'; fi
    step 'replacing the dashboard'
    put_pages "$1"
    if supervisor_is_seen; then
        wait_until 15 pages_are_sent || die "the new dashboard is not sent: $(running_state | jq -r '.pages.why // "no reason known"')"
        # Before the first start there is no nginx to ask.
        if [ -n "${connect_to:-}" ] && port_is_taken "${connect_to##*:}"; then
            wait_until 10 nginx_sends_page || die "nginx sends another page than the new one. Look: ./deploy/flywheelctl status"
        fi
    fi
    put_programs_of_operators "$1"
}

# put_programs_of_operators SET: supervisor, flywheelctl, and on a host what status compares with.
put_programs_of_operators() {
    local names
    if [ -d "${bin_dir:-}" ] && [ -d "$1/bin" ]; then
        if [ -e "$bin_dir/flywheel-supervisor" ] && ! cmp -s "$1/bin/flywheel-supervisor" "$bin_dir/flywheel-supervisor"; then
            supervisor_changed=yes
        fi
        mapfile -t names < <(cd "$1/bin" && printf '%s\n' *)
        put_all "$1/bin" "$bin_dir" "${names[@]}"
    fi
    [ "$kind" = host ] || return 0
    put_image "$1"
}

# put_image SET: what was released last, for status to compare the mounts with. Exactly the set: nothing older stays.
put_image() {
    local part to
    for part in handlers frontend; do
        to=$image_handlers_dir
        if [ "$part" = frontend ]; then to=$image_frontend_dir; fi
        rm -rf -- "$to.part"
        cp -R --preserve=mode,timestamps "$1/$part" "$to.part"
        rm -rf -- "$to"
        mv -T "$to.part" "$to"
    done
}

# describe SET: name and build of each handler, and the dashboard's page, one a line.
describe() {
    local name hash
    while read -r hash name; do printf '%s %s %s\n' "$name" "$(build_id "$1/handlers/$name")" "${hash:0:12}"; done < <(programs_of "$1/handlers")
    printf 'library - %s\n' "$(library_hash "$1/handlers" | cut -c1-12)"
    [ ! -f "$1/frontend/index.html" ] || printf 'dashboard - %s\n' "$(sha256sum <"$1/frontend/index.html" | cut -c1-12)"
}

same_set() { [ "$(describe "$1")" = "$(describe "$2")" ]; }

# tell_changes FROM TO: what is another one now.
tell_changes() {
    local changed
    changed=$(comm -13 <(describe "$1" | sort) <(describe "$2" | sort))
    if [ -z "$changed" ]; then printf 'nothing has changed: the same set was there before\n'; return; fi
    printf 'changed:\n'
    while read -r name build hash; do
        if [ "$build" = - ]; then printf '  %-22s now %s\n' "$name" "$hash"
        else printf '  %-22s now %s (build %s)\n' "$name" "$hash" "$build"; fi
    done <<<"$changed"
}

# finish SET release|rollback: it is done; what was there before can be brought back.
finish() {
    remove_remains
    forget_old_assets "$1"
    tell_changes "$releases/current" "$1"
    # Empty mounts, before the first release, are nothing to go back to; nor is the very same set.
    if ! same_set "$releases/current" "$1" && [ -n "$(programs_in "$releases/current")" ] && { [ -z "$interrupted" ] || [ "$2" = release ]; }; then
        rm -rf -- "$releases/before"
        mv -T "$releases/current" "$releases/before"
    fi
    rm -f "$releases/under-way"
    rm -rf -- "$releases/current" "$releases/new"
    [ -z "${supervisor_changed:-}" ] || tell_supervisor
}

# tell_supervisor: it is the one program that does not replace itself.
tell_supervisor() {
    case $kind in
        host) printf 'The supervisor is a new one, too. It begins with: systemctl restart flywheel (requests wait meanwhile)\n' ;;
        quickstart) printf 'The supervisor is a new one, too. It begins with: ./deploy/quickstart (some requests may fail meanwhile)\n' ;;
    esac
}

# release_new BUILD: the whole way for a finished build.
release_new() {
    step 'looking at the new set'
    copy_set "$1" "$releases/new"
    check_set "$releases/new"
    local missing
    missing=$(comm -23 <(programs_of_routes) <(programs_in "$releases/new" | sort) | paste -sd ' ')
    [ -z "$missing" ] || die "the build lacks handlers that nginx asks: $missing. Build again; nothing was replaced."
    if [ "$kind" != bare ]; then
        step 'migrating the database'
        "$top/deploy/migrate" --dir "$folder"
        signing_key_ensure "$releases/new/bin/flywheelctl"
        step 'checking the new handlers against the database'
        self_check "$releases/new"
    fi
    keep_current
    replace "$releases/new" 'a release'
    same_set "$releases/current" "$releases/new" || rm -f "$releases/rolled-back"
    finish "$releases/new" release
    if [ "$kind" = quickstart ]; then
        image_handlers_dir=$1/handlers image_frontend_dir=$1/frontend
        layout_write "$etc_dir/layout"
    fi
    if [ -d "$releases/before" ]; then say 'released. To take it back: ./deploy/release --rollback'; fi
}

# release_rollback: exchanges what is in the mounts with the set before.
release_rollback() {
    local what='back to the set before' from=$releases/before
    if [ -f "$releases/rolled-back" ]; then what='forward again, to the set that was rolled back'; fi
    if [ -n "$interrupted" ]; then what='back to the last set that was whole' from=$releases/current; fi
    [ -d "$from" ] || die "there is no set before: nothing was released here yet."
    step "going $what (the database's schema stays as it is)"
    copy_set "$from" "$releases/new"
    check_set "$releases/new"
    self_check "$releases/new"
    keep_current
    replace "$releases/new" 'a rollback'
    finish "$releases/new" rollback
    if [ -n "$interrupted" ]; then
        say "gone $what."
        return 0
    fi
    if [ -f "$releases/rolled-back" ]; then rm -f "$releases/rolled-back"
    else date -u +%FT%TZ >"$releases/rolled-back"; fi
    say "gone $what. Once more --rollback exchanges the two again."
}
