#!/usr/bin/env bash
# The kitchen and the courier say everything twice; the second time changes nothing.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

furnish
place_order
await_state "$order" PREPARING

# again ACTION: succeeds, and changes nothing.
again() {
    local url before
    url=$(action_url "$1")
    request GET "$VIEW/orders/$order"
    before=$(jq -S '{state, version, ticket, payment, kitchen, delivery}' <<<"$answer")
    for _ in 1 2 3; do
        expect 200 POST "$url" "{\"orderId\":\"$order\"}"
        holds "/$1 again changes nothing" '.changed == []'
    done
    request GET "$VIEW/orders/$order"
    same "the order stays as it is" "$before" "$(jq -S '{state, version, ticket, payment, kitchen, delivery}' <<<"$answer")"
}

act kitchen/ready "$order"
await_state "$order" READY
shows "$order" 'all of it is shown' '[.ticket.state, .payment.state, .delivery.state] == ["READY", "CAPTURED", null]'
again kitchen/ready

act delivery/pickedup "$order"
await_state "$order" PICKEDUP
shows "$order" 'all of it is shown' '.ticket.state == "PICKEDUP" and .delivery.state == "PICKEDUP"'
again delivery/pickedup
again kitchen/ready

act delivery/complete "$order"
await_state "$order" COMPLETE
shows "$order" 'all of it is shown' '.ticket.state == "COMPLETE" and .delivery.state == "COMPLETE"'
again delivery/complete
again delivery/pickedup
again kitchen/ready

# Many at once: one of them does it.
place_order
await_state "$order" PREPARING
for action in kitchen/ready delivery/pickedup delivery/complete; do
    name=${action//\//-}
    if [[ $action == delivery/pickedup ]]; then await_delivery "$order"; fi
    jq -cn --arg url "$(action_url "$action")" --arg order "$order" 'range(20) | {url: $url, body: {orderId: $order}}' | crowd "$name" 20
    all_answered "$name" 200 20
    same "/$action by twenty at once changes it once" "[\"$order\"]" "$(cat "$room/$name"/*.json | jq -cs 'map(.changed) | add')"
done
await_state "$order" COMPLETE

expect 200 GET "$ORDERS/orders/$order/saga"
holds 'each of them happened once' \
    '[.steps[] | select(.attempts == 0) | [.records[] | select(.what == "HAPPENED" or .what == "KEPT" or .what == "STALE")] | length] | length == 3'
expect 200 GET "$GATEWAY/v1/ledger?reference=$order"
holds 'the money was taken once' '[.entries[].kind] == ["HOLD", "CHARGE"]'

audit_clean
