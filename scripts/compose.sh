#!/usr/bin/env bash
# compose.sh env|build|up|stop|clean: the platform in containers.
#   env     write .env with random passwords, unless it is there
#   build   build the images, where a Docker daemon answers and has, or gets, the base images; otherwise say so
set -euo pipefail
cd "$(dirname "$0")/.."

ROLES=(POSTGRES ORDERS CUSTOMERS RESTAURANTS PAYMENTS KITCHENS DELIVERIES VIEWS GATEWAY RELAY)

passwords() {
    if [[ -e .env ]]; then return; fi
    local role
    (
        umask 077
        for role in "${ROLES[@]}"; do
            printf '%s_PASSWORD=%s\n' "$role" "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
        done >.env.partial
        mv .env.partial .env
    )
    echo "wrote .env: random passwords, for this machine only"
}

# why_not: the reason that nothing can be done with containers here, or nothing.
why_not() {
    if ! command -v docker >/dev/null; then
        echo "Docker is not installed"
    elif ! docker info >/dev/null 2>&1; then
        echo "no Docker daemon answers"
    elif ! docker compose version >/dev/null 2>&1; then
        echo "docker has no compose plugin (version 2)"
    fi
}

need_docker() {
    local reason
    reason=$(why_not)
    if [[ $reason ]]; then
        echo "$reason; without DOCKER=1 the platform needs none of it" >&2
        exit 1
    fi
}

build() {
    local reason
    reason=$(why_not)
    if [[ $reason ]]; then
        echo "no images were built: $reason"
        return
    fi
    passwords
    if ! docker compose build; then
        echo "no images were built: see above; the programs were, and \`make run\` does without images"
    fi
}

up() {
    need_docker
    passwords
    # Returns when the last one has started, which waits for all others to be healthy: the demo data. It ends by itself.
    docker compose up --build --detach
    local code
    code=$(docker wait "$(docker compose ps --all --quiet demo)")
    if ((code)); then
        docker compose logs --no-log-prefix demo >&2
        echo "the demo data was not loaded ($code), see above; the rest is up" >&2
        exit 1
    fi
    docker compose ps --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'
    sed -E 's/\{([0-9]+)\}/\1/g; s/^make status.*/docker compose ps, docker compose logs -f, make stop DOCKER=1/' platform/demo/first-order.txt
}

case ${1:-} in
    env) passwords ;;
    build) build ;;
    up) up ;;
    stop) need_docker && passwords && docker compose stop ;;
    clean) need_docker && passwords && docker compose down --volumes --remove-orphans && rm -f .env ;;
    *) sed -n '2,4s/^# //p' "$0" && exit 2 ;;
esac
