#!/usr/bin/env bash
# Every kind of bad input is a 4xx problem that names the field; nothing of it is stored, and no card number comes back.
# shellcheck disable=SC2154,SC2016
source "$(dirname "$0")/lib.sh"

furnish
mark=$(unique)
long=$(head -c 70000 /dev/zero | tr '\0' x)

# refuse STATUS FIELD METHOD URL [BODY [CURL OPTION]…]: a problem of this status that names the field; `-`: there is
# none; `*`: one, whatever it is called.
refuse() {
    local status=$1 name=$2 body=${5-}
    shift 2
    if ((${#body} > 200)); then body="${body:0:100}… (${#body} characters)"; fi
    request "$@"
    local what="$1 $2 $body → $status"
    if [[ $answered != "$status" ]]; then
        fail "$what expected, $answered came" "answered: $answer"
        return
    fi
    if [[ $media_type != application/problem+json ]]; then fail "$what is a problem" "Content-Type: $media_type"; fi
    holds "$what has title, status and detail" ".status == $status and (.title | length > 0) and (.detail | length > 0)"
    if [[ $name == '*' ]]; then
        holds "$what names a field" '.errors | length > 0'
    elif [[ $name != - ]]; then
        holds "$what names $name" ".errors | map(.field) | index(\"$name\") != null"
    fi
    if grep -Eq '4242424242424242|4242 4242|5555555555554444|4000000000000002' <<<"$answer"; then
        fail "$what does not repeat a card number" "answered: $answer"
    fi
}

# --- what is true of every path that takes a body
takes_json() {
    local method=$1 url=$2 good=$3
    refuse 400 - "$method" "$url" '{'
    refuse 400 - "$method" "$url" 'no json at all'
    refuse 400 - "$method" "$url" "$good$good"
    refuse 422 - "$method" "$url" '[]'
    refuse 422 - "$method" "$url" '"text"'
    refuse 422 - "$method" "$url" 'null'
    refuse 422 surprise "$method" "$url" "$(jq -c '. + {surprise: 1}' <<<"$good")"
    refuse 413 - "$method" "$url" "$(jq -c --arg long "$long" '. + {surprise: $long}' <<<"$good")"
    refuse 415 Content-Type "$method" "$url" "$good" --header 'Content-Type: text/plain'
    refuse 415 Content-Type "$method" "$url" "$good" --header 'Content-Type:'
    refuse 415 Content-Type "$method" "$url" 'a=1' --header 'Content-Type: application/x-www-form-urlencoded'
}
takes_json POST "$ORDERS/orders" "$(order_body)"
takes_json POST "$CUSTOMERS/customers" "{\"name\":\"$mark\",\"email\":\"$mark@example.org\"}"
takes_json POST "$RESTAURANTS/restaurants" "{\"name\":\"$mark\",\"currency\":\"EUR\"}"
takes_json PUT "$RESTAURANTS/restaurants/$restaurant/menu" "{\"items\":[{\"name\":\"$mark\",\"price\":{\"amount\":1,\"currency\":\"EUR\"}}]}"
takes_json POST "$PAYMENTS/payment-methods" "$(card "$customer" "$CARD_APPROVES")"
takes_json POST "$KITCHEN/kitchen/ready" "{\"orderId\":\"$NOBODY\"}"
takes_json POST "$DELIVERY/delivery/pickedup" "{\"orderId\":\"$NOBODY\"}"
takes_json POST "$DELIVERY/delivery/complete" "{\"orderId\":\"$NOBODY\"}"

# --- orders
refuse_order() { refuse 422 "$1" POST "$ORDERS/orders" "$(order_body "$2")"; }
for quantity in 0 -1 101 1000000 9223372036854775807 1.5 '"2"' null '[]'; do
    refuse_order 'orderItems[0].quantity' "{orderItems: [{menuItemId: \$dish, quantity: $quantity}]}"
done
refuse_order orderItems '{orderItems: []}'
refuse_order orderItems '{orderItems: null}'
refuse_order orderItems '{orderItems: [range(51) | {menuItemId: "01890000-0000-7000-8000-\(1000000000000 + . | tostring | .[1:])", quantity: 1}]}'
refuse_order orderItems '{orderItems: [{menuItemId: $dish, quantity: 1}, {menuItemId: $dish, quantity: 1}]}'
refuse_order 'orderItems[0].price' '{orderItems: [{menuItemId: $dish, quantity: 1, price: {amount: 1, currency: "EUR"}}]}'
refuse_order 'orderItems[0].quantity' '{orderItems: [{menuItemId: $dish}]}'
refuse_order 'orderItems[0].menuItemId' '{orderItems: [{menuItemId: "soup", quantity: 1}]}'
refuse_order state '{state: "COMPLETE"}'
refuse_order total '{total: {amount: 1, currency: "EUR"}}'
for id in customerId restaurantId paymentMethodId; do
    refuse_order "$id" "{$id: \"not-an-id\"}"
    refuse_order "$id" "{$id: \"$CARD_APPROVES\"}"
    refuse_order "$id" "{$id: 7}"
    refuse_order "$id" "{$id: null}"
    refuse 422 "$id" POST "$ORDERS/orders" "$(order_body | jq -c "del(.$id)")"
done
refuse 422 customerId POST "$ORDERS/orders" "{\"customerId\":\"$customer\",$(order_body | cut -c2-)"

# --- customers
refuse_customer() {
    refuse 422 "$1" POST "$CUSTOMERS/customers" \
        "$(jq -cn --arg mark "$mark" --arg long "${long:0:1000}" "{name: \$mark, email: \"\(\$mark)@example.org\"} + $2")"
}
refuse_customer name '{name: ""}'
refuse_customer name '{name: "   "}'
refuse_customer name '{name: $long}'
refuse_customer name '{name: 7}'
refuse_customer email '{email: "nobody"}'
refuse_customer email '{email: ""}'
refuse_customer email '{email: "\($long)@example.org"}'
refuse 422 email POST "$CUSTOMERS/customers" "{\"name\":\"$mark\"}"
refuse 422 name POST "$CUSTOMERS/customers" "{\"email\":\"$mark@example.org\"}"

# --- restaurants and menus
refuse_restaurant() {
    refuse 422 "$1" POST "$RESTAURANTS/restaurants" \
        "$(jq -cn --arg mark "$mark" --arg long "${long:0:1000}" "{name: \$mark, currency: \"EUR\"} + $2")"
}
refuse_restaurant name '{name: ""}'
refuse_restaurant name '{name: $long}'
refuse_restaurant currency '{currency: "euro"}'
refuse_restaurant currency '{currency: null}'
refuse_restaurant minimumOrder '{minimumOrder: {amount: -1, currency: "EUR"}}'
refuse_restaurant minimumOrder '{minimumOrder: {amount: 1, currency: "USD"}}'
refuse_menu() {
    refuse 422 "$1" PUT "$RESTAURANTS/restaurants/$restaurant/menu" \
        "$(jq -cn --arg mark "$mark" --arg long "${long:0:1000}" "{items: [{name: \$mark, price: {amount: 100, currency: \"EUR\"}} + $2]}")"
}
refuse_menu 'items[0].name' '{name: ""}'
refuse_menu 'items[0].name' '{name: $long}'
refuse_menu 'items[0].price' '{price: {amount: -1, currency: "EUR"}}'
refuse_menu 'items[0].price.currency' '{price: {amount: 100, currency: "USD"}}'
refuse_menu 'items[0].price.amount' '{price: {amount: "100", currency: "EUR"}}'
refuse_menu 'items[0].price.amount' '{price: {amount: 1.5, currency: "EUR"}}'
refuse_menu 'items[0].menuItemId' '{menuItemId: "soup"}'
refuse_menu 'items[0].available' '{available: "yes"}'
refuse_menu 'items[0].discount' '{discount: 5}'

# --- cards: Luhn, length, expiry, CVC, and numbers in the wrong fields
refuse_card() { refuse 422 "$1" POST "$PAYMENTS/payment-methods" "$(card "$customer" "$CARD_APPROVES" "$2")"; }
refuse_card cardNumber '{cardNumber: "4242424242424241"}'
refuse_card cardNumber '{cardNumber: "4242"}'
refuse_card cardNumber '{cardNumber: ""}'
refuse_card cardNumber '{cardNumber: "4242 4242 4242 4242 4242 4242"}'
refuse_card cardNumber '{cardNumber: "4242-4242-4242-424x"}'
refuse_card cardNumber '{cardNumber: 4242424242424242}'
refuse_card cardNumber '{cardNumber: "6304000000000000"}'
refuse_card expiryMonth '{expiryMonth: 0}'
refuse_card expiryMonth '{expiryMonth: 13}'
refuse_card expiryMonth '{expiryMonth: "12"}'
refuse_card expiryYear '{expiryYear: 2020}'
refuse_card expiryYear '{expiryYear: 99}'
refuse_card expiryYear '{expiryYear: 30000}'
refuse_card cvc '{cvc: "12"}'
refuse_card cvc '{cvc: "12345"}'
refuse_card cvc '{cvc: "abc"}'
refuse_card cvc '{cvc: "4242424242424242"}'
refuse_card holder '{holder: ""}'
refuse_card holder '{holder: "4242424242424242"}'
refuse_card customerId '{customerId: "4242424242424242"}'

# --- actions
for action in kitchen/ready delivery/pickedup delivery/complete; do
    refuse 422 orderId POST "$(action_url "$action")" '{}'
    refuse 422 orderId POST "$(action_url "$action")" '{"orderId":"soup"}'
    refuse 422 orderId POST "$(action_url "$action")" '{"orderId":null}'
    refuse 422 orderId POST "$(action_url "$action")" "{\"orderId\":[\"$NOBODY\"]}"
done

# --- malformed ids in paths, bad queries
for url in "$ORDERS/orders/soup" "$ORDERS/orders/soup/saga" "$CUSTOMERS/customers/soup" "$RESTAURANTS/restaurants/soup" \
    "$RESTAURANTS/restaurants/soup/menu" "$RESTAURANTS/tickets/soup" "$VIEW/orders/soup" "$VIEW/tickets/soup" \
    "$ORDERS/orders/${NOBODY}0" "$ORDERS/orders/%00" "$ORDERS/orders/%F0"; do
    refuse 400 '*' GET "$url"
done
refuse 400 '*' POST "$CUSTOMERS/customers/soup/suspend"
refuse 400 orderId GET "$PAYMENTS/payments?orderId=soup"
refuse 400 orderId GET "$PAYMENTS/payments"
refuse 400 surprise GET "$PAYMENTS/payments?orderId=$NOBODY&surprise=1"
refuse 400 state GET "$KITCHEN/kitchen/cooks?state=RAW"
refuse 400 limit GET "$KITCHEN/kitchen/cooks?limit=many"
refuse 422 limit GET "$KITCHEN/kitchen/cooks?limit=0"
refuse 422 limit GET "$KITCHEN/kitchen/cooks?limit=1000000"
refuse 400 state GET "$VIEW/orders?state=HUNGRY"
refuse 400 customerId GET "$VIEW/orders?customerId=soup"
refuse 400 limit GET "$VIEW/orders?limit=-1"
refuse 422 limit GET "$VIEW/orders?limit=0"
refuse 422 limit GET "$VIEW/orders?limit=1000000"
refuse 400 surprise GET "$VIEW/orders?surprise=1"
refuse 400 atLeast GET "$VIEW/orders/$NOBODY?atLeast=soup"
refuse 400 state GET "$VIEW/tickets?state=HUNGRY"

# --- none of it is anywhere
expect 200 GET "$VIEW/orders?customerId=$customer"
holds 'no order was taken' '.orders == []'
expect 200 GET "$RESTAURANTS/restaurants/$restaurant/menu"
holds 'the menu is what it was' "[.items[].menuItemId] == [\"$dish\"]"
need_platform
while read -r process url; do
    same "$process stored nothing of it" '[]' "$("$PROBE" database search "$url" "$mark")"
done < <(databases)
same 'order-service stored no order' '[{"count":0}]' \
    "$(query order-service "SELECT count(*) FROM orders WHERE customer_id = '$customer' OR restaurant_id = '$restaurant'" | jq -c .)"
same 'payment-service stored one payment method, the good one' '[{"count":1}]' \
    "$(query payment-service "SELECT count(*) FROM payment_methods WHERE customer_id = '$customer'" | jq -c .)"

# The services are none the worse for it.
place_order
await_state "$order" PREPARING
