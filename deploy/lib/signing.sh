# shellcheck shell=bash
# shellcheck disable=SC2154  # etc_dir comes from layout.sh
# The key that signs rules for appliances: etc/rules.key, for the servers' user alone, and etc/rules.pub, for appliances.

# place_secret NAME: standard input into etc/, for those who may read flywheel.conf.
place_secret() {
    write_file "$etc_dir/$1.made" 600
    chown --reference="$etc_dir/flywheel.conf" "$etc_dir/$1.made"
    mv -f "$etc_dir/$1.made" "$etc_dir/$1"
}

# signing_key_ensure FLYWHEELCTL: names the key in flywheel.conf and makes it, where either is missing. One that is there
# is never touched: appliances would refuse what another one signs.
signing_key_ensure() {
    local conf=$etc_dir/flywheel.conf
    if ! grep -q '^signing_key = ' "$conf"; then
        { cat "$conf"; printf 'signing_key = %s\n' "$etc_dir/rules.key"; } | place_secret flywheel.conf
    fi
    "$1" --config "$conf" signing-key create >/dev/null || die 'the key that signs rules could not be made (see above).'
}

# signing_key_taken_up: has the handlers start anew, so that the one that signs reads its key; waits until the old one is
# gone, which may have had requests under way.
signing_key_taken_up() {
    local before
    if ! supervisor_lives; then
        say 'what runs cannot be seen from here: restart the handlers, so that they sign with this key.'
        return 0
    fi
    before=$(signer)
    kill -HUP "$(jq -r .supervisor "$run_dir/supervisor.json")" || die 'the handlers could not be told (see above). Restart them, so that they sign with this key.'
    wait_until 60 signer_is_another_than "$before" || die 'the handlers have not started anew. Look: flywheelctl status'
}
signer() { running_state | jq -r '.programs["agent-rules"].pid'; }
signer_is_another_than() { local now; now=$(signer) && [ "$now" != "$1" ] && ! is_running "$1" && running_state | jq -e .settled; }
