# Checks: counted, told with script and line when they fail, summed up in the last line.
# shellcheck shell=bash disable=SC2154

script=${0##*/}
passed=0
failed=0

# The line of the script that led here, however deep in the library.
place() {
    local depth
    for ((depth = 1; depth < ${#BASH_SOURCE[@]}; depth++)); do
        if [[ ${BASH_SOURCE[depth]} == "$0" ]]; then
            printf '%s:%d' "$script" "${BASH_LINENO[depth - 1]}"
            return
        fi
    done
    printf '%s' "$script"
}

# pass WHAT
pass() {
    passed=$((passed + 1))
    if [[ -n ${VERBOSE:-} ]]; then printf '  ok  %s\n' "$1"; fi
}

# fail WHAT [DETAIL]…: counts it and goes on.
fail() {
    failed=$((failed + 1))
    printf 'FAILED %s: %s\n' "$(place)" "$1" >&2
    shift
    if (($#)); then printf '    %.2000s\n' "$@" >&2; fi
}

# die WHAT [DETAIL]…: for what everything after it rests on.
die() {
    fail "$@"
    exit 1
}

# same WHAT EXPECTED ACTUAL
same() {
    if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1" "expected: $2" "found:    $3"; fi
}

# holds WHAT FILTER [JSON]: a jq filter is true for the JSON, by default the last answer.
holds() {
    local json=${3-$answer}
    if jq -e "$2" <<<"$json" >/dev/null 2>&1; then
        pass "$1"
    else
        fail "$1" "not true: $2" "of: $json"
    fi
}

# few: the first lines, for telling; it reads them all, so that nobody in front of it finds a closed pipe.
few() { sed -n '1,3p'; }

# note TEXT: progress, for whoever watches.
note() { printf '%s: %s\n' "$script" "$1"; }

finish() {
    local code=$?
    trap - EXIT
    # A command that failed was told where it did, perhaps in a subshell, whose counts are lost.
    if [[ $failed == 0 && ($code != 0 || -e $room/broken) ]]; then failed=1; fi
    rm -rf "$room"
    printf '%s: %d passed, %d failed\n' "$script" "$passed" "$failed"
    exit $((failed > 0))
}
trap finish EXIT
trap 'touch "$room/broken"; printf "FAILED %s: a command failed: %s\n" "$(place)" "$BASH_COMMAND" >&2' ERR
trap 'exit 130' INT
trap 'exit 143' TERM
