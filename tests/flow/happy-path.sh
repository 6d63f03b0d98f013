#!/usr/bin/env bash
# One order through every state, seen from every service that has a word on it.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

furnish

need 201 POST "$ORDERS/orders" "$(order_body)" --include
same 'the answer names its place' "/orders/$(jq -r .orderId <<<"${answer##*$'\r\n'}")" \
    "$(tr -d '\r' <<<"$answer" | sed -n 's/^[Ll]ocation: //p')"
answer=${answer##*$'\r\n'}
holds 'a new order is PENDING' '.state == "PENDING" and .version >= 1'
order=$(field .orderId)
placed=$(field .version)

request GET "$VIEW/orders/$order?atLeast=$placed"
holds 'the view waits for the version that the write returned' ".version >= $placed"

await_state "$order" PREPARING
holds 'the view has priced the order from the menu' '.total == {amount: 2500, currency: "EUR"}'
holds 'the view knows who ordered what from whom' \
    ".customerId == \"$customer\" and .restaurantId == \"$restaurant\" and .items[0].menuItemId == \"$dish\" and .items[0].quantity == 2"
shows "$order" 'the ticket is PREPARING' '.ticket.state == "PREPARING"'
shows "$order" 'the money is held' '.payment.state == "AUTHORISED"'
shows "$order" 'the kitchen is PREPARING' '.kitchen.state == "PREPARING"'
holds 'there is no delivery yet' '.delivery == null'
holds 'the view says how fresh it is' '.asOf | type == "string"'
ticket=$(field .ticket.ticketId)

expect 200 GET "$PAYMENTS/payments?orderId=$order"
holds 'one payment, a hold of the total' \
    '[.payments[] | {state, amount}] == [{state: "AUTHORISED", amount: {amount: 2500, currency: "EUR"}}]'
same 'the kitchen lists the order' "$order" \
    "$(listed "$KITCHEN/kitchen/cooks?state=PREPARING&limit=500" '.cooks[].orderId' | grep -Fx "$order")"

act kitchen/ready "$order"
await_state "$order" READY
shows "$order" 'the ticket is READY' '.ticket.state == "READY"'
shows "$order" 'the money is taken' '.payment.state == "CAPTURED"'
shows "$order" 'the kitchen is READY' '.kitchen.state == "READY"'

act delivery/pickedup "$order"
await_state "$order" PICKEDUP
shows "$order" 'the ticket is PICKEDUP' '.ticket.state == "PICKEDUP"'
shows "$order" 'the delivery is PICKEDUP' '.delivery.state == "PICKEDUP"'

act delivery/complete "$order"
await_state "$order" COMPLETE
shows "$order" 'everything has come to its end' \
    '[.ticket.state, .payment.state, .kitchen.state, .delivery.state] == ["COMPLETE", "CAPTURED", "READY", "COMPLETE"]'
holds 'nobody rejected anything' '.rejection == null'

expect 200 GET "$ORDERS/orders/$order"
holds 'its owner says the same' '.state == "COMPLETE" and .total.amount == 2500'
expect 200 GET "$ORDERS/orders/$order/saga"
holds 'the saga is over' '.state == "COMPLETED" and .awaiting == null and .remaining == []'
holds 'the saga went through its steps, in their order' '[.steps[].step] == [
    "verify customer", "create ticket", "authorise payment", "approve ticket", "cook", "prepare ticket", "cooked",
    "capture payment", "ready ticket", "picked up", "pick up ticket", "delivered", "complete ticket"]'
holds 'every command was sent once and granted once' \
    '[.steps[] | select(.attempts > 0) | [.records[].what] | (map(select(. == "SENT")), map(select(. == "GRANTED"))) | length]
        | length == 20 and all(. == 1)'

expect 200 GET "$RESTAURANTS/tickets/$ticket"
holds 'the restaurant has its ticket' ".state == \"COMPLETE\" and .orderId == \"$order\" and .total.amount == 2500"
expect 200 GET "$VIEW/tickets/$ticket"
holds 'the view has the ticket' ".state == \"COMPLETE\" and .orderId == \"$order\""
expect 200 GET "$VIEW/orders?customerId=$customer"
holds 'the view lists the order for its customer' "[.orders[].orderId] == [\"$order\"]"
expect 200 GET "$VIEW/orders?restaurantId=$restaurant&state=COMPLETE"
holds 'the view lists the order for its restaurant' "[.orders[].orderId] == [\"$order\"]"
expect 200 GET "$VIEW/tickets?restaurantId=$restaurant&state=COMPLETE"
holds 'the view lists the ticket for its restaurant' "[.tickets[].ticketId] == [\"$ticket\"]"
expect 200 GET "$PAYMENTS/payments?orderId=$order"
holds 'one payment, captured' '[.payments[].state] == ["CAPTURED"]'
expect 200 GET "$GATEWAY/v1/ledger?reference=$order"
holds 'the gateway held once and charged once' \
    '[.entries[] | [.kind, .amount]] == [["HOLD", 2500], ["CHARGE", 2500]]'

audit_clean
