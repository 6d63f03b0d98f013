#!/usr/bin/env bash
# run.sh [SCRIPT…]: all flow scripts, or those named, against the platform that PORT_OFFSET and PLATFORM_DIR name. The
# ones that mind their own orders run beside each other; those that act on everybody's, or kill, run alone, at the end.
#
#   JOBS   how many run at once (default 3)
set -euo pipefail

flow=$(cd "$(dirname "$0")" && pwd)
TOGETHER=(standard-endpoints happy-path bad-input customer-rejected ticket-rejected payment-rejected cancel cancel-races repeated-calls wrong-order)
ALONE=(messages silence load idempotency rebuild kill unfinished outage dead-letters)
jobs_at_once=${JOBS:-3}
room=$(mktemp -d "${TMPDIR:-/tmp}/flow.XXXXXXXX")
trap 'rm -rf "$room"' EXIT
# Each script is a process group: told to stop, it stops with all that it started, and cleans up behind itself.
set -m
# shellcheck disable=SC2317
stop() {
    local group
    for group in $(jobs -p); do kill -TERM -- "-$group" || true; done
    wait
    exit 143
}
trap stop INT TERM

# start NAME: runs a script; what it prints is shown when it fails, its last line always.
start() {
    local name=$1 code=0
    "$flow/$name.sh" >"$room/$name.out" 2>&1 || code=$?
    if ((code != 0)); then
        cat "$room/$name.out"
    else
        tail -n 1 "$room/$name.out"
    fi
}

together=()
alone=()
names=("${@:-}")
if [[ -z ${names[0]} ]]; then names=("${TOGETHER[@]}" "${ALONE[@]}"); fi
for name in "${names[@]}"; do
    name=$(basename "$name" .sh)
    if [[ ! -x $flow/$name.sh ]]; then echo "there is no script $name" >&2 && exit 2; fi
    if [[ " ${ALONE[*]} latency " == *" $name "* ]]; then alone+=("$name"); else together+=("$name"); fi
done

for name in ${together[@]+"${together[@]}"}; do
    while (($(jobs -rp | wc -l) >= jobs_at_once)); do sleep 0.05; done
    start "$name" &
done
wait
for name in ${alone[@]+"${alone[@]}"}; do
    start "$name" &
    wait
done

# The last line of each script is `NAME: N passed, N failed`. One that has none did not get so far.
totals=(0 0)
for name in "${names[@]}"; do
    name=$(basename "$name" .sh)
    if [[ $(tail -n 1 "$room/$name.out") =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        totals=($((totals[0] + BASH_REMATCH[1])) $((totals[1] + BASH_REMATCH[2])))
    else
        echo "FAILED $name.sh: it did not come to its end"
        totals[1]=$((totals[1] + 1))
    fi
done
printf '%d passed, %d failed\n' "${totals[@]}"
exit $((totals[1] > 0))
