# What an order needs, made new by every script, so that scripts disturb neither each other nor a later run.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2153,SC2154

CARD_APPROVES=4242424242424242
CARD_APPROVES_TOO=5555555555554444
CARD_DECLINES=4000000000000002
CARD_LACKS_FUNDS=4000000000009995
# A UUID that nobody was given.
NOBODY=01890000-0000-7000-8000-000000000000
export CARD_APPROVES CARD_APPROVES_TOO CARD_DECLINES CARD_LACKS_FUNDS NOBODY

# A word that is unlike that of any other run.
unique() { printf '%s-%s-%s%s' "${script%.sh}" "$$" "$(date +%s)" "$RANDOM"; }

# new_customer: prints the id.
new_customer() {
    local name
    name=$(unique)
    need 201 POST "$CUSTOMERS/customers" "{\"name\":\"$name\",\"email\":\"$name@example.org\"}" >&2
    field .customerId
}

# new_restaurant [MEMBERS]: prints the id. MEMBERS go into the body, with a comma before them.
new_restaurant() {
    need 201 POST "$RESTAURANTS/restaurants" "{\"name\":\"$(unique)\",\"currency\":\"EUR\"${1-}}" >&2
    field .restaurantId
}

# new_dish RESTAURANT NAME CENTS [MEMBERS]: makes a menu of one dish; prints the dish's id.
new_dish() {
    local item="{\"name\":\"$2\",\"price\":{\"amount\":$3,\"currency\":\"EUR\"}${4-}}"
    need 200 PUT "$RESTAURANTS/restaurants/$1/menu" "{\"items\":[$item]}" >&2
    field '.items[0].menuItemId'
}

# card CUSTOMER NUMBER [MEMBERS]: the body of POST /payment-methods. Later members replace earlier ones.
card() {
    jq -cn --arg customer "$1" --arg number "$2" \
        "{customerId: \$customer, cardNumber: \$number, expiryMonth: 12, expiryYear: 2099, cvc: \"737\", holder: \"Flow Test\"} + ${3:-{\}}"
}

# new_payment_method CUSTOMER NUMBER: prints the id.
new_payment_method() {
    need 201 POST "$PAYMENTS/payment-methods" "$(card "$1" "$2")" >&2
    field .paymentMethodId
}

# furnish [CARD NUMBER]: a customer with a card and a restaurant with one dish of 12.50 EUR, in variables.
furnish() {
    customer=$(new_customer)
    restaurant=$(new_restaurant)
    dish=$(new_dish "$restaurant" 'Flow soup' 1250)
    method=$(new_payment_method "$customer" "${1:-$CARD_APPROVES}")
}

# order_body [MEMBERS]: the body of POST /orders, for what `furnish` made. Later members replace earlier ones.
order_body() {
    jq -cn --arg customer "$customer" --arg restaurant "$restaurant" --arg method "$method" --arg dish "$dish" \
        "{customerId: \$customer, restaurantId: \$restaurant, paymentMethodId: \$method,
          orderItems: [{menuItemId: \$dish, quantity: 2}]} + ${1:-{\}}"
}

# place_order [MEMBERS]: places an order; its id is in `order`.
place_order() {
    need 201 POST "$ORDERS/orders" "$(order_body "${1-}")"
    order=$(field .orderId)
}

# await_state ORDER STATE: waits until the view shows the order in the state; the view's answer stays.
# Each question asks for the version after the one that was seen, so it is the view that waits.
await_state() {
    local id=$1 state=$2 next=1 deadline=$((SECONDS + PATIENCE)) found=nothing
    while ((SECONDS < deadline)); do
        request GET "$VIEW/orders/$id?atLeast=$next"
        if [[ $answered == 200 ]]; then
            found=$(jq -r .state <<<"$answer")
            if [[ $found == "$state" ]]; then
                pass "order $id is $state"
                return
            fi
            next=$(($(jq -r .version <<<"$answer") + 1))
            if [[ $found == REJECTED || $found == CANCELLED || $found == COMPLETE ]]; then break; fi
        else
            sleep 0.1
        fi
    done
    request GET "$VIEW/orders/$id"
    local view=$answer
    request GET "$ORDERS/orders/$id/saga"
    die "order $id should be $state in the view, and is $found" "view: $view" "saga: $answer"
}

# shows ORDER WHAT FILTER: waits until a jq filter is true of the view's answer. The topics are not ordered among each
# other, so the order's own state may be shown a moment before that of its ticket, payment, cook or delivery.
shows() {
    local deadline=$((SECONDS + PATIENCE))
    while request GET "$VIEW/orders/$1" && ! jq -e "$3" <<<"$answer" >/dev/null 2>&1 && ((SECONDS < deadline)); do sleep 0.02; done
    holds "$2" "$3"
}

# action_url ACTION: the address of kitchen/ready, delivery/pickedup or delivery/complete.
action_url() {
    if [[ $1 == kitchen/* ]]; then printf '%s/%s' "$KITCHEN" "$1"; else printf '%s/%s' "$DELIVERY" "$1"; fi
}

# act ACTION ORDER: does it as soon as the service has heard of the order; it must change the order.
act() {
    local url deadline=$((SECONDS + PATIENCE))
    url=$(action_url "$1")
    while :; do
        request POST "$url" "{\"orderId\":\"$2\"}"
        if [[ $answered != 404 ]] || ((SECONDS >= deadline)); then break; fi
        sleep 0.05
    done
    if [[ $answered != 200 ]]; then die "POST $url → 200 expected, $answered came" "answered: $answer"; fi
    holds "/$1 changes the order" ".changed == [\"$2\"]"
}

# await_delivery ORDER: waits until the courier's service has heard that the order is READY. It refuses to complete an
# order that was not picked up: with 404 before, with 409 from then on.
await_delivery() {
    local deadline=$((SECONDS + PATIENCE))
    while request POST "$(action_url delivery/complete)" "{\"orderId\":\"$1\"}" && [[ $answered == 404 ]]; do
        if ((SECONDS >= deadline)); then die "delivery-service has not heard of order $1"; fi
        sleep 0.05
    done
    same "delivery-service knows order $1" 409 "$answered"
}
