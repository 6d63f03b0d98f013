#!/usr/bin/env bash
# A card that is declined: the ticket is taken back first, and only then is the order REJECTED.
# shellcheck disable=SC2154,SC2016
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

furnish

# rejected CODE: `order` ends at the payment, in the right order of things.
rejected() {
    await_state "$order" REJECTED
    holds "the payment says why: $1" ".rejection.by == \"payment\" and .rejection.reason.code == \"$1\""
    shows "$order" 'the ticket was taken back' '.ticket.state == "REJECTED"'
    holds 'nobody cooks' '[.kitchen, .delivery] == [null, null]'
    local ticket
    ticket=$(field .ticket.ticketId)
    expect 200 GET "$RESTAURANTS/tickets/$ticket"
    holds 'the restaurant has it REJECTED' '.state == "REJECTED"'
    expect 200 GET "$ORDERS/orders/$order/saga"
    holds 'the saga is rolled back, and forgot nothing' '.state == "ROLLED_BACK" and .awaiting == null and .remaining == []'
    holds 'the payment was refused once' \
        '[.steps[] | select(.step == "authorise payment") | .records[] | .what + " " + .kind] == ["SENT ORDER_CREATED", "REFUSED PAYMENT_REJECTED"]'
    holds 'the ticket was created, then undone' '[.steps[] | select(.step == "create ticket") | .records[] | select(.what != "ROLLED_BACK") | .what + " " + .kind]
        == ["SENT ORDER_CREATED", "GRANTED TICKET_CREATED", "UNDO_SENT ORDER_REJECTED", "UNDONE TICKET_REJECTED"]'
    holds 'refused, then undoing, then undone, then the end' '[.steps[].records[]]
        | (map(select(.what == "REFUSED")), map(select(.what == "UNDO_SENT")), map(select(.what == "UNDONE")), map(select(.what == "ROLLED_BACK")))
        | length == 1' 
    holds 'none of these before its cause' '[.steps[].records[]] as $all
        | [("REFUSED", "UNDO_SENT", "UNDONE", "ROLLED_BACK") as $what | $all[] | select(.what == $what) | .at] | . == sort and length == 4'
}

place_order "{paymentMethodId: \"$(new_payment_method "$customer" "$CARD_DECLINES")\"}"
rejected CARD_DECLINED
declined=$order
expect 200 GET "$PAYMENTS/payments?orderId=$order"
holds 'the payment is DECLINED' '[.payments[].state] == ["DECLINED"]'
expect 200 GET "$GATEWAY/v1/ledger?reference=$order"
holds 'no money was held' '[.entries[].kind] == ["DECLINE"]'

place_order "{paymentMethodId: \"$(new_payment_method "$customer" "$CARD_LACKS_FUNDS")\"}"
rejected INSUFFICIENT_FUNDS

place_order "{paymentMethodId: \"$NOBODY\"}"
rejected PAYMENT_METHOD_UNKNOWN

stranger=$(new_customer)
place_order "{paymentMethodId: \"$(new_payment_method "$stranger" "$CARD_APPROVES")\"}"
rejected PAYMENT_METHOD_FOREIGN

# What was said, in its own words: the ticket's REJECTED answers the order's, and the order's own follows.
need_platform
records --since "$(($(now) - 120000))" order-customer order-ticket order-reply |
    jq -cs --arg order "$declined" 'map(select(.key == $order)) | map({(.topic + " " + .headers.ce_type): .headers}) | add' >"$room/said"
holds 'the ticket is taken back in answer to ORDER_REJECTED' \
    '.["order-reply TICKET_REJECTED"].ce_causationid == .["order-ticket ORDER_REJECTED"].ce_id' "$(cat "$room/said")"
holds 'refused, told, taken back, and only then REJECTED' \
    '[.["order-reply PAYMENT_REJECTED", "order-ticket ORDER_REJECTED", "order-reply TICKET_REJECTED", "order-customer ORDER_CHANGED"].ce_time]
        | length == 4 and . == sort' "$(cat "$room/said")"

audit_clean
