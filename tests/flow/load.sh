#!/usr/bin/env bash
# load.sh [ORDERS [CLIENTS]]: so many orders (500) by so many clients at once (50), all the way to COMPLETE, each once.
# The kitchen and the couriers act on all orders that are due, others than these included.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

count=${1:-500}
clients=${2:-50}
if ! [[ $count =~ ^[0-9]+$ && $clients =~ ^[0-9]+$ ]] || ((count < 1 || count > 20000 || clients < 1 || clients > 200)); then
    die "usage: load.sh [ORDERS (1 to 20000) [CLIENTS (1 to 200)]]"
fi
need_platform
limit=$((60 + count / 10))
began=$(($(now) - 1000))
furnish
ids=$room/placed.ids

# lap WHAT: tells the time since the last lap.
start=$(now)
lap() {
    local moment
    moment=$(now)
    note "$1 after $((moment - start)) ms"
    start=$moment
}

place_crowd placed "$count" "$clients"
lap "$count orders by $clients clients: all answered"
await_all "$ids" PREPARING "$limit"
lap 'all PREPARING in the view'

# all_due ACTION: without a body, for all that are due.
all_due() {
    expect 200 POST "$(action_url "$1")"
    jq -r '.changed[]' <<<"$answer" | sort >"$room/changed"
    same "/$1 changed all of them" 0 "$(comm -23 "$ids" "$room/changed" | wc -l | tr -d ' ')"
    expect 200 POST "$(action_url "$1")"
    same "/$1 again changes none of them" 0 "$(jq -r '.changed[]' <<<"$answer" | sort | comm -12 "$ids" - | wc -l | tr -d ' ')"
}
start=$(now)
all_due kitchen/ready
await_all "$ids" READY "$limit"
lap 'all READY'
await_deliveries "$ids" "$limit"
all_due delivery/pickedup
await_all "$ids" PICKEDUP "$limit"
lap 'all PICKEDUP'
all_due delivery/complete
await_all "$ids" COMPLETE "$limit"
lap 'all COMPLETE'

invariants "$ids" "$began"
lap 'invariants checked'
