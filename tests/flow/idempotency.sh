#!/usr/bin/env bash
# What a POST creates exists once per Idempotency-Key: sent again, sent by fifty at once, and when somebody is killed in
# between. Kills order-service and payment-service, and stops the gateway for a moment.
# shellcheck disable=SC2154,SC2016
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"
need_platform
await_ready 60

furnish
key=$(unique)
status='' # of the last `post`, as are:
place=''
replayed=''

# post KEY URL BODY: a request that its client calls KEY.
post() {
    request POST "$2" "$3" --header "Idempotency-Key: $1" --dump-header "$room/headers"
    status=$answered
    place=$(header location)
    replayed=$(header idempotent-replayed)
}
header() { { grep -i "^$1: " "$room/headers" || true; } | tr -d '\r' | cut -d ' ' -f 2-; }

rows() { query "$1" "SELECT count(*) FROM $2" | jq '.[0].count'; }

# once PROCESS TABLE URL BODY OTHER: a repeated POST changes nothing and gets the first answer; OTHER is refused.
once() {
    local process=$1 table=$2 url=$3 body=$4 other=$5 before first first_place
    before=$(rows "$process" "$table")
    post "$key" "$url" "$body"
    same "POST $url is answered" 201 "$status"
    same 'it is no repetition' '' "$replayed"
    first=$answer
    first_place=$place
    for _ in 1 2; do
        post "$key" "$url" "$(jq -S . <<<"$body")"
        same 'sent again, with other white space and order, it gets the same status' 201 "$status"
        same 'it gets the same body' "$first" "$answer"
        same 'it gets the same Location' "$first_place" "$place"
        same 'it is told that this is a repetition' true "$replayed"
    done
    post "$key" "$url" "$other"
    same 'the key with another body is refused' 422 "$status"
    holds 'the problem names the header' '.errors | map(.field) == ["Idempotency-Key"]'
    same "there is one row more in $table" $((before + 1)) "$(rows "$process" "$table")"
}

# The same key in four operations is four keys.
once order-service orders "$ORDERS/orders" "$(order_body)" "$(order_body '{orderItems: [{menuItemId: $dish, quantity: 3}]}')"
once customer-service customers "$CUSTOMERS/customers" "{\"name\":\"$key\",\"email\":\"$key@example.org\"}" \
    "{\"name\":\"$key\",\"email\":\"$key@example.com\"}"
once restaurant-service restaurants "$RESTAURANTS/restaurants" "{\"name\":\"$key\",\"currency\":\"EUR\"}" \
    "{\"name\":\"$key\",\"currency\":\"USD\"}"
once payment-service payment_methods "$PAYMENTS/payment-methods" "$(card "$customer" "$CARD_APPROVES")" \
    "$(card "$customer" "$CARD_APPROVES" '{holder: "Flow Tester"}')"

# A request that failed left nothing behind: its key is good for another try.
post "$key-failed" "$PAYMENTS/payment-methods" "$(card "$customer" 6304000000000000)"
same 'the gateway refuses a card' 422 "$status"
holds 'because of the card, not of the key' '.errors | map(.field) == ["cardNumber"]'
post "$key-failed" "$PAYMENTS/payment-methods" "$(card "$customer" "$CARD_APPROVES")"
same 'the same key with a card that is good' 201 "$status"
same 'is no repetition' '' "$replayed"

# A key is one word, and no place for a card number.
for bad in 'a b' "card-$CARD_APPROVES"; do
    post "$bad" "$PAYMENTS/payment-methods" "$(card "$customer" "$CARD_APPROVES")"
    same 'a key that cannot be kept is refused' 400 "$status"
    holds 'the problem names the header' '.errors | map(.field) == ["Idempotency-Key"]'
done

# Fifty at once: one order, fifty equal answers.
before=$(rows order-service orders)
jq -cn --arg url "$ORDERS/orders" --argjson body "$(order_body)" --arg key "$key-fifty" 'range(50) | {url: $url, body: $body, key: $key}' | crowd fifty 50
all_answered fifty 201 50
same 'fifty at once get one answer' 1 "$(for file in "$room/fifty"/*.json; do jq -c . "$file"; done | sort -u | wc -l | tr -d ' ')"
same 'fifty at once are one order' $((before + 1)) "$(rows order-service orders)"
order=$(jq -r .orderId "$room/fifty/1.json")
await_state "$order" PREPARING
expect 200 GET "$GATEWAY/v1/ledger?reference=$order"
holds 'its money is held once' '[.entries[].kind] == ["HOLD"]'

