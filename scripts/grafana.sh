#!/usr/bin/env bash
# Proves rules, alerts and dashboards against the real tools: promtool, amtool, a real Prometheus and Alertmanager that
# watch a drill in real time, Grafana's libraries in headless Chromium. Needs root (network namespaces).
#
#   scripts/grafana.sh [GRIDTAP] [SIMULATOR]
#
# npm's packages and the built page are kept under target/grafana, by the content of what they are made from; on a
# fresh machine they are set up from nothing. PNGs of the dashboards: target/grafana/png.
set -euo pipefail
cd "$(dirname "$0")/.."
gridtap=${1:-target/debug/gridtap}
simulator=${2:-target/debug/gridtap-sim}
kept=$PWD/target/grafana
mkdir -p "$kept"

skip() {
    if [ "${GRIDTAP_NO_SKIP:-}" = 1 ]; then
        echo "$1, and nothing may be skipped here" >&2
        exit 1
    fi
    echo "SKIPPED the drill of rules and dashboards: $1"
    exit 0
}

trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for program in promtool amtool python3; do
    command -v "$program" > /dev/null || skip "no $program"
done
echo "rules: promtool and amtool"
promtool check config grafana/prometheus/prometheus.yml > "$kept/promtool.txt" || { cat "$kept/promtool.txt"; exit 1; }
promtool check rules --lint=all --lint-fatal grafana/prometheus/rules/*.yml > "$kept/promtool.txt" || { cat "$kept/promtool.txt"; exit 1; }
promtool test rules grafana/prometheus/tests/*.yml
amtool check-config grafana/alertmanager/alertmanager.yml
route() {
    local got
    got=$(amtool config routes test --config.file=grafana/alertmanager/alertmanager.yml "${@:2}" 2>/dev/null)
    [ "$got" = "$1" ] || { echo "${*:2} goes to $got, not to $1" >&2; exit 1; }
}
route soc-pager team=soc severity=critical
route soc team=soc severity=warning
route daily team=soc severity=info
route sensors team=sensor severity=critical
route ops team=ops severity=critical

echo "dashboards: generated, and by the rules"
python3 grafana/dashboards/generate.py --check
python3 grafana/tests/lint.py grafana/dashboards/*.json

# Where the machine's Node is too old (scripts/setup.sh).
[ ! -x target/node/bin/npm ] || PATH="$PWD/target/node/bin:$PATH"
[ "$(id -u)" = 0 ] || skip "not root"
for program in unshare ip prometheus prometheus-alertmanager node npm chromium; do
    command -v "$program" > /dev/null || skip "no $program"
done
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || a == 20 && b >= 19 ? 0 : 1)' ||
    skip "node $(node --version) is older than 20.19, which the dashboards' packages ask for"

# The page: packages by their lock file, the bundle and the schemas by their sources.
sum() { cat "$@" | sha256sum | cut -c1-16; }
packages=$kept/npm-$(sum grafana/render/package-lock.json)
sources=$(sum grafana/render/package-lock.json grafana/render/*.mjs grafana/render/*.js* grafana/render/index.html grafana/render/src/*)
page=$kept/page-$sources
build() {
    if [ ! -f "$packages/ready" ]; then
        rm -rf "$kept"/npm-*
        mkdir -p "$packages"
        cp grafana/render/package.json grafana/render/package-lock.json "$packages"
        (cd "$packages" && npm ci --ignore-scripts --legacy-peer-deps --no-audit --no-fund --silent)
        touch "$packages/ready"
    fi
    if [ ! -f "$page/ready" ]; then
        rm -rf "$kept"/page-*
        cp -r grafana/render "$page"
        ln -sfn "$packages/node_modules" "$page/node_modules"
        (cd "$page" && node_modules/.bin/vite build > "$page/vite.log" 2>&1) || { tail -30 "$page/vite.log"; return 1; }
        touch "$page/ready"
    fi
    node "$page/validate.mjs" "$page/schemas" grafana/dashboards/*.json
}
# Before the drill: beside it, it would take the time that sensors and Prometheus need. Not `build ||`, which would let
# the function go on after an error.
build > "$kept/build.log" 2>&1 &
wait $! || { cat "$kept/build.log"; exit 1; }
cat "$kept/build.log"

python3 grafana/tests/drill/drill.py --gridtap "$gridtap" --simulator "$simulator" --folder "$kept/drill" -- \
    node "$page/shoot.mjs" "$page/dist" "$PWD/grafana/dashboards" "$kept/png" &
wait $!
echo "PNGs of the dashboards: $kept/png"
