#!/usr/bin/env bash
# run.sh [NAME…]: puts each defect (each patch here, or those named) into a copy of the tree, builds it, and runs the machinery
# that is to catch it; the copy is one of what git knows, changes that are not committed included. The machinery runs without
# the defect first: what is red anyway catches nothing. Exit code 1 when a defect is not caught.
# run.sh --check: only whether every patch is whole and still applies; takes a moment.
#
#   DEFECTS_PATIENCE   seconds for one run of a machinery (default 600)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
export PATH="$HOME/.cargo/bin:$PATH"
# The operator's platform is not the one to put defects into.
unset PLATFORM_DIR PORT_OFFSET DATABASE_URL KAFKA_BROKERS OPERATOR PROBE

die() { printf '%s\n' "$*" >&2 && exit 2; }

# field NAME FIELD: `By`, the machinery that is to catch the defect, or `Says`, a regular expression for what it says then.
field() { sed -n "/^diff /q; s/^$2: //p" "$here/$1.patch"; }

check=
if [[ ${1:-} == --check ]]; then check=yes && shift; fi
names=("$@")
if ((${#names[@]} == 0)); then
    for patch in "$here"/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
for name in "${names[@]}"; do
    if [[ ! -f $here/$name.patch ]]; then die "there is no defect $name"; fi
    if [[ ! $(field "$name" By) || ! $(field "$name" Says) ]]; then die "$name.patch does not tell By and Says"; fi
    git apply --check "$here/$name.patch" || die "$name.patch does not apply any more: bring it up to date"
done
if [[ $check ]]; then
    echo "${#names[@]} defects apply"
    exit
fi

# Programs of its own: nobody else shall run one with a defect by mistake. The copy stays where it is, so that only what a patch
# changes is compiled.
target=$(realpath -m "${CARGO_TARGET_DIR:-target}/defects")
tree=$target/tree
export CARGO_TARGET_DIR=$target
mkdir -p "$target"
exec 9>"$target/lock"
flock -n 9 || die 'defects are being put in already'
room=$(mktemp -d "${TMPDIR:-/tmp}/defects.XXXXXXXX")

# Each step is a process group of its own, so that all of it can be told to stop.
set -m
step=
# shellcheck disable=SC2317
clean() {
    if [[ $step ]] && kill -TERM -- "-$step" 2>/dev/null; then wait "$step" || true; fi
    git -C "$tree" checkout -qf . 2>/dev/null || true
    rm -rf "$room"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP

# run FILE COMMAND…: with its output in a file.
run() {
    local file=$1 code=0
    shift
    "$@" >"$file" 2>&1 9>&- &
    step=$!
    wait "$step" || code=$?
    step=
    return "$code"
}

# machinery BY: the programs as they were built last.
# shellcheck disable=SC2317
machinery() {
    local name arguments built=$target/debug
    read -r name arguments <<<"$1"
    # shellcheck disable=SC2086
    case $name in
        simulation) exec timeout "$patience" "$built/simulation" $arguments ;;
        chaos)
            export INSTANCES_MESSAGE_RELAY=2 INSTANCES_ORDER_SERVICE=2
            exec timeout "$patience" "$built/platform" test-platform -- "$built/chaos" $arguments
            ;;
        flow)
            export OPERATOR=$built/operator PROBE=$built/probe
            exec timeout "$patience" "$built/platform" test-platform -- "$tree/tests/flow/run.sh" $arguments
            ;;
        *) die "there is no machinery $name" ;;
    esac
}
patience=${DEFECTS_PATIENCE:-600}

# build BY: what the machinery needs, from the copy as it is.
build() {
    local wanted=(--bins)
    if [[ $1 == simulation* ]]; then wanted=(--bin simulation); fi
    run "$room/build" cargo build --quiet --workspace --manifest-path "$tree/Cargo.toml" "${wanted[@]}" ||
        { cat "$room/build" && die "it does not compile: $2"; }
}

if [[ ! -d $tree/.git ]]; then git clone --quiet --shared --no-checkout . "$tree"; fi
commit=$(git stash create)
git -C "$tree" checkout -qf --detach "${commit:-$(git rev-parse HEAD)}"

declare -A sound=()
rows=()
missed=0
for name in "${names[@]}"; do
    by=$(field "$name" By)
    if [[ ! ${sound[$by]:-} ]]; then
        printf '== %s, without a defect\n' "$by"
        build "$by" 'the tree itself'
        run "$room/out" machinery "$by" || { tail -n 60 "$room/out" | cut -c 1-500 && die "$by fails without any defect: it can catch none"; }
        sound[$by]=yes
    fi
done
for name in "${names[@]}"; do
    by=$(field "$name" By)
    printf '== %s: %s\n' "$name" "$by"
    git -C "$tree" apply "$here/$name.patch"
    build "$by" "$name.patch"
    code=0 from=$SECONDS
    run "$room/out" machinery "$by" || code=$?
    took=$((SECONDS - from))
    words=$(grep -Eom 1 -- ".{0,100}($(field "$name" Says)).{0,60}" "$room/out" | head -n 1 || true)
    if ((code == 0)) || [[ ! $words ]]; then
        missed=$((missed + 1))
        tail -n 40 "$room/out" | cut -c 1-500
        words="NOT CAUGHT: it ended with $code"
    fi
    printf '%s\n' "$words"
    rows+=("| $name | $by | $words | $took s |")
    git -C "$tree" checkout -qf .
done

printf '\n| Defect | Caught by | By what | After |\n|---|---|---|---|\n'
printf '%s\n' "${rows[@]}"
printf '\n%d defects, %d not caught\n' "${#names[@]}" "$missed"
exit $((missed > 0))
