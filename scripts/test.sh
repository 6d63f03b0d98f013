#!/usr/bin/env bash
# test.sh: everything that must pass, on ports and in folders of its own, also beside a running platform. Whatever it
# starts ends with it, when it is interrupted too. A step that fails does not keep the next ones from telling what they
# find. The last line is the verdict.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$HOME/.cargo/bin:$PATH"
# The operator's platform is not the one to test.
unset PLATFORM_DIR PORT_OFFSET DATABASE_URL KAFKA_BROKERS

# Unoptimised: forty test binaries, each with a whole service in it, would take a quarter of an hour to optimise.
programs=${CARGO_TARGET_DIR:-$PWD/target}/debug
platform=$programs/platform
export PROBE=$programs/probe OPERATOR=$programs/operator
begun=$SECONDS
failed=()

# Each step is a process group of its own, so that all of it can be told to stop.
set -m
step=
trap 'if [[ $step ]]; then kill -TERM -- "-$step" 2>/dev/null; wait; fi; verdict interrupted; exit 130' INT TERM HUP

# run NAME COMMAND…
run() {
    local name=$1 code=0 from=$SECONDS
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" &
    step=$!
    wait "$step" || code=$?
    step=
    printf '== %s: %s, %d s\n' "$name" "$( ((code)) && echo "FAILED ($code)" || echo passed)" $((SECONDS - from))
    if ((code)); then failed+=("$name"); fi
    return "$code"
}

verdict() { printf '\nmake test: %s (%d min %d s)\n' "$1" $(((SECONDS - begun) / 60)) $(((SECONDS - begun) % 60)); }

# Where a Docker daemon has the official images, the tests start containers of them; otherwise they share one private
# Postgres and one private Kafka. It becomes the program that it starts: whoever looks for this script finds one process.
servers() {
    if docker image inspect postgres:18 apache/kafka:4.3.0 >/dev/null 2>&1; then
        exec "$@"
    else
        exec "$platform" test-servers -- "$@"
    fi
}

run prerequisites scripts/prerequisites.sh --lint || { verdict 'FAILED: prerequisites' && exit 1; }
run format cargo fmt --all --check || true
# That each is caught, `make defects` proves; it takes half an hour.
run defects tests/defects/run.sh --check || true
# With the tests' own dependencies, as `cargo test` builds: everything is compiled once.
run build cargo build --workspace --all-targets || { verdict 'FAILED: build' && exit 1; }
run lint cargo clippy --workspace --all-targets -- -D warnings || true
if command -v cargo-deny >/dev/null; then run dependencies cargo deny check bans licenses sources || true; fi
run tests servers cargo test --workspace --no-fail-fast || true
run flow "$platform" test-platform -- tests/flow/run.sh || true
# A short one; `make chaos` is the long one. A violation tells the seed that brings the same faults again.
export INSTANCES_MESSAGE_RELAY=2 INSTANCES_ORDER_SERVICE=2
run chaos "$platform" test-platform -- "$programs/chaos" --seconds 60 --recoveries 0 || true

if ((${#failed[@]})); then
    verdict "FAILED: ${failed[*]}"
    exit 1
fi
verdict passed
