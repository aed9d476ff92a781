#!/usr/bin/env bash
# Installs what the tests need on Debian 12: tshark (the reference reading), Prometheus, promtool, Alertmanager and
# amtool, Chromium and npm (the dashboards), iproute2 (network namespaces). Does nothing where all of it is there. Needs
# root to install.
set -euo pipefail

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
need ip iproute2
need tc iproute2
need curl curl
need python3 python3
need cc gcc

if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
echo "setup: installing ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
    echo "setup: not root, so these are not installed; tests that need them will be skipped and say so" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
# Debian starts a Prometheus and an Alertmanager of its own; the tests start theirs.
if command -v systemctl >/dev/null 2>&1; then
    systemctl disable --now prometheus prometheus-alertmanager >/dev/null 2>&1 || true
fi
