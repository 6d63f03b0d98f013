#!/usr/bin/env bash
# What a restaurant cannot cook, or will not, is refused with the reason; no money is touched.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

furnish

# rejected CODE: `order` ends at the restaurant.
rejected() {
    await_state "$order" REJECTED
    holds "the restaurant says why: $1" \
        ".rejection.by == \"restaurant\" and .rejection.reason.code == \"$1\" and (.rejection.reason.detail | length > 0)"
    holds 'nobody cooks or pays' '[.payment, .kitchen, .delivery] == [null, null, null]'
    expect 200 GET "$ORDERS/orders/$order/saga"
    holds 'payment and kitchen were not asked' \
        '[.steps[] | select(.attempts > 0) | .step] == ["verify customer", "create ticket"]'
    expect 200 GET "$PAYMENTS/payments?orderId=$order"
    holds 'there is no payment' '.payments == []'
}

place_order "{restaurantId: \"$NOBODY\"}"
rejected RESTAURANT_UNKNOWN

place_order "{orderItems: [{menuItemId: \"$NOBODY\", quantity: 1}]}"
rejected ITEM_UNKNOWN

place_order "{orderItems: [{menuItemId: \"$dish\", quantity: 1}, {menuItemId: \"$NOBODY\", quantity: 1}]}"
rejected ITEM_UNKNOWN

dish=$(new_dish "$restaurant" 'Sold out' 900 ',"available":false')
place_order
rejected ITEM_UNAVAILABLE

restaurant=$(new_restaurant ',"minimumOrder":{"amount":2501,"currency":"EUR"}')
dish=$(new_dish "$restaurant" 'Cheap soup' 1250)
open=$restaurant
place_order
rejected BELOW_MINIMUM_ORDER

restaurant=$(new_restaurant ',"openingHours":[]')
dish=$(new_dish "$restaurant" 'Soup of tomorrow' 1250)
place_order
rejected RESTAURANT_CLOSED
restaurant=$open

# One cent more, and it is enough.
dish=$(new_dish "$restaurant" 'Soup' 1251)
place_order
await_state "$order" PREPARING

audit_clean
