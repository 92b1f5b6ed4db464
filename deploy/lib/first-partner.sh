# shellcheck shell=bash
# shellcheck disable=SC2154  # top, instance, demo come from the sourcing script
# The demonstration data, and the sign-in and key that the quickstart prints. Made once, then kept.

# control ARGUMENT…: the operators' command of this instance.
control() { "$instance/bin/flywheelctl" --config "$instance/etc/flywheel.conf" "$@"; }

# load_demo: once; the file says itself what it makes.
load_demo() {
    [ "$(psql_as postgres flywheel -c "SELECT count(*) FROM partners WHERE slug = '$1'")" = 0 ] || return 0
    step 'loading the demonstration data'
    psql_as flywheel_migrate flywheel -1 -o /dev/null -f "$top/sql/demo/demo.sql" ||
        die 'the demonstration data could not be loaded (see above).'
}

# make_partner SLUG NAME: once.
make_partner() {
    [ "$(psql_as postgres flywheel -c "SELECT count(*) FROM partners WHERE slug = '$1'")" = 0 ] || return 0
    control partner add --slug "$1" --name "$2" >/dev/null || die 'the first partner could not be made (see above).'
}

# replay_decisions: what people of the demonstration have decided, through the API, so that the rules are real ones.
replay_decisions() {
    [ ! -f "$instance/etc/demo-decided" ] && [ -x "$instance/handlers/learning-approve" ] || return 0
    step 'making some decisions on the demonstration data'
    FLYWHEEL_API_KEY=$(jq -r .api_key "$instance/etc/first-partner.json") "$top/deploy/demo/decide" "$(base_url)" ||
        die 'the decisions on the demonstration data could not be made (see above).'
    psql_as flywheel_migrate flywheel -1 -o /dev/null -f "$top/sql/demo/appliances.sql" ||
        die 'what the demonstration'\''s appliances say could not be loaded (see above).'
    date -u +%FT%TZ | write_file "$instance/etc/demo-decided" 644
}

# make_first_partner: etc/first-partner.json {partner_slug, email, password, api_key}.
make_first_partner() {
    local slug=north-valley email=demo@north-valley.example file=$instance/etc/first-partner.json
    if [ "$demo" = yes ]; then
        load_demo "$slug"
    else
        slug=first-partner email=admin@first-partner.example
        make_partner "$slug" 'First Partner'
    fi
    if [ ! -f "$file" ]; then make_first_login "$slug" "$email" "$file"; fi
    if [ "$demo" = yes ]; then replay_decisions; fi
}

# made_once FILE COMMAND…: what the command printed, kept in FILE for the case that a later step fails.
made_once() {
    local file=$1 printed; shift
    if [ ! -f "$file" ]; then
        printed=$("$@") || return 1
        write_file "$file" 600 <<<"$printed"
    fi
    cat "$file"
}

# make_first_login SLUG EMAIL FILE: an administrator and a key, kept for the summary of later runs.
make_first_login() {
    local slug=$1 email=$2 file=$3 user key
    step 'making the first sign-in and key'
    user=$(made_once "$instance/etc/first-user.json" control user add --partner "$slug" --email "$email" --role admin) ||
        die 'the first user could not be made (see above).'
    key=$(made_once "$instance/etc/first-key.json" control key add --partner "$slug" --scopes read,decide --expires 90d) ||
        die 'the first key could not be made (see above).'
    jq -n --arg slug "$slug" --argjson user "$user" --argjson key "$key" \
        '{partner_slug: $slug, email: $user.email, password: $user.password, api_key: $key.api_key}' |
        write_file "$file" 600
    rm -f "$instance/etc/first-user.json" "$instance/etc/first-key.json"
}
