# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # who sources this sets `base` and FLYWHEEL_API_KEY, and reads `body` and `status`
# The partner API for the demonstration's scripts: `base` is its address, FLYWHEEL_API_KEY a key.

# api METHOD PATH [BODY]: the answer's body, then its status on a line of its own. The key goes through
# standard input: arguments are for everybody on the machine to see.
api() {
    printf 'header = "X-API-Key: %s"\n' "$FLYWHEEL_API_KEY" |
        curl --silent --show-error --max-time 20 --config - --request "$1" --write-out '\n%{http_code}' \
            ${3:+--header 'Content-Type: application/json' --data "$3"} "$base$2"
}

# ask METHOD PATH [BODY]: as api, but fails unless the status is 2xx; `body` and `status` hold the answer.
ask() {
    local answer
    answer=$(api "$@")
    status=${answer##*$'\n'}
    body=${answer%$'\n'*}
    [[ $status == 2* ]]
}

# refused WHAT: ends the script with what the last answer said.
refused() {
    printf '%s: %s answered %s: %s\n' "$(basename "$0")" "$1" "$status" \
        "$(jq -r '.detail // .' <<<"$body" 2>/dev/null || printf '%s' "$body")" >&2
    exit 1
}
