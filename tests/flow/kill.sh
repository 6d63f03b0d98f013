#!/usr/bin/env bash
# kill.sh [ORDERS [CLIENTS]]: SIGKILL of the relay and two services in the middle of so many orders (200) by so many
# clients (10) at once. The supervisor starts them again; then every order ends where it should, once.
#
#   VICTIMS   who is killed, in this order (default: message-relay order-service payment-service)
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

count=${1:-200}
clients=${2:-10}
read -ra victims <<<"${VICTIMS:-message-relay order-service payment-service}"
need_platform
await_ready 60
began=$(($(now) - 1000))
furnish
declined=$(new_payment_method "$customer" "$CARD_DECLINES")

# Every tenth order is one that must be rejected.
run=$(unique)
jq -cn --argjson body "$(order_body)" --argjson count "$count" --arg url "$ORDERS/orders" --arg run "$run" --arg declined "$declined" \
    'range($count) | {url: $url, key: "\($run)-\(.)",
        body: ($body + if . % 10 == 9 then {paymentMethodId: $declined} else {} end)}' >"$room/requests"
mkdir "$room/placed"
crowd placed "$clients" <"$room/requests" &
placing=$!

answers() { find "$room/placed" -name '*.json' -size +0 2>/dev/null | wc -l | tr -d ' '; }

# Each dies when so many more orders are taken; if orders stop being taken, because one is dead, after a moment.
for index in "${!victims[@]}"; do
    victim=${victims[$index]}
    goal=$((count * (index + 1) / (${#victims[@]} + 2)))
    deadline=$((SECONDS + 5))
    while (($(answers) < goal && SECONDS < deadline)); do sleep 0.01; done
    pid=$(pid_of "$victim")
    at_kill=$(answers)
    kill -KILL "$pid"
    note "killed $victim (pid $pid) with $at_kill of $count orders taken"
    echo "$pid" >"$room/$victim.killed"
done
if ((at_kill < count)); then pass 'they died in the middle'; else fail "all $count orders were taken before the last one died"; fi
wait "$placing"
all_answered placed 201 "$count"

for victim in "${victims[@]}"; do
    deadline=$((SECONDS + PATIENCE))
    until [[ $(pid_of "$victim" 2>/dev/null) != "$(cat "$room/$victim.killed")" ]] || ((SECONDS >= deadline)); do sleep 0.1; done
    if [[ $(pid_of "$victim") != "$(cat "$room/$victim.killed")" ]]; then pass "$victim lives again"; else fail "$victim stays dead"; fi
done

# Those that wait for a Postgres that recovers serve nobody before that.
await_ready 60

# A client whose connection broke asked again, with the same Idempotency-Key: his first request may have been done, and then
# that is the order that he heard of. So every order that was taken was answered, and each request is one order.
cat "$room/placed"/*.json | jq -r .orderId | sort >"$room/answered"
taken() { query order-service "SELECT order_id FROM orders WHERE restaurant_id = '$restaurant' AND payment_method_id = '$1'" | jq -r '.[].order_id' | sort; }
taken "$method" >"$room/good"
taken "$declined" >"$room/bad"
sort "$room/good" "$room/bad" >"$room/taken"
same 'no order that was answered is lost' '' "$(comm -23 "$room/answered" "$room/taken" | few)"
same 'no order was taken that nobody heard of' '' "$(comm -13 "$room/answered" "$room/taken" | few)"
same 'each request is one order' "$count" "$(sort -u "$room/answered" | wc -l | tr -d ' ')"

# Everybody asks once more, as a client does who has slept through it all: the same answers, and no other order.
crowd again "$clients" <"$room/requests"
all_answered again 201 "$count"
same 'every repeated request gets its first answer, byte for byte' '' "$(diff -rq "$room/placed" "$room/again" | few)"
sort <(taken "$method") <(taken "$declined") >"$room/taken-again"
same 'and makes no second order' "$(cat "$room/taken")" "$(cat "$room/taken-again")"

await_all "$room/good" PREPARING 120
await_all "$room/bad" REJECTED 120
act_crowd kitchen/ready "$room/good" "$clients"
await_deliveries "$room/good" 60
act_crowd delivery/pickedup "$room/good" "$clients"
act_crowd delivery/complete "$room/good" "$clients"
await_all "$room/good" COMPLETE 120

invariants "$room/good" "$began"

# The rejected ones. That their tickets are taken back, no money is held and nobody cooked, the audit has seen.
request GET "$VIEW/orders?restaurantId=$restaurant&state=REJECTED&limit=100"
holds 'the payment rejected them' '.orders | all(.rejection.by == "payment")'
