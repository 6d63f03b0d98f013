# What must be true across all services: all databases agree; and when everything has come to rest, each order is there
# exactly once, everywhere.
# shellcheck shell=bash disable=SC2154

# at_rest SINCE: nobody has parked a message, nor announced one.
at_rest() {
    local process
    for process in order-service customer-service restaurant-service payment-service kitchen-service delivery-service order-view; do
        same "$process has parked nothing" '[]' "$(query "$process" 'SELECT topic, kind, key, reason FROM parked LIMIT 3')"
    done
    same 'the topics of dead letters have got nothing' '' "$(records --since "$1" "${DEAD_LETTERS[@]}" | few)"
}

# audit_clean [OPTION]…: all databases, the gateway's ledger and the topics agree about every order that there is; nothing is
# left unchecked. With --wait it is waited for rest first: for scripts that run alone.
audit_clean() {
    local code=0
    env -u DATABASE_URL -u KAFKA_BROKERS -u TOPIC_PREFIX -u GATEWAY_URL PLATFORM_DIR="$PLATFORM_DIR" \
        "$OPERATOR" audit "$@" --json >"$room/audit" 2>"$room/audit.err" || code=$?
    same 'the audit finds no violation' '' "$(jq -c '.violations[]' "$room/audit" | few)$(few <"$room/audit.err")"
    same 'it has checked everything' '[]' "$(jq -c '.notChecked + .notQuiet' "$room/audit")"
    same 'it is content' 0 "$code"
    note "$(jq -r '"audited \(.orders.total) orders, \(.folded[1] // 0) records, \(.explainedInAll) findings explained"' "$room/audit")"
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
    audit_clean --wait "$PATIENCE"
    said_once "$1" "$2"
}
