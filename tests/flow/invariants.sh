# What must be true across all services when everything has come to rest: each order exactly once, everywhere.
# shellcheck shell=bash disable=SC2154

# at_rest SINCE: nothing waits to be published, nobody has parked a message.
at_rest() {
    local process deadline=$((SECONDS + PATIENCE)) waiting
    for process in order-service customer-service restaurant-service payment-service kitchen-service delivery-service order-view; do
        while :; do
            waiting=$(query "$process" 'SELECT count(*) FROM outbox_pending' | jq '.[0].count')
            if ((waiting == 0 || SECONDS >= deadline)); then break; fi
            sleep 0.2
        done
        same "the outbox of $process is empty" 0 "$waiting"
        same "$process has parked nothing" '[]' "$(query "$process" 'SELECT topic, kind, key, reason FROM parked LIMIT 3')"
    done
    same 'the topics of dead letters have got nothing' '' "$(records --since "$1" "${DEAD_LETTERS[@]}" | few)"
}

# owned_once IDS: each order of the file has exactly one ticket, payment, cook and delivery with its owner.
owned_once() {
    local process table ids
    ids=$(paste -sd, "$1")
    while read -r process table; do
        same "$process has one row of $table per order" "$(wc -l <"$1" | tr -d ' ')" \
            "$(query "$process" "SELECT order_id FROM $table WHERE order_id = ANY('{$ids}') GROUP BY order_id HAVING count(*) = 1" | jq length)"
    done <<<'restaurant-service tickets
payment-service payments
kitchen-service cooks
delivery-service deliveries'
}

# charged_once IDS: the gateway held and charged each order once, the same amount; nobody in its books twice.
charged_once() {
    jq -cR --arg url "$GATEWAY/v1/ledger?reference=" '{url: ($url + .)}' "$1" | crowd ledger 20
    all_answered ledger 200 "$(wc -l <"$1" | tr -d ' ')"
    same 'each order: one hold, one charge, of one amount' '[]' "$(cat "$room/ledger"/*.json |
        jq -cs 'map(.entries) | map(select((map(.kind) == ["HOLD", "CHARGE"] and .[0].amount == .[1].amount) | not))')"
    nobody_twice
}

# nobody_twice: the gateway's own summary of all of its books.
nobody_twice() {
    expect 200 GET "$GATEWAY/v1/ledger/summary"
    holds 'nobody was held or charged twice' '.doubleHolds == 0 and .doubleCharges == 0'
}

# said_once IDS SINCE: on the topics, each order has one of each message, from one ticket, payment, cook and delivery;
# and what one service said about one order on one topic first appears in the order in which it was said.
said_once() {
    records --since "$2" "${TOPICS[@]}" >"$room/said"
    jq -rs --rawfile ids "$1" '
        ($ids | split("\n") | map({(.): true}) | add) as $wanted
        | map(select($wanted[.key] == true)) | group_by(.key)[] | .[0].key as $order
        | reduce .[] as $record ({seen: {}, first: []}; if .seen[$record.headers.ce_id] then .
            else .seen[$record.headers.ce_id] = true | .first += [$record] end) | .first
        | (map(.topic + " " + .headers.ce_type) | group_by(.) | map({(.[0]): length}) | add) as $types
        | (group_by(.topic + .headers.ce_source + (.headers.ce_type | split("_")[0]))
            | map(map(.headers.ce_sequence | tonumber)) | all(. == (. | unique))) as $ordered
        | ["ticketId", "paymentId", "cookId", "deliveryId"] as $names
        | ([$names[] as $name | map(.value[$name] // empty) | unique | length]) as $aggregates
        | "\($order) \($ordered) \($aggregates) \($types | to_entries | map("\(.key)=\(.value)") | join(","))"
    ' "$room/said" >"$room/stories"
    same 'every order is on the topics' "$(wc -l <"$1" | tr -d ' ')" "$(wc -l <"$room/stories" | tr -d ' ')"
    same 'every order says the same, each thing once' 1 "$(cut -d' ' -f2- "$room/stories" | sort -u | wc -l | tr -d ' ')"
    holds_of_all 'messages of an order first appear as they were committed' '^[^ ]+ true '
    holds_of_all 'one ticket, one payment, one cook, one delivery' '^[^ ]+ [a-z]+ \[1,1,1,1\] '
    holds_of_all 'every message once, but ORDER_CHANGED, which announces four states' \
        '^[^=]+ ORDER_CHANGED=4(,[^=]+=1)+$'
    note "$(wc -l <"$room/said" | tr -d ' ') records, $(jq -r .headers.ce_id "$room/said" | sort | uniq -d | wc -l | tr -d ' ') of them more than once"
}

# holds_of_all WHAT REGEX: every story looks so.
holds_of_all() { same "$1" '' "$(grep -Ev "$2" "$room/stories" | few || true)"; }

# invariants IDS SINCE: all of it, for orders that are COMPLETE.
invariants() {
    at_rest "$2"
    owned_once "$1"
    charged_once "$1"
    said_once "$1" "$2"
}
