#!/usr/bin/env bash
# Installs what the tests need on Debian 12: tshark (the reference reading), Prometheus, promtool, Alertmanager and
# amtool, Chromium and npm (the dashboards), iproute2 (network namespaces), and implementations of the protocols by
# others. Does nothing where all of it is there. Needs root to install.
set -euo pipefail
cd "$(dirname "$0")/.."

# cargo-deny checks licences, sources and banned crates. Built from the registry, a few minutes, once.
if ! command -v cargo-deny >/dev/null 2>&1; then
    echo "setup: installing cargo-deny"
    cargo install cargo-deny --locked --version 0.20.2 --quiet
fi

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need tshark tshark
need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need amtool prometheus-alertmanager
need chromium chromium
need node nodejs
need npm npm
need unshare util-linux
# What the dashboards are drawn with.
[ -d /usr/share/fonts/opentype/inter ] || missing+=(fonts-inter)
need ip iproute2
need tc iproute2
need curl curl
need python3 python3
need mbpoll mbpoll
need ethtool ethtool
need cc gcc

python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)

install() {
    echo "setup: installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        echo "setup: not root, so these are not installed; tests that need them will be skipped and say so" >&2
        return
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    # Debian starts a Prometheus and an Alertmanager of its own; the tests start theirs.
    if command -v systemctl >/dev/null 2>&1; then
        systemctl disable --now prometheus prometheus-alertmanager >/dev/null 2>&1 || true
    fi
}
[ ${#missing[@]} -eq 0 ] || install

# Implementations of the protocols by others, for tests that talk to them (simulators/tests/peers.rs).
peers=simulators/tests/peers/requirements.txt
if ! cmp -s "$peers" target/peers/requirements.txt; then
    echo "setup: installing $(tr '\n' ' ' < "$peers")"
    mkdir -p target
    python3 -m venv --clear target/peers
    target/peers/bin/pip install --quiet --disable-pip-version-check --requirement "$peers"
    cp "$peers" target/peers/requirements.txt
fi
