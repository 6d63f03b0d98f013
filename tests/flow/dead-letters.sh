#!/usr/bin/env bash
# dead-letters.sh: what a service cannot handle is parked, and holds back its own order only. `operator` shows it, has it
# replayed when the cause is mended, and discards what can never be handled; then the order goes on where it stopped.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"
need_platform
signed=(--by flow-test --why 'a flow test has mended it')

# letters COMMAND [ARGUMENT]…: the program, on this platform; its exit code is in `code`, what it says in `answer`.
letters() {
    code=0
    answer=$(env -u DATABASE_URL PLATFORM_DIR="$PLATFORM_DIR" "$OPERATOR" dead-letters "$@" 2>&1) || code=$?
}

# ends CODE WHAT: how the last command ended.
ends() {
    if [[ $code == "$1" ]]; then pass "$2"; else fail "$2: exit code $1 expected, $code came" "$answer"; fi
}

# await_parked SERVICE ORDER COUNT: waits until so many messages are parked.
await_parked() {
    local deadline=$((SECONDS + PATIENCE))
    while letters list --service "$1" --order "$2" --json && ! jq -e "length == $3" <<<"$answer" >/dev/null && ((SECONDS < deadline)); do
        sleep 0.2
    done
    holds "$1 has parked $3 messages of order $2" "length == $3"
}

# await_order ORDER STATE: waits until order-service itself says so, whatever the view knows.
await_order() {
    local deadline=$((SECONDS + PATIENCE))
    while request GET "$ORDERS/orders/$1" && [[ $(jq -r .state <<<"$answer") != "$2" ]] && ((SECONDS < deadline)); do sleep 0.1; done
    holds "order-service has order $1 as $2" ".state == \"$2\""
}

# to_complete ORDER: what cooks and couriers do.
to_complete() {
    act kitchen/ready "$1"
    act delivery/pickedup "$1"
    act delivery/complete "$1"
}

# --- a cause that can be mended: the kitchen's database refuses the works of one restaurant
oven="flow_oven_$$"
mend() { execute kitchen-service "ALTER TABLE cooks DROP CONSTRAINT IF EXISTS $oven"; }
# shellcheck disable=SC2317
mend_and_finish() {
    if (($? != 0)); then touch "$room/broken"; fi
    mend || true
    finish
}
trap mend_and_finish EXIT

began=$(($(now) - 1000))
furnish
execute kitchen-service "ALTER TABLE cooks ADD CONSTRAINT $oven CHECK (restaurant_id <> '$restaurant') NOT VALID"
place_order
stopped=$order
await_parked kitchen-service "$stopped" 1
holds 'the list says what it is and why it failed' \
    ".[0].kind == \"ORDER_APPROVED\" and .[0].attempts == 3 and .[0].place == 1 and (.[0].reason | contains(\"$oven\"))"
id=$(jq -r '.[0].id' <<<"$answer")
await_state "$stopped" ACCEPTED
letters show "$id"
ends 0 'show finds it'
same 'show says what the message says' 1 "$(grep -c '"orderId": "'"$stopped" <<<"$answer")"
same 'no password is shown' 0 "$(grep -c 'postgres://' <<<"$answer" || true)"

deadline=$((SECONDS + PATIENCE))
copies() { records --since "$began" order-kitchen.dlq | jq -c --arg order "$stopped" 'select(.key == $order)'; }
until [[ $(copies) ]] || ((SECONDS >= deadline)); do sleep 0.2; done
same 'its copy names who could not handle it' '"kitchen-service"' "$(copies | jq -c .headers.dlq_consumer)"

# Meanwhile other orders flow.
furnish
place_order
await_state "$order" PREPARING
to_complete "$order"
await_state "$order" COMPLETE

