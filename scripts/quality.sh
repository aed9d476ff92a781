#!/usr/bin/env bash
# How good the findings are, measured on captures of others (docs/detection-quality.md).
#
#   scripts/quality.sh [GRIDTAP] [CORPUS]
#
# Labelled attack captures: learned from the frames that are not marked, replayed whole, scored.
# Benign captures: learned from the first half, the second half replayed; findings of medium or higher.
# Attack captures without labels: what is found without a profile.
# GOOSE: learned from a testbed's normal capture; its trips, its attacks and crafted frames replayed; other benign
# captures without a profile and with one learned from themselves.
# Simulated sites: a benign day and an attack day of each with its profile (gridtap-sim beside gridtap; cargo build
# --release --workspace builds both).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
gridtap=${1:-$root/target/release/gridtap}
corpus=${2:-${GRIDTAP_CORPUS:-$root/../shared/corpus}}
work=$(mktemp -d)
trap 'rm -rf "$work" "$work.toml"' EXIT

serious() {
    jq -rs '[.[] | select(.event == "finding" and (.severity | IN("medium", "high", "critical")))]
        | group_by(.uid) | map(.[-1]) | group_by(.kind)
        | map("\(.[0].id) \(.[0].kind) x\(length)") | join(", ") | if . == "" then "none" else . end' "$1"
}