# Of twenty who exchange the same card at once one does; the others hear of it, or that it is under way.
before=$(rows payment-service payment_methods)
jq -cn --arg url "$PAYMENTS/payment-methods" --argjson body "$(card "$customer" "$CARD_APPROVES")" --arg key "$key-twenty" \
    'range(20) | {url: $url, body: $body, key: $key}' | crowd twenty 20
same 'twenty cards at once are answered with 201 or 409' '' "$(cut -d ' ' -f 1 "$room/twenty.statuses" | sort -u | grep -vx -e 201 -e 409 || true)"
same 'twenty cards at once are one payment method' $((before + 1)) "$(rows payment-service payment_methods)"
same 'of which all who were told were told the same' 1 \
    "$(cat "$room/twenty"/*.json | jq -r '.paymentMethodId // empty' | sort -u | wc -l | tr -d ' ')"

# murder PROCESS: SIGKILL, and waits until the supervisor has started another one that is ready.
murder() {
    local pid deadline=$((SECONDS + PATIENCE))
    pid=$(pid_of "$1")
    kill -KILL "$pid"
    until [[ $(pid_of "$1" 2>/dev/null) != "$pid" ]] || ((SECONDS >= deadline)); do sleep 0.05; done
    await_ready "$PATIENCE"
}

# The answer outlives the process.
post "$key-killed" "$ORDERS/orders" "$(order_body)"
same 'an order is taken' 201 "$status"
first=$answer
murder order-service
post "$key-killed" "$ORDERS/orders" "$(order_body)"
same 'after a SIGKILL the same request gets the same answer' "$first" "$answer"
same 'as a repetition' true "$replayed"

# Killed between reservation and answer: the gateway stands still, so payment-service waits for it.
before=$(rows payment-service payment_methods)
body=$(card "$customer" "$CARD_APPROVES")
reserved() { query payment-service "SELECT count(*) FROM idempotency_keys WHERE key = '$key-crash' AND status IS NULL" | jq '.[0].count'; }
gateway=$(pid_of gateway-simulator)
kill -STOP "$gateway"
(request POST "$PAYMENTS/payment-methods" "$body" --header "Idempotency-Key: $key-crash") &
asking=$!
deadline=$((SECONDS + PATIENCE))
until [[ $(reserved) == 1 ]] || ((SECONDS >= deadline)); do sleep 0.02; done
same 'the key is reserved' 1 "$(reserved)"
kill -KILL "$(pid_of payment-service)"
kill -CONT "$gateway"
wait "$asking" || true
same 'nothing was stored' "$before" "$(rows payment-service payment_methods)"
deadline=$((SECONDS + PATIENCE))
while :; do
    post "$key-crash" "$PAYMENTS/payment-methods" "$body"
    if [[ $status == 201 ]] || ((SECONDS >= deadline)); then break; fi
    if [[ $status == 409 ]]; then same 'who comes too early is told when to come back' 1 "$(header retry-after)"; fi
    sleep 0.5
done
same 'the crash heals' 201 "$status"
first=$answer
post "$key-crash" "$PAYMENTS/payment-methods" "$body"
same 'and is done once' "$first" "$answer"
same 'one payment method came of it' $((before + 1)) "$(rows payment-service payment_methods)"

# No card number, no CVC, and no hash of them, next to the keys or anywhere.
needles=("$CARD_APPROVES")
for digits in "$CARD_APPROVES" 737; do
    needles+=("$(printf '%s' "$digits" | sha256sum | cut -d ' ' -f 1)")
done
same 'no table of payment-service holds a card number or a hash of one' '[]' \
    "$("$PROBE" database search "$(setting payment-service DATABASE_URL)" "${needles[@]}")"

# The descriptions tell of it.
for url in "$ORDERS orders" "$CUSTOMERS customers" "$RESTAURANTS restaurants" "$PAYMENTS payment-methods"; do
    request GET "${url% *}/openapi.json"
    holds "the description of POST /${url#* } names the header, 409 and 422" ".paths[\"/${url#* }\"].post
        | any(.parameters[]; .name == \"Idempotency-Key\" and .in == \"header\" and .required == false)
            and .responses[\"409\"].headers[\"Retry-After\"] != null and .responses[\"422\"] != null"
done

audit_clean --wait "$PATIENCE"
