#!/usr/bin/env bash
# A participant that stands still, and a broker that does: the first is asked again with the same message, the second
# makes no deadline run, since nothing was published.
# shellcheck disable=SC2154,SC2016
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"
need_platform
await_ready 60

deadline=$(setting order-service SAGA_DEADLINE_MS)
deadline=$((${deadline:-10000} / 1000))
furnish

# Whatever happens here, nobody is left standing.
stopped=''
go_on() {
    local code=$?
    if [[ $stopped ]]; then kill -CONT "$stopped" && stopped=''; fi
    return "$code"
}
trap 'go_on; finish' EXIT
stand_still() {
    stopped=$(pid_of "$1")
    kill -STOP "$stopped"
}

# saga ORDER FILTER: of the saga's records at a step.
saga() {
    request GET "$ORDERS/orders/$1/saga"
    jq -r "$2" <<<"$answer"
}

stand_still kitchen-service
place_order
limit=$((SECONDS + deadline + PATIENCE))
until [[ $(saga "$order" '.awaiting.attempt // 0') -ge 2 ]] || ((SECONDS >= limit)); do sleep 0.2; done
expect 200 GET "$ORDERS/orders/$order/saga"
holds 'a kitchen that stands still is asked again' '.step == "cook" and .awaiting.attempt == 2'
go_on
await_state "$order" PREPARING
expect 200 GET "$ORDERS/orders/$order/saga"
holds 'it was the same message' '[.steps[] | select(.step == "cook") | .records[] | select(.what == "SENT" or .what == "RESENT") | .messageId]
    | length >= 2 and (unique | length) == 1'
holds 'one answer counted' '[.steps[] | select(.step == "cook") | .records[] | select(.what == "GRANTED")] | length == 1'
same 'it cooks once' 1 "$(query kitchen-service "SELECT count(*) AS n FROM cooks WHERE order_id = '$order'" | jq -r '.[0].n')"

stand_still kafka
place_order
sleep $((deadline + 4))
same 'while Kafka stands still nobody is late' 1 "$(saga "$order" '.awaiting.attempt')"
go_on
await_state "$order" PREPARING
same 'and nobody was asked twice' '' "$(saga "$order" '.steps[].records[] | select(.what == "RESENT") | .what')"

audit_clean --wait "$PATIENCE"
