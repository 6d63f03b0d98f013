#!/usr/bin/env bash
# outage.sh [ORDERS [CLIENTS]]: as kill.sh, but it is Postgres and Kafka that are killed, and two services beside them.
# What they acknowledged is there afterwards, and everybody else has waited for them.
VICTIMS=${VICTIMS:-kafka kitchen-service postgres order-view} exec "$(dirname "$0")/kill.sh" "$@"
