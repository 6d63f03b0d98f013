#!/usr/bin/env bash
# Whoever ordered thinks better of it: at every moment, twice, too late, and in a race with the kitchen. An order ends
# CANCELLED with nothing held, cooked or delivered, or COMPLETE with everything: nothing in between.
# shellcheck disable=SC2154,SC2016
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

furnish

# cancel ORDER STATUS
cancel() { expect "$2" POST "$ORDERS/orders/$1/cancel"; }

# ledger ORDER: what the gateway has on an order, as words.
ledger() {
    request GET "$GATEWAY/v1/ledger?reference=$1"
    jq -c '[.entries[].kind]' <<<"$answer"
}

# While it is being cooked: the kitchen decides.
place_order
await_state "$order" PREPARING
cancel "$order" 202
holds 'the order is locked' '.state == "CANCEL_PENDING" or .state == "CANCELLED"'
await_state "$order" CANCELLED
shows "$order" 'ticket, payment and kitchen followed' \
    '[.ticket.state, .payment.state, .kitchen.state, .delivery] == ["CANCELLED", "VOIDED", "CANCELLED", null]'
holds 'nobody refused it' '.rejection == null'
expect 200 GET "$ORDERS/orders/$order/saga"
holds 'the kitchen was asked, then hold and ticket were undone in reverse order' \
    '[.steps[].records[] | select(.what | IN("CANCEL_ASKED", "ARBITER_ASKED", "CANCEL_GRANTED", "UNDO_SENT", "UNDONE", "ROLLED_BACK"))] | sort_by(.number) | map(.what)
        == ["CANCEL_ASKED", "ARBITER_ASKED", "CANCEL_GRANTED", "UNDO_SENT", "UNDONE", "UNDO_SENT", "UNDONE", "ROLLED_BACK"]'
holds 'the saga is rolled back' '.state == "ROLLED_BACK" and .remaining == [] and .cancelling'
same 'the gateway let go what it held' '["HOLD","VOID"]' "$(ledger "$order")"
cancel "$order" 202
holds 'asked again, it is the same cancellation' '.state == "CANCELLED"'
expect 409 POST "$KITCHEN/kitchen/ready" "{\"orderId\":\"$order\"}"
expect 404 POST "$DELIVERY/delivery/pickedup" "{\"orderId\":\"$order\"}"

# Too late.
place_order
await_state "$order" PREPARING
act kitchen/ready "$order"
await_state "$order" READY
cancel "$order" 409
holds 'it says why' '.detail | test("READY")'
act delivery/pickedup "$order"
await_state "$order" PICKEDUP
cancel "$order" 409
act delivery/complete "$order"
await_state "$order" COMPLETE
cancel "$order" 409
same 'what was delivered was paid for' '["HOLD","CHARGE"]' "$(ledger "$order")"

# Rejected, and never heard of.
place_order "{paymentMethodId: \"$NOBODY\"}"
await_state "$order" REJECTED
cancel "$order" 409
cancel "$NOBODY" 404
request POST "$ORDERS/orders/not-an-id/cancel"
same 'a malformed id is a 400 or 422' yes "$([[ $answered == 4?? ]] && echo yes)"

# At every moment of the way to the kitchen.
for delay in 0 0.002 0.005 0.01 0.015 0.02 0.025 0.03 0.035 0.04 0.05 0.07 0.1; do
    place_order
    sleep "$delay"
    cancel "$order" 202
    await_state "$order" CANCELLED
    same "cancelled after $delay s, nothing is charged or still held" yes \
        "$([[ $(ledger "$order") =~ ^(\[\]|\[\"HOLD\",\"VOID\"\]|\[\"VOID\"\])$ ]] && echo yes || ledger "$order")"
done

# In a race with the kitchen: whoever is first decides, and both hear of it.
cancelled=0
for round in {1..20}; do
    place_order
    await_state "$order" PREPARING
    curl -s -o "$room/ready" -w '%{http_code}' "$KITCHEN/kitchen/ready" -H 'content-type: application/json' -d "{\"orderId\":\"$order\"}" >"$room/ready.code" &
    curl -s -o "$room/cancel" -w '%{http_code}' -X POST "$ORDERS/orders/$order/cancel" >"$room/cancel.code" &
    curl -s -o "$room/again" -w '%{http_code}' -X POST "$ORDERS/orders/$order/cancel" >"$room/again.code" &
    wait
    if [[ $(cat "$room/ready.code") == 200 && $(jq '.changed | length' "$room/ready") == 1 ]]; then
        act delivery/pickedup "$order"
        act delivery/complete "$order"
        await_state "$order" COMPLETE
        same "round $round: delivered and paid for" '["HOLD","CHARGE"]' "$(ledger "$order")"
    else
        await_state "$order" CANCELLED
        same "round $round: cancelled and let go" '["HOLD","VOID"]' "$(ledger "$order")"
        cancelled=$((cancelled + 1))
    fi
done
echo "in the race with the kitchen, $cancelled of 20 were cancelled in time"

audit_clean
