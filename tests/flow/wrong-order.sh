#!/usr/bin/env bash
# Calls that come too early, or for orders that nobody knows.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"

furnish

# refused STATUS ACTION ORDER: a problem of this status.
refused() {
    expect "$1" POST "$(action_url "$2")" "{\"orderId\":\"$3\"}"
    same "/$2 answers a problem" application/problem+json "$media_type"
    holds "the problem has status and detail" ".status == $1 and (.title | length > 0) and (.detail | length > 0)"
}

for action in kitchen/ready delivery/pickedup delivery/complete; do refused 404 "$action" "$NOBODY"; done

place_order
await_state "$order" PREPARING
refused 404 delivery/pickedup "$order"
refused 404 delivery/complete "$order"
request GET "$VIEW/orders/$order"
holds 'nothing changed' '.state == "PREPARING" and .delivery == null'

act kitchen/ready "$order"
await_state "$order" READY
# From the moment on that the courier's service has heard of it, it is a wrong state, no longer unknown.
await_delivery "$order"
refused 409 delivery/complete "$order"
holds 'the problem names both states' '.detail | contains("READY") and contains("COMPLETE")'

act delivery/pickedup "$order"
act delivery/complete "$order"
await_state "$order" COMPLETE

expect 404 GET "$ORDERS/orders/$NOBODY"
expect 404 GET "$ORDERS/orders/$NOBODY/saga"
expect 404 GET "$VIEW/orders/$NOBODY"
expect 404 GET "$VIEW/tickets/$NOBODY"
expect 404 GET "$RESTAURANTS/tickets/$NOBODY"
expect 404 GET "$RESTAURANTS/restaurants/$NOBODY"
expect 404 GET "$RESTAURANTS/restaurants/$NOBODY/menu"
expect 404 GET "$CUSTOMERS/customers/$NOBODY"
expect 404 POST "$CUSTOMERS/customers/$NOBODY/suspend"
expect 404 POST "$CUSTOMERS/customers/$NOBODY/resume"
expect 404 PUT "$RESTAURANTS/restaurants/$NOBODY/menu" '{"items":[{"name":"Soup","price":{"amount":1,"currency":"EUR"}}]}'
