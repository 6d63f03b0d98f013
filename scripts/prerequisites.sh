#!/usr/bin/env bash
# prerequisites.sh [--lint]: is everything here that building and running need? Looks for all of it at once. What is
# missing it installs when it is root on a Debian-like system; otherwise it says in one message what to install and how.
#   --lint   rustfmt and clippy are needed, too
set -euo pipefail

RUST=1.95
JAVA=17
export PATH="$HOME/.cargo/bin:$PATH"

have() { command -v "$1" >/dev/null 2>&1; }

# at_least WANTED FOUND: compares versions, number by number.
at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

rust_version() { rustc --version 2>/dev/null | cut -d ' ' -f 2; }

# 17.0.15 of JDK 17; JDK 8 calls itself 1.8.0. The stub of macOS without a JDK prints no version.
java_version() { java -version 2>&1 | sed -n 's/.*version "\([0-9.]*\).*/\1/p' | head -n 1; }

# look: fills `missing` (what it is called) and `packages` (what Debian calls it).
look() {
    missing=()
    packages=()
    rust_is_missing=
    if ! { have cargo && at_least "$RUST" "$(rust_version)"; }; then
        missing+=("a Rust toolchain, $RUST or later")
        rust_is_missing=yes
    elif [[ $lint ]] && ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
        missing+=("rustfmt and clippy (rustup component add rustfmt clippy)")
    fi
    need "a C compiler" build-essential cc
    need "a C++ compiler" build-essential c++
    need make make make
    if ! { have java && have jar && at_least "$JAVA" "$(java_version)"; }; then
        missing+=("a JDK, $JAVA or later")
        packages+=(default-jdk-headless)
    fi
    need Maven maven mvn
    need curl curl curl
    need jq jq jq
    need tar tar tar
    need xz xz-utils xz
}

# need NAME PACKAGE PROGRAM
need() {
    if ! have "$3"; then
        missing+=("$1")
        packages+=("$2")
    fi
}

install_all() {
    echo "Installing: $(join "${missing[@]}")"
    if ((${#packages[@]})); then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ca-certificates "${packages[@]}" >/dev/null
    fi
    if [[ $rust_is_missing ]]; then
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y -q --profile minimal --component rustfmt,clippy --default-toolchain stable
    elif have rustup; then
        rustup -q component add rustfmt clippy
    fi
}

join() {
    local joined
    joined=$(printf '%s, ' "$@")
    echo "${joined%, }"
}

tell() {
    {
        echo "Missing: $(join "${missing[@]}")."
        echo "  Debian, Ubuntu:  sudo apt-get install build-essential default-jdk-headless maven curl jq xz-utils"
        echo "  Fedora:          sudo dnf install gcc gcc-c++ make java-latest-openjdk-devel maven curl jq xz"
        echo "  macOS:           xcode-select --install; brew install openjdk maven jq xz"
        echo "  Rust:            https://rustup.rs, or \`rustup update\`"
    } >&2
    exit 1
}

lint=
if [[ ${1:-} == --lint ]]; then lint=yes; fi
look
if ((${#missing[@]} == 0)); then exit 0; fi
if [[ $(id -u) != 0 ]] || ! have apt-get; then tell; fi
install_all
look
if ((${#missing[@]})); then tell; fi
