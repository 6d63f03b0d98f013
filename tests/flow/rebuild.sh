#!/usr/bin/env bash
# The view is rebuilt from the topics while it is read: a row that tells what nobody said tells the truth again, one that
# is gone is there again, and readers of other orders notice nothing.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=invariants.sh
source "$flow/invariants.sh"

need_platform
furnish
orders=()
for _ in {1..6}; do
    place_order
    await_state "$order" PREPARING
    orders+=("$order")
done
read -r wrong gone other _ <<<"${orders[*]}"

# One row lies, one is missing. The view that has caught up with everything mends neither by itself.
execute order-view "UPDATE order_views SET order_version = 99, \"order\" = jsonb_set(\"order\", '{state}', '\"COMPLETE\"') WHERE order_id = '$wrong'"
execute order-view "DELETE FROM order_views WHERE order_id = '$gone'"
expect 200 GET "$VIEW/orders/$wrong"
holds 'the row lies' '.state == "COMPLETE" and .version == 99'
expect 404 GET "$VIEW/orders/$gone"

# Readers of another order, all the while.
touch "$room/reading"
(
    while [[ -e $room/reading ]]; do
        curl --noproxy '*' -s -o "$room/read" -w '%{http_code} ' "$VIEW/orders/$other"
        jq -r .version "$room/read"
    done >"$room/reads"
) &
reading=$!

expect 422 POST "$VIEW/rebuilds" '{"by": "", "why": "a test"}'
expect 202 POST "$VIEW/rebuilds" '{"by": "a test", "why": "two rows were broken"}'
rebuild=$(jq -r .rebuildId <<<"$answer")
# More is said meanwhile.
place_order
late=$order
act kitchen/ready "$other"
deadline=$((SECONDS + PATIENCE))
while request GET "$VIEW/rebuilds/$rebuild" && jq -e '.endedAt == null' <<<"$answer" >/dev/null && ((SECONDS < deadline)); do
    sleep 0.1
done
holds 'the rebuild is done' '.endedAt != null and .ahead == 0 and .records > 0'
note "$(jq -r .records <<<"$answer") records were read again"
await_state "$late" PREPARING
await_state "$other" READY
rm "$room/reading"
wait "$reading"

same 'every read was answered' '' "$(grep -v '^200 ' "$room/reads" | few || true)"
same 'no reader saw an order go back' "$(cut -d' ' -f2 "$room/reads")" "$(cut -d' ' -f2 "$room/reads" | sort -n)"
for order in "$wrong" "$gone"; do
    expect 200 GET "$VIEW/orders/$order"
    holds 'the truth is back' '.state == "PREPARING" and .version == 7 and .ticket.state == "PREPARING"'
done
expect 404 GET "$VIEW/rebuilds/$NOBODY"
audit_clean --wait "$PATIENCE"