echo "## Labelled attacks"
for labels in "$corpus"/attack/*.labels.csv; do
    capture=$(ls "${labels%.labels.csv}".pcap* | head -1)
    rm -f "$work"/*
    "$gridtap" learn "$capture" --labels "$labels" -o "$work/site.toml" 2> "$work/learned"
    "$gridtap" replay "$capture" --profile "$work/site.toml" --events "$work/events.jsonl" > /dev/null
    echo "### $(basename "$capture")"
    "$gridtap" score --findings "$work/events.jsonl" --labels "$labels" --capture "$capture"
    grep '^  - ' "$work/learned" || true
done

echo "## Benign captures, second half"
for name in modbus/plc-polling-16000pdu.pcap modbus/plc-polling-4000pdu.pcap dnp3/meter-ab1400-poll-long.pcap \
    dnp3/relay-sel751-poll.pcap dnp3/icsnpp-example.pcap; do
    capture=$corpus/$name
    rm -f "$work"/*
    frames=$(capinfos -c -M "$capture" | awk '/Number of packets/ { print $NF }')
    editcap -r "$capture" "$work/first.pcap" "1-$((frames / 2))"
    editcap -r "$capture" "$work/second.pcap" "$((frames / 2 + 1))-$frames"
    "$gridtap" learn "$work/first.pcap" -o "$work/site.toml" 2> /dev/null
    "$gridtap" replay "$work/second.pcap" --profile "$work/site.toml" --events "$work/events.jsonl" > /dev/null
    echo "$name: $(serious "$work/events.jsonl")"
done

echo "## Attack captures without labels, without a profile"
for capture in "$corpus"/attack/*modbus-fuzz* "$corpus"/attack/*covert* "$corpus"/attack/dnp3-*.pcap \
    "$corpus"/attack/resequenced-iec104-*.pcap; do
    rm -f "$work"/*
    "$gridtap" replay "$capture" --events "$work/events.jsonl" > /dev/null
    echo "$(basename "$capture"): $(serious "$work/events.jsonl")"
done

echo "## Benign IEC 104 captures, without a profile"
for capture in "$corpus"/iec104/*.pcap; do
    rm -f "$work"/*
    "$gridtap" replay "$capture" --events "$work/events.jsonl" > /dev/null
    echo "$(basename "$capture"): $(serious "$work/events.jsonl")"
done

echo "## GOOSE, learned from the testbed's normal capture"
"$gridtap" learn "$corpus/goose/substation-normal.pcap" -o "$work.toml" 2> /dev/null
for capture in "$corpus"/goose/substation-*.pcap "$corpus"/attack/goose-*.pcap; do
    rm -f "$work"/*
    "$gridtap" replay "$capture" --profile "$work.toml" --events "$work/events.jsonl" > /dev/null
    echo "$(basename "$capture"): $(serious "$work/events.jsonl")"
done
rm -f "$work.toml"

echo "## Other GOOSE captures: without a profile; learned from themselves"
for capture in "$corpus"/goose/[!s]*.pcap "$corpus"/goose/sample*.pcap; do
    rm -f "$work"/*
    "$gridtap" replay "$capture" --events "$work/events.jsonl" > /dev/null
    "$gridtap" learn "$capture" -o "$work/site.toml" 2> /dev/null
    "$gridtap" replay "$capture" --profile "$work/site.toml" --events "$work/learned.jsonl" > /dev/null
    echo "$(basename "$capture"): $(serious "$work/events.jsonl"); $(serious "$work/learned.jsonl")"
done

echo "## Covert channel, learned from its first tenth"
capture=$(ls "$corpus"/attack/*covert*)
rm -f "$work"/*
frames=$(capinfos -c -M "$capture" | awk '/Number of packets/ { print $NF }')
editcap -r "$capture" "$work/first.pcap" "1-$((frames / 10))"
"$gridtap" learn "$work/first.pcap" -o "$work/site.toml" 2> /dev/null
"$gridtap" replay "$capture" --profile "$work/site.toml" --events "$work/events.jsonl" > /dev/null
serious "$work/events.jsonl"

echo "## GOOSE, without a profile: kinds and severities"
for capture in "$corpus"/goose/*.pcap "$corpus"/attack/goose-*.pcap; do
    rm -f "$work"/*
    "$gridtap" replay "$capture" --events "$work/events.jsonl" > /dev/null
    echo "$(basename "$capture"): $(jq -rs '[.[] | select(.event == "finding") | "\(.kind) \(.severity)"] | group_by(.)
        | map("\(length) \(.[0])") | join(", ") | if . == "" then "none" else . end' "$work/events.jsonl")"
done

simulator=$(dirname "$gridtap")/gridtap-sim
rows=$(mktemp)
trap 'rm -rf "$work" "$rows"' EXIT
echo "## Simulated days"
for scenario in "$root"/simulators/scenarios/*.toml; do
    case $scenario in *.attacks.toml) continue ;; esac
    name=$(basename "$scenario" .toml)
    # Three hundred stations say as much in two hours as the others in a day.
    length=24h
    [ "$name" != utility ] || length=2h
    for kind in benign attacked; do
        rm -f "$work"/*
        attacks=(--no-attacks)
        [ "$kind" = benign ] || attacks=(--labels "$work/labels.jsonl")
        "$simulator" capture "$scenario" --seed 7 --for "$length" -o "$work/day.pcapng" "${attacks[@]}" > "$work/frames"
        "$gridtap" replay "$work/day.pcapng" --profile "$root/profiles/examples/$name.toml" --operations none \
            --events "$work/events.jsonl" > /dev/null
        echo "### $name, $kind: $(cat "$work/frames")"
        if [ "$kind" = benign ]; then
            quiet=$(serious "$work/events.jsonl")
            echo "$quiet"
        else
            "$gridtap" score --findings "$work/events.jsonl" --labels "$work/labels.jsonl"
            "$gridtap" score --json --findings "$work/events.jsonl" --labels "$work/labels.jsonl" |
                jq -r --arg name "$name" --arg quiet "$quiet" \
                    '"| `\($name)` | \($quiet) | \(.attacks) | \(.found) | \(.findings) | \(.right) |"' >> "$rows"
        fi
    done
done

echo "## Simulated sites, as the table of docs/detection-quality.md has them"
echo "| site | benign day: medium or higher | attacks | found | findings | right |"
echo "|---|---|---|---|---|---|"
cat "$rows"
