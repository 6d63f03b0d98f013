#!/usr/bin/env bash
# cancel-races.sh [RACES [CLIENTS]]: so many orders (96) by so many clients (6) at once, each cancelled twice at once at some
# moment of its life, while cook and courier are at it. Tells at which steps the cancellations met the sagas, and how the
# orders ended: CANCELLED with nothing held, or delivered and paid for.
# shellcheck disable=SC2030,SC2031,SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

races=${1:-96}
clients=${2:-6}
need_platform
furnish
mkdir "$room/races"

# quietly METHOD URL [BODY]: prints the status; the answer goes to the file `said` of this race.
quietly() {
    curl --noproxy '*' --silent --max-time 25 --request "$1" --output "$said" --write-out '%{http_code}' \
        ${3+--header 'Content-Type: application/json' --data "$3"} "$2" || true
}

# until_done URL BODY: asks until it is done (200) or never will be (409).
until_done() {
    local status deadline=$((SECONDS + PATIENCE))
    while ((SECONDS < deadline)); do
        status=$(quietly POST "$1" "$2")
        if [[ $status == 200 || $status == 409 ]]; then break; fi
        if [[ -e $race.ended ]]; then break; fi
        sleep 0.01
    done
    [[ $status == 200 ]]
}

# race NUMBER: one order. The moments are spread over a life of about a tenth of a second, and behind each act.
race() {
    local race="$room/races/$1" said="$room/races/$1.said" order body state next=1 deadline=$((SECONDS + PATIENCE))
    quietly POST "$ORDERS/orders" "$(<"$room/body")" >/dev/null
    order=$(jq -r .orderId "$said")
    body="{\"orderId\":\"$order\"}"
    (
        said="$race.cancelling"
        case $(($1 % 4)) in
        0 | 1) sleep "0.$(printf '%03d' $(($1 * 7 % 120)))" ;;
        2) until [[ -e $race.cooked || -e $race.ended ]]; do sleep 0.005; done && sleep "0.0$(printf '%02d' $(($1 * 7 % 60)))" ;;
        3) until [[ -e $race.on-its-way || -e $race.ended ]]; do sleep 0.005; done && sleep "0.0$(printf '%02d' $(($1 * 7 % 90)))" ;;
        esac
        quietly POST "$ORDERS/orders/$order/cancel" >"$race.first" &
        said="$race.cancelling-too" quietly POST "$ORDERS/orders/$order/cancel" >"$race.second" &
        wait
    ) &
    (
        said="$race.acting"
        until_done "$KITCHEN/kitchen/ready" "$body" && touch "$race.cooked" &&
            until_done "$DELIVERY/delivery/pickedup" "$body" && touch "$race.on-its-way" &&
            until_done "$DELIVERY/delivery/complete" "$body"
    ) &
    while ((SECONDS < deadline)); do
        if [[ $(quietly GET "$VIEW/orders/$order?atLeast=$next") == 200 ]]; then
            state=$(jq -r .state "$said")
            next=$(($(jq -r .version "$said") + 1))
            if [[ $state == CANCELLED || $state == COMPLETE ]]; then break; fi
        fi
    done
    touch "$race.ended"
    wait
    quietly GET "$ORDERS/orders/$order/saga" >/dev/null
    jq -r --arg order "$order" --arg state "${state:-NOTHING}" --arg answers "$(cat "$race.first") $(cat "$race.second")" '
        ([.steps[] | .step as $step | .records[] | select(.what == "CANCEL_ASKED") | $step][0] // "refused") as $met
        | "\($order)\t\($state)\t\($met)\t\($answers)"' "$said" >"$race.end"
}

order_body >"$room/body"
for ((number = 0; number < races; number++)); do
    while (($(jobs -rp | wc -l) >= clients)); do sleep 0.01; done
    race "$number" &
done
wait

cat "$room/races"/*.end >"$room/ends"
same 'every race has an end' "$races" "$(wc -l <"$room/ends" | tr -d ' ')"
same 'every order is CANCELLED or COMPLETE' '' "$(cut -f2 "$room/ends" | grep -Evx 'CANCELLED|COMPLETE' | few || true)"
same 'whoever cancels hears 202 or 409' '' "$(cut -f4 "$room/ends" | grep -Evx '(202|409) (202|409)' | few || true)"
same 'a refused cancellation cancels nothing' '' "$(awk -F'\t' '$3 == "refused" && ($2 != "COMPLETE" || $4 != "409 409")' "$room/ends" | few)"

# The gateway: nothing that was cancelled was ever charged, and what was delivered was paid for, once.
cut -f1 "$room/ends" | jq -cR --arg url "$GATEWAY/v1/ledger?reference=" '{url: ($url + .)}' | crowd ledger 10
paste <(cut -f2 "$room/ends") <(for ((number = 1; number <= races; number++)); do
    jq -c '[.entries[].kind]' "$room/ledger/$number.json"
done) | sort | uniq -c >"$room/money"
same 'delivered and charged, or cancelled and let go' '' \
    "$(grep -Ev 'COMPLETE.\["HOLD","CHARGE"\]$|CANCELLED.(\[\]|\["HOLD","VOID"\])$' "$room/money" | few || true)"
audit_clean

printf 'where the cancellation met the saga, and how the order ended:\n'
cut -f2,3 "$room/ends" | sort | uniq -c | awk -F'\t' '{ print $1, "at", $2 }' | sed 's/at refused/refused: it was READY or further/'
