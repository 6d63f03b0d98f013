#!/usr/bin/env bash
# scale.sh PLATFORM OUT ARGUMENTS…: the same load on each number of INSTANCES of every service and of the relay, each time on a
# platform of its own; what a run finds is told beside what those before it have found. One that finds violations does not keep
# the next ones from being made. PLATFORM is the program; `bench`, which lies beside it, is given the ARGUMENTS (`bench scale --help`).
set -euo pipefail
platform=$1 out=$2
bench=${BENCH:-$(dirname "$platform")/bench}
shift 2
trap 'exit 130' INT TERM HUP

# All but the gateway: it stands for a company of its own.
services=(ORDER_SERVICE CUSTOMER_SERVICE RESTAURANT_SERVICE PAYMENT_SERVICE KITCHEN_SERVICE DELIVERY_SERVICE ORDER_VIEW MESSAGE_RELAY)
failed=0
mkdir -p "$out"
rm -f "$out/scaling.json"
for instances in ${INSTANCES:-1 2 3}; do
    for service in "${services[@]}"; do export "INSTANCES_$service=$instances"; done
    "$platform" test-platform -- "$bench" scale --json "$out/scaling.json" --markdown "$out/scaling.md" "$@" || failed=1
done
exit "$failed"
