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

# make_first_partner: etc/first-partner.json {partner_slug, email, password, api_key}.
make_first_partner() {
    local slug=north-valley email=demo@north-valley.example user key file=$instance/etc/first-partner.json
    if [ "$demo" = yes ]; then
        load_demo "$slug"
    fi
    [ ! -f "$file" ] || return 0
    step 'making the first sign-in and key'
    if [ "$demo" != yes ]; then
        slug=first-partner email=admin@first-partner.example
        control partner add --slug "$slug" --name 'First Partner' >/dev/null || die 'the first partner could not be made (see above).'
    fi
    user=$(control user add --partner "$slug" --email "$email" --role admin) || die 'the first user could not be made (see above).'
    key=$(control key add --partner "$slug" --scopes read,decide --expires 90d) || die 'the first key could not be made (see above).'
    jq -n --arg slug "$slug" --argjson user "$user" --argjson key "$key" \
        '{partner_slug: $slug, email: $user.email, password: $user.password, api_key: $key.api_key}' |
        write_file "$file" 600
}
