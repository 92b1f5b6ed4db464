# shellcheck shell=bash
# What a suite (test/suites/NAME) begins with: counting, and the conversion of other tools' counts.
# Every suite ends by calling suite_end, which prints `N passed, N failed`.

# shellcheck source=deploy/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/lib/common.sh"
cd "$top" || exit 1
trust_this_machine

suite_passed=0
suite_failed=0

# check SENTENCE COMMAND…: one test. The command's output is shown only when it fails.
check() {
    local sentence=$1 output; shift
    if output=$("$@" 2>&1); then
        suite_passed=$((suite_passed + 1))
        printf 'ok      %s\n' "$sentence"
    else
        suite_failed=$((suite_failed + 1))
        printf 'FAILED  %s\n' "$sentence"
        sed 's/^/        /' <<<"$output"
    fi
}

# add_counts PASSED FAILED: tests that another tool has run.
add_counts() {
    suite_passed=$((suite_passed + $1))
    suite_failed=$((suite_failed + $2))
}

# suite_end: the final line, and the exit status.
suite_end() {
    printf '%d passed, %d failed\n' "$suite_passed" "$suite_failed"
    [ "$suite_failed" = 0 ] && [ "$suite_passed" -gt 0 ]
    exit
}

# last_counts FILE: the numbers of the last line `N passed, N failed` in a tool's output, as two words.
last_counts() { sed -n 's/^\([0-9]\{1,\}\) passed, \([0-9]\{1,\}\) failed$/\1 \2/p' "$1" | tail -n 1; }

# run_counted COMMAND…: a program that ends with that line itself.
run_counted() {
    local log status=0 counts
    log=$(mktemp)
    "$@" 2>&1 | tee "$log" || status=$?
    counts=$(last_counts "$log")
    rm -f "$log"
    # shellcheck disable=SC2086  # two words
    add_counts ${counts:-0 0}
    if [ "$status" != 0 ] && [ "$suite_failed" = 0 ]; then add_counts 0 1; fi
}

# run_pytest ARGUMENT…: Debian's pytest; an error counts as a failure, a skipped test not at all.
run_pytest() {
    local report counts status=0
    report=$(mktemp)
    /usr/bin/python3 -m pytest -q -p no:cacheprovider --junitxml="$report" "$@" || status=$?
    counts=$(/usr/bin/python3 - "$report" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
try:
    suites = tree.parse(sys.argv[1]).getroot().iter("testsuite")
    total = {name: 0 for name in ("tests", "failures", "errors", "skipped")}
    for suite in suites:
        for name in total:
            total[name] += int(suite.get(name, 0))
    failed = total["failures"] + total["errors"]
    print(total["tests"] - failed - total["skipped"], failed)
except tree.ParseError:
    print(0, 1)
PYTHON
    )
    rm -f "$report"
    # shellcheck disable=SC2086  # two words
    add_counts $counts
    if [ "$status" != 0 ] && [ "$suite_failed" = 0 ]; then add_counts 0 1; fi
}
