#!/usr/bin/env bash
# What the full pipeline costs, beside a program that only reads, finds the flow and touches every byte.
# Makes the captures out of the corpus (once, in the folder given), then runs both in turn, several times.
#
#   scripts/bench.sh [FOLDER] [ROUNDS]
set -euo pipefail
cd "$(dirname "$0")/.."
folder="${1:-target/bench}"
rounds="${2:-5}"
oracle="$(dirname "${GRIDTAP_CORPUS:-$PWD/../shared/corpus}")/oracle"
mkdir -p "$folder"
cargo build --release --locked --quiet
cc -O2 -o "$folder/floor" "$oracle/floor.c"
for mix in modbus dnp3 mixed; do
    file="$folder/$mix.pcap"
    [ -f "$file" ] || python3 "$oracle/make_bench.py" --size-mb 300 --mix "$mix" --pairs 200 --seed 1 "$file"
done
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
printf '%-8s %12s %12s %8s %14s\n' file "floor ns" "gridtap ns" ratio "peak KiB"
for mix in modbus dnp3 mixed; do
    file="$folder/$mix.pcap"
    : > "$folder/floor.txt"; : > "$folder/gridtap.txt"
    for _ in $(seq "$rounds"); do
        "$folder/floor" 3 "$file" | sed 's/.*ns\/pkt(cpu) *\([0-9.]*\).*/\1/' >> "$folder/floor.txt"
        target/release/gridtap bench "$file" > "$folder/out.txt"
        awk '/^ns a packet/ {print $4}' "$folder/out.txt" >> "$folder/gridtap.txt"
    done
    floor=$(median < "$folder/floor.txt"); ours=$(median < "$folder/gridtap.txt")
    peak=$(awk '/^peak memory/ {print $3}' "$folder/out.txt")
    printf '%-8s %12s %12s %8s %14s\n' "$mix" "$floor" "$ours" "$(awk "BEGIN {printf \"%.1f\", $ours / $floor}")" "$peak"
done
