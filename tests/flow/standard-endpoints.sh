#!/usr/bin/env bash
# What every process has: liveness, readiness, metrics, a description of its API; and problems where nothing is.
# shellcheck disable=SC2154
source "$(dirname "$0")/lib.sh"

for base in "$ORDERS" "$CUSTOMERS" "$RESTAURANTS" "$RELAY" "$PAYMENTS" "$KITCHEN" "$DELIVERY" "$VIEW" "$GATEWAY"; do
    expect 200 GET "$base/health/live"
    expect 200 GET "$base/health/ready"
    holds "$base/health/ready says that it is ready" '.ready == true'
    expect 200 GET "$base/metrics"
    same "$base/metrics is the text format of Prometheus" 'text/plain; version=0.0.4; charset=utf-8' "$media_type"
    same "$base/metrics has samples, and nothing but samples and comments" '' \
        "$(grep -Evm 3 '^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? [-+0-9.eEnNaAiIfF]+)?$' <<<"$answer" || true)"
    expect 200 GET "$base/openapi.json"
    same "$base/openapi.json is JSON" application/json "$media_type"
    holds "$base/openapi.json describes OpenAPI 3.1" '(.openapi | startswith("3.1")) and (.info.title | length > 0) and (.paths | type == "object")'
    expect 404 GET "$base/nothing/here"
    same "$base answers with problems" application/problem+json "$media_type"
done

# has BASE 'METHOD PATH'…: the description lists the paths, whatever it calls their parameters.
has() {
    local base=$1 path
    request GET "$base/openapi.json"
    shift
    for path in "$@"; do
        holds "$base describes $path" \
            "[.paths | to_entries[] | (.key | gsub(\"{[^}]*}\"; \"{id}\")) as \$path | .value | keys[] | . + \" \" + \$path] | index(\"$path\") != null"
    done
}
has "$ORDERS" 'post /orders' 'get /orders/{id}' 'get /orders/{id}/saga'
has "$CUSTOMERS" 'post /customers' 'get /customers/{id}' 'post /customers/{id}/suspend' 'post /customers/{id}/resume'
has "$RESTAURANTS" 'post /restaurants' 'get /restaurants' 'get /restaurants/{id}' 'put /restaurants/{id}/menu' \
    'get /restaurants/{id}/menu' 'get /tickets/{id}'
has "$PAYMENTS" 'post /payment-methods' 'get /payments'
has "$KITCHEN" 'get /kitchen/cooks' 'post /kitchen/ready'
has "$DELIVERY" 'get /delivery/ready' 'post /delivery/pickedup' 'post /delivery/complete'
has "$VIEW" 'get /orders/{id}' 'get /orders' 'get /tickets/{id}' 'get /tickets'

expect 405 DELETE "$ORDERS/orders"
same 'a method that is not taken is a problem, too' application/problem+json "$media_type"
