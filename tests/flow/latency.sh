#!/usr/bin/env bash
# latency.sh [ORDERS]: from POST /orders to PREPARING in the view, on a platform that does nothing else: so many orders
# (100), one after another. Timed inside one process over kept connections: from the first byte of the POST to the last
# byte of the view's answer, for which the view is asked once, with atLeast = the version that PREPARING has.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"
need_platform

furnish
result=$("$PROBE" latency --orders "$ORDERS" --view "$VIEW" --body "$(order_body)" --count "${1:-100}")
jq -r '"\(.orders) orders, POST → \(.state) in the view: p50 \(.p50) ms, p90 \(.p90) ms, p99 \(.p99) ms, min \(.min) ms, max \(.max) ms; until the 201: \(.meanUntilTaken * 100 | round / 100) ms on average"' <<<"$result"
holds 'it was measured' '.orders > 0 and .p50 > 0' "$result"

# Leaves no order behind that would wait for a cook for ever.
jq -r '.ids[]' <<<"$result" | sort >"$room/ids"
act_crowd kitchen/ready "$room/ids" 10
await_deliveries "$room/ids" 60
act_crowd delivery/pickedup "$room/ids" 10
act_crowd delivery/complete "$room/ids" 10
await_all "$room/ids" COMPLETE 60
