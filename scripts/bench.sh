#!/usr/bin/env bash
# What gridtap costs, beside a program that only reads, finds the flow and touches every byte (the floor), and beside
# tshark. Makes the captures out of the corpus (once, in the folder given), then runs all in turn, several times, and
# prints medians with the machine they were measured on. For docs/performance.md; on an idle machine.
#
#   scripts/bench.sh [FOLDER] [ROUNDS]
#
# Columns, in nanoseconds of processor time a packet: floor; bench (the full pipeline, one thread, every value added
# up), bare and judging by a profile learned from the same capture; replay that writes every operation with its values
# as JSON; tshark that prints ten fields (of the first 300,000 packets).
set -euo pipefail
cd "$(dirname "$0")/.."
folder="${1:-target/bench}"
rounds="${2:-5}"
oracle="$(dirname "${GRIDTAP_CORPUS:-$PWD/../shared/corpus}")/oracle"
gridtap=target/release/gridtap
mkdir -p "$folder"
cargo build --release --locked --quiet
cc -O2 -o "$folder/floor" "$oracle/floor.c"

echo "$(date -u +%F), $(sed -n 's/^model name\t: //p' /proc/cpuinfo | head -1), $(nproc) cores, $(awk '/MemTotal/ {printf "%d GiB", $2 / 1048576}' /proc/meminfo), Linux $(uname -r), $(rustc --version), $(git describe --always --dirty), load $(cut -d' ' -f1 /proc/loadavg)"

median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
# Processor time of a command in nanoseconds a packet.
cost() {
    local packets=$1 spent
    shift
    spent=$( { TIMEFORMAT='%U %S'; time "$@" > /dev/null 2> "$folder/stderr.txt"; } 2>&1 )
    echo "$spent" | awk -v n="$packets" '{printf "%.1f\n", ($1 + $2) * 1e9 / n}'
}
FIELDS=(-e frame.time_epoch -e ip.src -e ip.dst -e tcp.stream -e mbtcp.trans_id -e modbus.func_code
    -e modbus.reference_num -e dnp3.src -e dnp3.al.func -e iec60870_asdu.typeid)

printf '%-8s %9s %8s %8s %7s %8s %8s %8s %9s %9s\n' capture packets floor bench ratio profile json tshark RssAnon resident
for mix in modbus dnp3 mixed iec104; do
    file="$folder/$mix.pcap"
    [ -f "$file" ] || python3 "$oracle/make_bench.py" --size-mb 300 --mix "$mix" --pairs 200 --seed 1 "$file" > "$folder/made.txt"
    [ -f "$folder/$mix.toml" ] || "$gridtap" learn "$file" -o "$folder/$mix.toml" --name "$mix" > "$folder/learned.txt" 2>&1
    rm -f "$folder/$mix".*.ns
    for _ in $(seq "$rounds"); do
        "$folder/floor" 3 "$file" | sed 's/.*ns\/pkt(cpu) *\([0-9.]*\).*/\1/' >> "$folder/$mix.floor.ns"
        "$gridtap" bench "$file" > "$folder/out.txt"
        awk '/^ns a packet/ {print $4}' "$folder/out.txt" >> "$folder/$mix.bench.ns"
        packets=$(awk '/^packets / {print $2}' "$folder/out.txt")
        memory=$(awk '/^peak memory/ {print $8, $3}' "$folder/out.txt")
        "$gridtap" bench --profile "$folder/$mix.toml" "$file" | awk '/^ns a packet/ {print $4}' >> "$folder/$mix.profile.ns"
        cost "$packets" "$gridtap" replay --workers 1 --profile "$folder/$mix.toml" --operations all --events /dev/null "$file" >> "$folder/$mix.json.ns"
        command -v tshark > /dev/null && cost 300000 tshark -n -c 300000 -r "$file" -T fields "${FIELDS[@]}" >> "$folder/$mix.tshark.ns"
    done
    touch "$folder/$mix.tshark.ns"
    of() { median < "$folder/$mix.$1.ns"; }
    printf '%-8s %9s %8s %8s %7s %8s %8s %8s %9s %9s\n' "$mix" "$packets" "$(of floor)" "$(of bench)" \
        "$(awk "BEGIN {printf \"%.1f\", $(of bench) / $(of floor)}")" "$(of profile)" "$(of json)" "$(of tshark)" $memory
done
