#!/usr/bin/env bash
# What is on the five topics: readable messages with the documented headers, keyed by the order. And what is nowhere, in
# no message, table or log: a card number.
# shellcheck disable=SC2154,SC2034
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"
need_platform

began=$(($(now) - 1000))
furnish
place_order
await_state "$order" PREPARING
act kitchen/ready "$order"
act delivery/pickedup "$order"
act delivery/complete "$order"
await_state "$order" COMPLETE
complete=$order
method=$(new_payment_method "$customer" "$CARD_DECLINES")
place_order
await_state "$order" REJECTED
trace=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
method=$(new_payment_method "$customer" '5555 5555 5555 4444')
need 201 POST "$ORDERS/orders" "$(order_body)" --header "traceparent: 00-$trace-00f067aa0ba902b7-01"
traced=$(field .orderId)
await_state "$traced" PREPARING

records --since "$began" "${TOPICS[@]}" >"$room/all"
note "$(wc -l <"$room/all" | tr -d ' ') records since this began"

# every WHAT FILTER: true of each record, of whichever order.
every() {
    local wrong
    wrong=$(jq -c "select(($2) | not)" "$room/all" | few)
    same "every record: $1" '' "$wrong"
}
uuid='^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
every 'ce_id is a UUID v7' ".headers.ce_id | test(\"$uuid\")"
every 'ce_specversion is 1.0' '.headers.ce_specversion == "1.0"'
every 'ce_type is an upper-case word' '.headers.ce_type | test("^[A-Z]+(_[A-Z]+)*$")'
every 'ce_source is there' '.headers.ce_source | length > 0'
every 'ce_subject is the key' '.headers.ce_subject == .key'
every 'ce_time is RFC 3339 in UTC' \
    '.headers.ce_time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|\\+00:00)$")'
every 'ce_sequence is a version' '.headers.ce_sequence | test("^[1-9][0-9]*$")'
every 'ce_causationid, if there, is a UUID' ".headers.ce_causationid // \"$NOBODY\" | test(\"$uuid\")"
every 'traceparent is W3C trace context' '.headers.traceparent | test("^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")'
every 'the key is the id of the order in the value' '.value | type == "object" and .orderId != null'
every 'the key is that id' '.key == .value.orderId'
every 'the value tells the state of who speaks' '.value.state | test("^[A-Z_]+$")'
every 'the payment method is on order-payment only' \
    '.topic == "order-payment" or ([.. | objects | has("paymentMethodId")] | any | not)'
every 'nothing of a card is in it' '[.. | objects | keys[] | ascii_downcase | select(test("card|cvc|holder|token"))] == []'

# types ORDER TOPIC: the types of an order's messages, each id once, in their order.
types() {
    jq -rs --arg order "$1" --arg topic "$2" 'map(select(.key == $order and .topic == $topic))
        | reduce .[] as $record ([]; if any(.[]; .headers.ce_id == $record.headers.ce_id) then . else . + [$record] end)
        | map(.headers.ce_type) | join(" ")' "$room/all"
}
same 'order-customer' 'ORDER_CREATED ORDER_CHANGED ORDER_CHANGED ORDER_CHANGED ORDER_CHANGED' "$(types "$complete" order-customer)"
same 'order-ticket' 'ORDER_CREATED ORDER_APPROVED ORDER_PREPARING ORDER_READY ORDER_PICKEDUP ORDER_COMPLETE' \
    "$(types "$complete" order-ticket)"
same 'order-payment' 'ORDER_CREATED ORDER_READY' "$(types "$complete" order-payment)"
same 'order-kitchen' 'ORDER_APPROVED' "$(types "$complete" order-kitchen)"
same 'order-reply, whatever their order' \
    "$(printf '%s\n' CUSTOMER_APPROVED TICKET_{CREATED,APPROVED,PREPARING,READY,PICKEDUP,COMPLETE} PAYMENT_{APPROVED,CAPTURED} \
        KITCHEN_{PREPARING,READY} DELIVERY_{PICKEDUP,COMPLETE} | sort)" \
    "$(types "$complete" order-reply | tr ' ' '\n' | sort)"
same 'a rejected order ends with its rejection' 'ORDER_CREATED ORDER_CHANGED' "$(types "$order" order-customer)"
same 'a rejected order takes its ticket back' 'ORDER_CREATED ORDER_REJECTED' "$(types "$order" order-ticket)"
same 'every answer names the message that it answers' '[]' "$(jq -cs 'map(.headers.ce_id) as $ids
    | map(select(.headers.ce_type | test("^(CUSTOMER|TICKET|PAYMENT)_|KITCHEN_PREPARING")) | .headers.ce_causationid
        | select(. == null or (. as $id | $ids | index($id) == null)))
    ' <(jq -c --arg order "$complete" 'select(.key == $order)' "$room/all"))"
same 'one order is one trace, that of its request' "[\"$trace\"]" \
    "$(jq -cs --arg order "$traced" 'map(select(.key == $order) | .headers.traceparent[3:35]) | unique' "$room/all")"

same 'nobody has parked a message' '' "$(records --since "$began" "${DEAD_LETTERS[@]}" | few)"

# All cards that any flow script types, in both spellings, in every database, record and log.
needles=()
for number in "$CARD_APPROVES" "$CARD_APPROVES_TOO" "$CARD_DECLINES" "$CARD_LACKS_FUNDS"; do
    needles+=("$number" "${number:0:4} ${number:4:4} ${number:8:4} ${number:12:4}" "${number:0:4}-${number:4:4}-${number:8:4}-${number:12:4}")
done
while read -r process url; do
    same "no table of $process holds a card number" '[]' "$("$PROBE" database search "$url" "${needles[@]}")"
done < <(databases)
printf '%s\n' "${needles[@]}" >"$room/needles"
records "${TOPICS[@]}" "${DEAD_LETTERS[@]}" >"$room/everything"
same 'no record holds a card number' '' "$({ grep -Ff "$room/needles" "$room/everything" || true; } | few)"
same 'no log holds a card number' '' "$(grep -rlFf "$room/needles" "$PLATFORM_DIR/logs" || true)"
same 'no log holds the name on the card' '' "$(grep -rl 'Flow Test' "$PLATFORM_DIR/logs" || true)"

audit_clean --wait "$PATIENCE"
