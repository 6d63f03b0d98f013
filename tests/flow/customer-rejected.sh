#!/usr/bin/env bash
# A customer who is unknown or suspended gets nothing, and nobody else is asked.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"

furnish

# rejected CODE: `order` ends at the check of the customer.
rejected() {
    await_state "$order" REJECTED
    holds "the customer check says why: $1" ".rejection.by == \"customer\" and .rejection.reason.code == \"$1\""
    holds 'there is no ticket, payment, cook or delivery' '[.ticket, .payment, .kitchen, .delivery] == [null, null, null, null]'
    expect 200 GET "$ORDERS/orders/$order/saga"
    holds 'only the customer was asked' '[.steps[] | select(.attempts > 0) | .step] == ["verify customer"]'
    holds 'the saga is over' '.state == "ROLLED_BACK" and .awaiting == null'
    expect 200 GET "$PAYMENTS/payments?orderId=$order"
    holds 'there is no payment' '.payments == []'
    expect 404 POST "$KITCHEN/kitchen/ready" "{\"orderId\":\"$order\"}"
}

place_order "{customerId: \"$NOBODY\"}"
rejected CUSTOMER_UNKNOWN

expect 200 POST "$CUSTOMERS/customers/$customer/suspend"
place_order
rejected CUSTOMER_SUSPENDED

expect 200 POST "$CUSTOMERS/customers/$customer/resume"
place_order
await_state "$order" PREPARING
