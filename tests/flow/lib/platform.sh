# The platform behind the addresses: its processes, databases, topics and logs, as the supervisor wrote them down.
# shellcheck shell=bash disable=SC2154

TOPICS=(order-customer order-ticket order-payment order-kitchen order-reply)
DEAD_LETTERS=("${TOPICS[@]/%/.dlq}")
export DEAD_LETTERS

# need_platform: for scripts that look behind the addresses.
need_platform() {
    if [[ ! -f $PLATFORM_DIR/run/order-service.json ]]; then
        die "no platform runs in $PLATFORM_DIR: PLATFORM_DIR must name its folder"
    fi
    if [[ ! -x $PROBE ]]; then die "no program at $PROBE: cargo build --release -p probe"; fi
}

# setting PROCESS NAME: what the supervisor told a process; nothing when it did not.
setting() { jq -r --arg name "$2" '.spec.environment[$name] // empty' "$PLATFORM_DIR/run/$1.json"; }

# databases: a line `PROCESS URL` for each database.
databases() {
    jq -r '.spec | select(.environment.DATABASE_URL) | "\(.name) \(.environment.DATABASE_URL)"' "$PLATFORM_DIR"/run/*.json |
        sort -u -k 2,2
}

# query PROCESS SQL: the rows, as JSON, asked as the process itself.
query() { printf '%s' "$2" | "$PROBE" database query "$(setting "$1" DATABASE_URL)" -; }

# execute PROCESS SQL: a statement that breaks or mends something, as the process itself.
execute() { printf '%s' "$2" | "$PROBE" database execute "$(setting "$1" DATABASE_URL)" -; }

# records [--since MILLISECONDS] TOPIC…: the records, one JSON a line.
records() {
    KAFKA_BROKERS=$(setting order-service KAFKA_BROKERS) TOPIC_PREFIX=$(setting order-service TOPIC_PREFIX) "$PROBE" topics "$@"
}

# pid_of PROCESS
pid_of() { cat "$PLATFORM_DIR/run/$1.pid"; }

# await_ready SECONDS: waits until every process is ready.
await_ready() {
    local base deadline=$((SECONDS + $1))
    for base in "$ORDERS" "$CUSTOMERS" "$RESTAURANTS" "$RELAY" "$PAYMENTS" "$KITCHEN" "$DELIVERY" "$VIEW" "$GATEWAY"; do
        while request GET "$base/health/ready" && [[ $answered != 200 ]] && ((SECONDS < deadline)); do sleep 0.05; done
        same "$base is ready" 200 "$answered"
    done
}

# now: milliseconds since 1970.
now() { jq -n 'now * 1000 | floor'; }
