# What the flow scripts share: where the services are, how to ask them, how to check what they say.
# A script sources this file first. It needs bash, curl, jq and coreutils; nothing of it leaves 127.0.0.1.
#
#   PORT_OFFSET    added to every port, as for `platform` (default 0)
#   PLATFORM_DIR   the platform's folder (default .platform): processes, databases and logs are found through it
#   PROBE          the program that looks into topics and tables (default target/release/probe)
#   OPERATOR       the program that audits and looks after dead letters (default target/release/operator)
#   PATIENCE       seconds to wait for anything before it counts as failed (default 30)
#   VERBOSE        when set, passed checks are told, too
# shellcheck shell=bash
set -Eeuo pipefail
export LC_ALL=C

flow=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$flow/../.." && pwd)
PORT_OFFSET=${PORT_OFFSET:-0}
PLATFORM_DIR=${PLATFORM_DIR:-$repository/.platform}
PROBE=${PROBE:-${CARGO_TARGET_DIR:-$repository/target}/release/probe}
OPERATOR=${OPERATOR:-${CARGO_TARGET_DIR:-$repository/target}/release/operator}
PATIENCE=${PATIENCE:-30}

at() { printf 'http://127.0.0.1:%d' $(($1 + PORT_OFFSET)); }
ORDERS=$(at 8080)
CUSTOMERS=$(at 8081)
RESTAURANTS=$(at 8082)
RELAY=$(at 8083)
PAYMENTS=$(at 8084)
KITCHEN=$(at 8085)
DELIVERY=$(at 8086)
VIEW=$(at 8087)
GATEWAY=$(at 8090)
export ORDERS CUSTOMERS RESTAURANTS RELAY PAYMENTS KITCHEN DELIVERY VIEW GATEWAY

# A folder for this script alone, gone with it.
# shellcheck disable=SC2034
room=$(mktemp -d "${TMPDIR:-/tmp}/flow.XXXXXXXX")

for part in checks http orders crowd platform; do
    # shellcheck source=/dev/null
    source "$flow/lib/$part.sh"
done
