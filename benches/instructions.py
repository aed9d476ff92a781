#!/usr/bin/env python3
"""Counts the processor instructions that one packet costs, and holds them to a budget.

    instructions.py --gridtap target/release/gridtap [--oracle FOLDER] [--folder FOLDER] [--write] [--hostile]

Instructions, not time: they hardly change from one run and one machine to the next, so a change that makes gridtap
slower is seen where nobody can measure time. `valgrind --tool=callgrind` runs `gridtap bench` (reading, reassembly,
every value decoded and added up, pairing, detections, counting) on the first part of a capture and on a longer one;
the difference is what the packets cost that the longer one has more, without start-up.

budget.toml says what each may cost. More than a tenth above it fails; whoever raises it writes the reason beside it. What is
a tenth below asks for a new one (--write writes what was measured). --hostile compares what an attacker may send
(hostile.py) with the ordinary, both in instructions a packet; that is a table for docs/performance.md and fails nothing.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUDGET = HERE / "budget.toml"
MIXES = ("modbus", "dnp3", "mixed", "iec104", "goose")
TOLERANCE = 0.10
# Millions of octets of the shorter and the longer capture; the one is the beginning of the other.
SIZES = (4, 10)
HOSTILE = ("ordinary", "unanswered", "same-id", "out-of-order", "lost", "tiny", "flows", "deep")
# Frames of the GOOSE captures, which goose.py makes.
GOOSE_PACKETS = (24_000, 60_000)
HOSTILE_PACKETS = (20_000, 60_000)


def counted(gridtap, capture, *options):
    """Instructions and packets of one run."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={scratch}/out", gridtap, "bench", *options, capture],
            capture_output=True, text=True)
    total = re.search(r"Collected : (\d+)", done.stderr)
    packets = re.search(r"^packets +(\d+)", done.stdout, re.M)
    if done.returncode != 0 or not total or not packets:
        sys.exit(f"gridtap bench {capture} under valgrind: {done.stdout}{done.stderr}")
    return int(total[1]), int(packets[1])


def a_packet(gridtap, captures, *options):
    """Instructions a packet, without what both runs have in common."""
    (short, few), (long, many) = (counted(gridtap, capture, *options) for capture in captures)
    return (long - short) / (many - few)


def made(oracle, folder, mix):
    """The captures of a mix, made out of the corpus once."""
    paths = []
    for size in GOOSE_PACKETS if mix == "goose" else SIZES:
        path = folder / f"{mix}-{size}.pcap"
        if mix == "goose":
            script = [HERE / "goose.py", path, str(size), oracle.parent / "corpus"]
        else:
            script = [oracle / "make_bench.py", "--size-mb", str(size), "--mix", mix, "--pairs", "200", "--seed", "1", path]
        if not path.exists():
            subprocess.run([sys.executable, *script], check=True, stdout=subprocess.DEVNULL)
        paths.append(path)
    return paths


def budget():
    """The lines `name = number  # reason`."""
    lines = re.findall(r"^(\w+) = (\d+)", BUDGET.read_text(), re.M)
    return {name: int(number) for name, number in lines}


def hold(arguments):
    """Every mix against its budget."""
    allowed, failed = budget(), []
    print(f"{'capture':10} {'instructions a packet':>22} {'budget':>8}")
    for mix in MIXES:
        cost = a_packet(arguments.gridtap, made(arguments.oracle, arguments.folder, mix))
        note = ""
        if arguments.write:
            text = re.sub(rf"^{mix} = \d+", f"{mix} = {round(cost)}", BUDGET.read_text(), flags=re.M)
            BUDGET.write_text(text)
        elif cost > allowed[mix] * (1 + TOLERANCE):
            note = "TOO MUCH"
            failed.append(mix)
        elif cost < allowed[mix] * (1 - TOLERANCE):
            note = "far below: write it down (--write)"
        print(f"{mix:10} {cost:22.0f} {allowed[mix]:8} {note}", flush=True)
    if failed:
        sys.exit(f"{', '.join(failed)}: more than a tenth above the budget in {BUDGET.relative_to(HERE.parent)}")


def hostile(arguments):
    """Every kind of hostile traffic against the ordinary."""
    ordinary = None
    print(f"{'capture':14} {'instructions a packet':>22} {'ratio':>6}")
    for packets in HOSTILE_PACKETS:
        subprocess.run([sys.executable, HERE / "hostile.py", arguments.folder, str(packets)], check=True)
    for name in HOSTILE:
        captures = [arguments.folder / f"hostile-{name}-{packets}.pcap" for packets in HOSTILE_PACKETS]
        cost = a_packet(arguments.gridtap, captures)
        ordinary = ordinary or cost
        print(f"{name:14} {cost:22.0f} {cost / ordinary:6.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gridtap", type=pathlib.Path, default=HERE.parent / "target/release/gridtap")
    corpus = os.environ.get("GRIDTAP_CORPUS", HERE.parent.parent / "shared/corpus")
    parser.add_argument("--oracle", type=pathlib.Path, default=pathlib.Path(corpus).parent / "oracle")
    parser.add_argument("--folder", type=pathlib.Path, default=HERE.parent / "target/bench")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--hostile", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (hostile if arguments.hostile else hold)(arguments)


if __name__ == "__main__":
    main()
