#!/usr/bin/env bash
# unfinished.sh [ORDERS]: a consumer dies over what it has polled and not committed, long after it has polled it: its database
# makes it wait, by rows that somebody holds. Whoever takes its place sees all of it again.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

count=${1:-20}
need_platform
await_ready 60
began=$(($(now) - 1000))
furnish

# While they are held, offsets that were stored too early are committed: that happens every second.
HELD=6
BEFORE_THE_KILL=3

# dies_over ACTION PROCESS TABLE KEY: the process gets messages about orders whose rows are held, and dies over them.
dies_over() {
    local action=$1 process=$2 table=$3 key=$4 list holding pid
    list=$(sed "s/.*/'&'/" "$room/placed.ids" | paste -sd,)
    execute "$process" "DO \$\$ BEGIN PERFORM 1 FROM $table WHERE $key IN ($list) ORDER BY $key FOR UPDATE; PERFORM pg_sleep($HELD); END \$\$" &
    holding=$!
    sleep 1
    act_crowd "$action" "$room/placed.ids" 10
    sleep "$BEFORE_THE_KILL"
    pid=$(pid_of "$process")
    if kill -0 "$holding" 2>/dev/null; then pass "$process waits for its rows"; else fail "nobody held the rows of $process"; fi
    kill -KILL "$pid"
    note "killed $process (pid $pid)"
    wait "$holding"
    await_ready 60
}

place_crowd placed "$count" 10
await_all "$room/placed.ids" PREPARING 60
dies_over kitchen/ready order-view order_views order_id
await_all "$room/placed.ids" READY 60
await_deliveries "$room/placed.ids" 60
dies_over delivery/pickedup order-service sagas saga_id
await_all "$room/placed.ids" PICKEDUP 60
act_crowd delivery/complete "$room/placed.ids" 10
await_all "$room/placed.ids" COMPLETE 60

invariants "$room/placed.ids" "$began"