letters replay "$id" --by flow-test --why 'too early, to see it fail' --wait "$PATIENCE"
ends 1 'a replay before the cause is mended fails, and says so'
same 'with the reason' 1 "$(grep -c "has failed again in kitchen-service.*$oven" <<<"$answer")"
letters list --order "$stopped" --json
holds 'it stays, with more tries' 'length == 1 and .[0].attempts == 6 and .[0].replayRequestedAt == null'

mend
letters replay --order "$stopped" "${signed[@]}" --wait "$PATIENCE"
ends 0 'after that the replay is done'
same 'of one message' 1 "$(grep -c '^replayed: 1$' <<<"$answer")"
await_state "$stopped" PREPARING
to_complete "$stopped"
await_state "$stopped" COMPLETE
letters history --order "$stopped" --json
holds 'the history has who, why, and what came of it' \
    'map(.action) == ["FAILED_AGAIN", "REPLAYED"] and .[1].requestedBy == "flow-test" and (.[1].why | contains("mended"))'
same 'failing again was announced once' 1 "$(copies | wc -l | tr -d ' ')"

# --- a message that can never be handled: nobody knows its type. The kitchen parks it, and so does the view, in which
# everything else about the order waits behind it.
place_order
await_state "$order" PREPARING
execute order-service "INSERT INTO outbox (shard, id, message_id, key, sequence, occurred_at, topic, kind, body)
    VALUES (0, nextval('outbox_s0_id'), uuidv7(), '$order', 1, now(), 'order-kitchen', 'ORDER_TELEPORTED', '{\"orderId\": \"$order\"}')"
await_parked kitchen-service "$order" 1
await_parked order-view "$order" 1
to_complete "$order"
await_order "$order" COMPLETE
request GET "$VIEW/orders/$order"
holds 'the view shows the order as it was' '.state == "PREPARING"'
letters list --service order-view --order "$order" --json
holds 'the rest waits behind the message' \
    'length > 5 and .[0].kind == "ORDER_TELEPORTED" and map(.place) == [range(1; length + 1)] and (.[1:] | all(.reason == null and .attempts == 0))'
nonsense=$(jq -r '.[0].id' <<<"$answer")
second=$(jq -r '.[1].id' <<<"$answer")
waiting=$(jq length <<<"$answer")
letters replay "$second" "${signed[@]}"
ends 1 'nobody overtakes'

letters discard "$nonsense" "${signed[@]}"
ends 0 'the message is discarded'
same 'what waits is told' 1 "$(grep -c "^$((waiting - 1)) more wait in its line" <<<"$answer")"
letters replay "$second" "${signed[@]}" --wait "$PATIENCE"
ends 0 'what waited behind it is replayed'
same 'all of it' 1 "$(grep -c "^replayed: $((waiting - 1))\$" <<<"$answer")"
await_state "$order" COMPLETE
shows "$order" 'with all that happened meanwhile' '.delivery.state == "COMPLETE" and .ticket.state == "COMPLETE" and .payment.state == "CAPTURED"'
letters list --service kitchen-service --order "$order" --json
letters discard "$(jq -r '.[0].id' <<<"$answer")" "${signed[@]}"
ends 0 'the kitchen gives up on it, too'
for each in "$stopped" "$order"; do
    letters list --order "$each" --json
    holds "nothing of order $each is parked any more" 'length == 0'
done

# metric SERVICE_URL NAME: the value of a metric.
metric() {
    request GET "$1/metrics"
    awk -v name="$2" 'index($1, name) == 1 {print $2}' <<<"$answer"
}
deadline=$((SECONDS + PATIENCE))
until [[ $(metric "$VIEW" 'consumer_parked_keys{') == 0 ]] || ((SECONDS >= deadline)); do sleep 0.5; done
same 'the metrics say that no key is held back' 0 "$(metric "$VIEW" 'consumer_parked_keys{')"
same 'and that messages were replayed' yes "$( (($(metric "$VIEW" 'consumer_replays_total{') >= waiting - 1)) && echo yes)"

# What is discarded explains what it would have changed; nothing else is out of order.
audit_clean --wait "$PATIENCE"
