#!/usr/bin/env bash
# Runs every test; installs what they need first (as root on Debian 12). The corpus of real captures is
# looked for in GRIDTAP_CORPUS, by default ../shared/corpus; without it, tests that need it say so and
# count as skipped. With GRIDTAP_NO_SKIP=1 a skipped test is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s\n' "$*"; }

step "set-up"
scripts/setup.sh
export GRIDTAP_CORPUS="${GRIDTAP_CORPUS:-$PWD/../shared/corpus}"
oracle="$(dirname "$GRIDTAP_CORPUS")/oracle"

step "format and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets --locked -- -D warnings

step "packages hold no simulator"
if cargo tree --locked --package gridtap --no-default-features --edges normal | grep gridtap-simulators; then
    echo "without its default features gridtap depends on the simulators" >&2
    exit 1
fi
cargo check --locked --package gridtap --no-default-features

step "tests"
cargo test --workspace --locked

step "release build"
cargo build --release --locked

step "rules, alerts and dashboards against Prometheus, Alertmanager and Grafana's libraries"
cargo build --package gridtap-simulators --bin gridtap-sim --locked
scripts/grafana.sh target/release/gridtap

step "every PDU of the corpus against the reference reading"
if [ -d "$GRIDTAP_CORPUS" ] && [ -x "$oracle/compare.py" ]; then
    for protocol in modbus dnp3 iec104 goose; do
        python3 "$oracle/compare.py" --corpus "$GRIDTAP_CORPUS" --only "$protocol" \
            --known tests/known-differences.toml -- \
            target/release/gridtap dissect --json --protocol '{protocol}' '{file}'
    done
elif [ "${GRIDTAP_NO_SKIP:-}" = 1 ]; then
    echo "no corpus at $GRIDTAP_CORPUS, and nothing may be skipped here" >&2
    exit 1
else
    echo "SKIPPED the reference comparison: no corpus at $GRIDTAP_CORPUS"
fi

step "instructions a packet, against the budget"
if [ -f "$oracle/make_bench.py" ] && command -v valgrind > /dev/null; then
    python3 benches/instructions.py --gridtap target/release/gridtap --oracle "$oracle"
elif [ "${GRIDTAP_NO_SKIP:-}" = 1 ]; then
    echo "no valgrind, or no $oracle/make_bench.py, and nothing may be skipped here" >&2
    exit 1
else
    echo "SKIPPED the instruction budget: no valgrind, or no $oracle/make_bench.py"
fi

step "licences and sources of the dependencies"
cargo deny check bans licenses sources

printf '\nAll done.\n'
