#!/usr/bin/env python3
"""How many packets a second `gridtap run` reads from an interface without loss, and what it costs when little or
nothing comes. Needs root and two cores: the sender (sender.py) takes one of them.

    live.py CAPTURE [--gridtap target/release/gridtap] [--seconds 10] [--profile P] [RATE...]

A veth pair in a network namespace of its own; CAPTURE (pcap) is sent at each RATE (packets a second; default a ladder
upwards from idle and the 5,000 of a large substation). Printed for each: packets sent, read and dropped by the
kernel's counters, the sensor's processor time as a share of one core. Every packet sent must be read or counted as
lost: if not, the exit status is 1.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from sender import Sender

HERE = pathlib.Path(__file__).resolve().parent
WEB = "127.0.0.1:9817"
RATES = (0, 5_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000, 800_000, 1_000_000)
TICK = os.sysconf("SC_CLK_TCK")


def metric(name, **labels):
    """Sum of the samples of a family that have these labels."""
    with urllib.request.urlopen(f"http://{WEB}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    total = 0.0
    for line in text.splitlines():
        found = re.match(rf"{name}(\{{[^}}]*\}})? ([0-9.e+-]+)$", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            total += float(found[2])
    return int(total)


def used(process):
    """Seconds of processor time so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def anonymous(process):
    return int(re.search(r"RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{process.pid}/status").read_text())[1])


def settled():
    """Counts are published once a second: wait until they no longer change."""
    before = None
    while True:
        now = (metric("gridtap_capture_packets_total"), metric("gridtap_capture_dropped_packets_total"))
        if now == before:
            return now
        before = now
        time.sleep(2.5)


def sent_at(rate, sender, seconds):
    """Packets sent, and how long it took."""
    if rate == 0:
        time.sleep(seconds)
        return 0, seconds
    return sender.send(rate, rate * seconds)


def run(arguments):
    for command in ("ip link set lo up", "ip link add name tx0 type veth peer name rx0",
                    "sysctl -qw net.ipv6.conf.tx0.disable_ipv6=1 net.ipv6.conf.rx0.disable_ipv6=1",
                    "ip link set tx0 up", "ip link set rx0 up"):
        subprocess.run(command.split(), check=True)
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "gridtap.toml")
        profile = f"profile.path = {json.dumps(str(arguments.profile))}\n" if arguments.profile else ""
        config.write_text(f'{profile}events.path = "{folder}/events.jsonl"\nserve.listen = "{WEB}"\n'
                          '[capture]\ninterfaces = ["rx0"]\n')
        # The sender has a core of its own.
        os.sched_setaffinity(0, {1})
        sensor = subprocess.Popen(["taskset", "-c", "0", arguments.gridtap, "run", "--config", config],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return ladder(arguments, sensor)
        finally:
            sensor.terminate()
            sensor.wait()


def ladder(arguments, sensor):
    for _ in range(50):
        try:
            urllib.request.urlopen(f"http://{WEB}/readyz", timeout=1)
            break
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    print(f"{'asked':>10} {'sent/s':>10} {'sent':>10} {'read':>10} {'dropped':>9} {'unaccounted':>11} {'core':>7} {'anon KiB':>9}")
    lost = False
    sender = Sender(arguments.capture, "tx0")
    for rate in arguments.rates or RATES:
        before, busy = settled(), used(sensor)
        began = time.monotonic()
        sent, took = sent_at(rate, sender, arguments.seconds)
        share = (used(sensor) - busy) / (time.monotonic() - began)
        after = settled()
        read, dropped = after[0] - before[0], after[1] - before[1]
        missing = sent - read - dropped
        lost |= missing != 0
        print(f"{rate:10} {sent / took:10.0f} {sent:10} {read:10} {dropped:9} {missing:11} {share:7.1%} "
              f"{anonymous(sensor):9}", flush=True)
    if sender.again:
        print(f"{sender.again} bursts were sent once more: the kernel had no room, or a signal came")
    return 1 if lost else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture", type=pathlib.Path)
    parser.add_argument("rates", type=int, nargs="*")
    parser.add_argument("--gridtap", type=pathlib.Path, default=HERE.parent / "target/release/gridtap")
    parser.add_argument("--profile", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    if os.environ.get("GRIDTAP_BENCH") != "inside":
        os.environ["GRIDTAP_BENCH"] = "inside"
        os.execvp("unshare", ["unshare", "--net", sys.executable, __file__, *sys.argv[1:]])
    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
