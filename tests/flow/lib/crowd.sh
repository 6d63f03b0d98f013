# Many requests at once, and waiting for many orders.
# shellcheck shell=bash disable=SC2154

# crowd NAME CLIENTS: sends the requests of standard input, so many at once, each over the connection of one client:
# a JSON object a line, with `url` and perhaps `body` (which makes it a POST) and `key` (Idempotency-Key). A request
# that finds nobody, or breaks off, or gets a 5xx, is sent again. Leaves one file per answer in $room/NAME, and a line `STATUS NUMBER` each in $room/NAME.statuses.
crowd() {
    local name=$1 clients=$2
    mkdir -p "$room/$name"
    jq -r --arg folder "$room/$name" '
        def option($value): " = " + ($value | tojson);
        (if input_line_number > 1 then "next" else empty end),
        "url" + option(.url), (if .body then "data" + option(.body | tojson), "header" + option("Content-Type: application/json") else empty end),
        (if .key then "header" + option("Idempotency-Key: " + .key) else empty end),
        "output" + option("\($folder)/\(input_line_number).json"),
        "write-out" + option("%{http_code} \(input_line_number)\\n"),
        "max-time" + option("20"), "retry" + option("40"), "retry-delay" + option("1"), "retry-max-time" + option("60"),
        "retry-connrefused", "retry-all-errors"
    ' >"$room/$name.curl"
    # curl fails as a whole when one request does; the statuses say which.
    curl --noproxy '*' --silent --parallel --parallel-immediate --parallel-max "$clients" --config "$room/$name.curl" \
        >"$room/$name.statuses" 2>"$room/$name.errors" || true
}

# all_answered NAME STATUS COUNT: every request of a crowd was answered so.
all_answered() {
    local name=$1 status=$2 count=$3 found
    found=$(grep -c "^$status " "$room/$name.statuses" || true)
    if ((found == count)); then
        pass "$name: $count answers of $status"
        return
    fi
    fail "$name: $count answers of $status expected, $found came" "$(cut -d' ' -f1 "$room/$name.statuses" | sort | uniq -c)" \
        "$(head -c 500 "$room/$name.errors")"
}

# place_crowd NAME COUNT CLIENTS [MEMBERS]: places orders; their ids are in $room/NAME.ids, sorted.
place_crowd() {
    local name=$1 count=$2 clients=$3 run
    run=$(unique)
    jq -cn --argjson body "$(order_body "${4-}")" --argjson count "$count" --arg url "$ORDERS/orders" --arg run "$run" \
        'range($count) | {url: $url, body: $body, key: "\($run)-\(.)"}' | crowd "$name" "$clients"
    all_answered "$name" 201 "$count"
    cat "$room/$name"/*.json | jq -r '.orderId // empty' | sort >"$room/$name.ids"
    same "$name: every order is another" "$count" "$(sort -u "$room/$name.ids" | wc -l | tr -d ' ')"
}

# act_crowd ACTION IDS CLIENTS: does an action to each order of a file of ids.
act_crowd() {
    local name=${1//\//-}
    jq -cR --arg url "$(action_url "$1")" '{url: $url, body: {orderId: .}}' "$2" | crowd "$name" "$3"
    all_answered "$name" 200 "$(wc -l <"$2")"
    local changed
    changed=$(cat "$room/$name"/*.json | jq -r '.changed[]?' | sort)
    same "$name: each order was changed" "$(cat "$2")" "$changed"
}

# await_all IDS STATE SECONDS: waits until the view shows all orders of `restaurant` that are in the file in the state.
await_all() {
    await_listed "$2" "$1" "$VIEW/orders?restaurantId=$restaurant&state=$2&limit=100" '.orders[].orderId' "$3"
}

# await_deliveries IDS SECONDS: waits until the couriers' service lists all orders of the file.
await_deliveries() {
    await_listed 'waiting for couriers' "$1" "$DELIVERY/delivery/ready?limit=500" '.deliveries[].orderId' "$2"
}

# await_listed WHAT IDS URL FILTER SECONDS: waits until a list has all orders of a file of ids.
await_listed() {
    local what=$1 ids=$2 deadline=$((SECONDS + $5)) count missing
    count=$(wc -l <"$ids" | tr -d ' ')
    while :; do
        listed "$3" "$4" | sort >"$room/found"
        missing=$(comm -23 "$ids" "$room/found" | wc -l | tr -d ' ')
        if ((missing == 0)); then
            pass "all $count orders are $what"
            return
        fi
        if ((SECONDS >= deadline)); then die "$missing of $count orders are not $what after $5 s" "$(first_missing "$ids")"; fi
        sleep 0.2
    done
}

# The view's and the saga's word on a few orders that are not where they should be.
first_missing() {
    local id
    comm -23 "$1" "$room/found" | few | while read -r id; do
        request GET "$VIEW/orders/$id"
        printf 'view: %.600s\n' "$answer"
        request GET "$ORDERS/orders/$id/saga"
        printf 'saga: %.600s\n' "$answer"
    done
}
