#!/usr/bin/env bash
# cancel-races.sh [RACES [CLIENTS]]: so many orders (96) by so many clients (6) at once, each cancelled twice at once at some
# moment of its life, while cook and courier are at it. How long an order takes to PREPARING under these very clients is
# measured first, and on the way; four fifths of the cancellations are spread over that, the others come behind it. Tells at
# which steps they met the sagas, and how the orders ended: CANCELLED with nothing held, or delivered and paid for. Races that meet fewer than
# four steps, or are granted less than a fifth, are a failure: they would prove nothing.
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
        sleep 0.05
    done
    [[ $status == 200 ]]
}

# Between an order's answer and its cancellation no program is started: on a busy machine each takes longer than a step.
# pass_time MILLISECONDS: lets so much time pass.
mkfifo "$room/silence"
exec 9<>"$room/silence"
pass_time() {
    local fraction=00$(($1 % 1000))
    read -r -t "$(($1 / 1000)).${fraction: -3}" -u 9 || true
}

# post_at_once URL [BODY]: the answer is in `answer`, its status in `answered`.
post_at_once() {
    local place=${1#http://} body=${2-}
    local host=${place%%/*}
    answer=''
    if exec 8<>"/dev/tcp/${host%:*}/${host#*:}"; then
        printf 'POST /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
            "${place#*/}" "$host" ${#body} "$body" >&8
        IFS= read -r -d '' -t 25 -u 8 answer || true
        exec 8>&-
    fi
    answered=${answer#HTTP/1.1 }
    answered=${answered%% *}
}

# cancel: prints the status.
cancel() {
    post_at_once "$ORDERS/orders/$order/cancel"
    printf '%s' "$answered"
}

# race NAME COOK WHEN MILLISECONDS: one order, which a cook looks for after COOK milliseconds, and which is cancelled so long
# after it was taken, cooked or on-its-way; or never.
race() {
    local race="$room/races/$1" said="$room/races/$1.said" order body state next=1 deadline=$((SECONDS + PATIENCE))
    post_at_once "$ORDERS/orders" "$(<"$room/body")"
    [[ $answer =~ \"orderId\":\"([0-9a-f-]{36})\" ]]
    order=${BASH_REMATCH[1]}
    body="{\"orderId\":\"$order\"}"
    (
        if [[ $3 == never ]]; then exit; fi
        until [[ $3 == taken || -e $race.$3 || -e $race.ended ]]; do sleep 0.005; done
        pass_time "$4"
        cancel >"$race.first" &
        cancel >"$race.second" &
        wait
    ) &
    (
        said="$race.acting"
        pass_time "$2"
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
    if [[ $state == COMPLETE ]]; then
        jq '[.steps[] | select(.step == "verify customer" or .step == "prepare ticket") | .records[]
            | select(.what == "SENT" or .what == "GRANTED").at | sub("\\.(?<part>[0-9]{3})[0-9]*Z$"; "Z,\(.part)") | split(",")
            | (.[0] | fromdate) * 1000 + (.[1] | tonumber)] | max - min' "$said" >>"$room/lives"
    fi
    if [[ $3 == never ]]; then return; fi
    jq -r --arg order "$order" --arg state "${state:-NOTHING}" --arg answers "$(cat "$race.first") $(cat "$race.second")" '
        ([.steps[] | .step as $step | .records[] | select(.what == "CANCEL_ASKED") | $step][0] // "refused") as $met
        | "\($order)\t\($state)\t\($met)\t\($answers)"' "$said" >"$race.end"
}

# p90: of the numbers of standard input.
p90() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR * 9 + 9) / 10)] }'; }

# run_races COUNT MOMENT: so many races by the clients; MOMENT NUMBER prints when each is cancelled.
run_races() {
    local number moment
    for ((number = 0; number < $1; number++)); do
        while (($(jobs -rp | wc -l) >= clients)); do sleep 0.01; done
        read -r -a moment <<<"$("$2" "$number")"
        race "$2-$number" "${moment[@]}" &
    done
    wait
}
# shellcheck disable=SC2317
uncancelled() { echo 0 never 0; }
# 61 and 37 have no common divisor with 97: the moments are all different, and neighbours are far apart.
# shellcheck disable=SC2317
cancelled() {
    local life part=$(($1 * 61 % 97)) cook
    life=$(tail -n 20 "$room/lives" | p90)
    cook=$(($1 * 37 % 97 * life / 97))
    case $(($1 % 10)) in
    4) echo "$cook" cooked $((part * 60 / 97)) ;;
    9) echo "$cook" on-its-way $((part * 90 / 97)) ;;
    *) echo "$cook" taken $((part * life / 97)) ;;
    esac
}

order_body >"$room/body"
run_races $((clients * 4)) uncancelled
same 'it is known how long an order takes' $((clients * 4)) "$(grep -cx '[0-9][0-9]*' "$room/lives")"
note "nine of ten orders are PREPARING within $(p90 <"$room/lives") ms"
run_races "$races" cancelled

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
note "and within $(tail -n 20 "$room/lives" | p90) ms at the end"
met=$(cut -f3 "$room/ends" | grep -vx refused | sort -u | wc -l | tr -d ' ')
granted=$(grep -c '	CANCELLED	' <(cut -f1,2,3 "$room/ends") || true)
same "they met at least four different steps ($met)" yes "$( ((met >= 4)) && echo yes)"
same "at least a fifth was granted ($granted of $races)" yes "$( ((granted * 5 >= races)) && echo yes)"
