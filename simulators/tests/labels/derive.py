"""What was an attack in a simulated capture, by nothing but tshark's reading of it, compared with the labels.

usage: derive.py CAPTURE LABELS ...   prints for each file of labels a JSON object: labels, found, missed, unlabelled

The first five minutes hold no attack: who talks to whom there, and what is asked, is what is usual. Altered
measurements (value_spoofing, frozen_values) are not looked for: the wire alone does not tell them.
"""
import collections
import json
import subprocess
import sys
from datetime import datetime

import transmission

USUAL_S = 300
FIELDS = ["frame.time_epoch", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "tcp.flags", "tcp.len", "tcp.stream",
          "tcp.seq_raw", "tcp.payload", "eth.src", "arp.opcode", "arp.src.proto_ipv4", "arp.src.hw_mac",
          "arp.dst.proto_ipv4", "mbtcp.unit_id", "modbus.func_code", "modbus.reference_num", "modbus.diagnostic_code",
          "dnp3.dst", "dnp3.al.func", "dnp3.al.obj", "_ws.expert.severity", "_ws.malformed", "ip.ttl"] + transmission.FIELDS
PORTS = {"502", "20000", transmission.PORT}
MODBUS_WRITES, DNP3_CONTROLS = {"5", "6", "15", "16"}, {"3", "4", "5", "6"}


def frames(capture):
    command = ["tshark", "-n", "-r", capture, "-T", "fields", "-E", "occurrence=a", "-E", "separator=/t"]
    for field in FIELDS:
        command += ["-e", field]
    # Retransmissions are looked at as they are, not put together.
    command += ["-o", "tcp.analyze_sequence_numbers:TRUE"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            yield dict(zip(FIELDS, line.rstrip("\n").split("\t")))


class Bursts:
    """Things that belong together: the same key, with pauses below a limit."""

    def __init__(self, pause):
        self.pause, self.open, self.closed = pause, {}, []

    def add(self, key, at, what):
        burst = self.open.get(key)
        if burst and at - burst["to"] > self.pause:
            self.closed.append(self.open.pop(key))
            burst = None
        burst = burst or self.open.setdefault(key, {"key": key, "from": at, "to": at, "what": []})
        burst["to"] = at
        burst["what"].append(what)

    def all(self):
        return self.closed + list(self.open.values())


def number(text):
    return text.split(",")[0]


def derive(capture):
    begun, events = None, []
    usual, asked_usual, macs, carried = set(), set(), {}, set()
    # Slow ones take their time; fast ones before and after must not be taken for one.
    requests, slow, controls, slow_controls, sweeps, bad, unsolicited = (
        Bursts(p) for p in (100, 700, 100, 400, 60, 60, 20))
    arp, resets, forged, seen = Bursts(60), Bursts(60), Bursts(100), {}
    iec104, goose = transmission.Iec104(Bursts), transmission.Goose(Bursts)

    def event(burst, techniques, actor, target):
        events.append({"from": burst["from"], "to": burst["to"], "techniques": techniques, "actor": actor,
                       "target": target})

    for f in frames(capture):
        at = float(f["frame.time_epoch"])
        begun = begun or at
        early = at - begun < USUAL_S
        if f["goose.gocbRef"] or f["eth.type"] == transmission.GSE_MANAGEMENT:
            goose.see(f, at, early)
            continue
        if f["arp.opcode"]:
            address, mac = f["arp.src.proto_ipv4"], f["arp.src.hw_mac"]
            if f["arp.opcode"] == "2" and macs.setdefault(address, mac) != mac:
                arp.add(mac, at, address)
            elif f["arp.opcode"] == "1" and not early:
                sweeps.add((address, "arp"), at, f["arp.dst.proto_ipv4"])
                macs.setdefault(address, mac)
            continue
        source, target = f["ip.src"], f["ip.dst"]
        if not f["tcp.stream"]:
            continue
        flags = int(f["tcp.flags"], 16)
        to_server, from_server = f["tcp.dstport"] in PORTS, f["tcp.srcport"] in PORTS
        if flags & 0x12 == 0x02 and not early and to_server and (source, target) not in usual:
            sweeps.add((source, f["tcp.dstport"]), at, target)
        # A refused connection is reset, too: that has carried nothing.
        spoken = f["tcp.stream"] in carried
        if f["tcp.len"] not in ("", "0"):
            carried.add(f["tcp.stream"])
        if flags & 0x04 and spoken and (source, target) in usual | {(b, a) for a, b in usual}:
            pair = (source, target) if to_server else (target, source)
            resets.add(pair, at, flags)
        # The same place of a stream with other octets: somebody forges.
        if f["tcp.len"] not in ("", "0", "1"):
            place = (f["tcp.stream"], source, f["tcp.seq_raw"])
            before = seen.setdefault(place, f["tcp.payload"])
            if before != f["tcp.payload"]:
                forged.add((source, target, to_server), at, place)
        modbus, dnp3 = f["modbus.func_code"], f["dnp3.al.func"]
        iec104.see(f, at, early)
        if early and to_server and (modbus or dnp3 or f["iec60870_asdu.typeid"]):
            usual.add((source, target))
            asked_usual.add((source, target, number(f["mbtcp.unit_id"])))
        if f["_ws.malformed"] or any(int(s) >= 0x600000 for s in f["_ws.expert.severity"].split(",") if s):
            if to_server:
                bad.add((source, target), at, 1)
        if from_server and number(dnp3) == "130":
            unsolicited.add((source, target), at, 1)
        if not to_server or early:
            continue
        if f["dnp3.dst"]:
            for sort in (requests, slow):
                sort.add((source, target), at, ("link", number(f["dnp3.dst"])))
        if not modbus and not dnp3:
            if f["tcp.payload"]:
                requests.add((source, target), at, ("raw", f["tcp.payload"]))
            continue
        code, unit = number(modbus), number(f["mbtcp.unit_id"])
        what = ("modbus", code, unit, number(f["modbus.reference_num"]), number(f["modbus.diagnostic_code"]),
                f["tcp.payload"][16:]) if modbus else ("dnp3", number(dnp3), f["dnp3.al.obj"], f["tcp.payload"])
        for sort in (requests, slow):
            sort.add((source, target), at, what)
        if (modbus and code in MODBUS_WRITES) or (dnp3 and number(dnp3) in DNP3_CONTROLS):
            controls.add((source, target), at, what)
            slow_controls.add((source, target), at, what)

    events += iec104.found() + goose.found()
    for burst in sweeps.all():
        if len(set(burst["what"])) >= 5:
            event(burst, {"T0846"}, burst["key"][0], None)
    for burst in arp.all():
        event(burst, {"T0830"}, None, set(burst["what"]))
    for burst in resets.all():
        event(burst, {"T0803"}, None, burst["key"][1])
    for burst in forged.all():
        source, target, to_server = burst["key"]
        if to_server:
            event(burst, {"T0820"}, source, target)
        else:
            event(burst, {"T0830"}, target, source)
    for burst in unsolicited.all():
        if len(burst["what"]) > 20 and len(burst["what"]) / max(burst["to"] - burst["from"], 1) > 2:
            event(burst, {"T0814"}, burst["key"][0], burst["key"][0])
    for burst in bad.all():
        if len(burst["what"]) >= 5:
            event(burst, {"T0814"}, *burst["key"])

    for burst in requests.all() + slow.all():
        pair, what = burst["key"], burst["what"]
        stranger = pair not in usual
        modbus = [w for w in what if w[0] == "modbus"]
        dnp3 = [w for w in what if w[0] == "dnp3"]
        distinct = lambda place: {w[place] for w in modbus}
        found = set()
        if len({w[1] for w in what if w[0] == "link"}) >= 5 or len(distinct(2)) >= 5:
            found.add("T0846")
        if len(distinct(1)) >= 8 or len({w[1] for w in dnp3}) >= 8:
            found.add("T0888")
        registers = {w[3] for w in modbus if w[1] in "1234"}
        objects = {w[-1][40:] for w in dnp3 if w[1] == "1"} if stranger else set()
        if len(registers) >= 10 or len(objects) >= 10:
            found.add("T0861")
        if stranger and any(w[1] in ("43", "17") for w in modbus) | any(",0" in w[2][:2] for w in dnp3):
            found.add("T0888")
        if stranger and any("0x00" in w[2] for w in dnp3):
            found.add("T0888")
        polls = collections.Counter(w[5] for w in modbus if w[1] in "1234")
        polls += collections.Counter(w[2] for w in dnp3 if w[1] == "1")
        if stranger and polls and max(polls.values()) >= 3:
            found.add("T0848")
        functions = {w[1] for w in dnp3}
        if functions & {"13", "14"} or any(w[1] == "8" and w[4] == "1" for w in modbus):
            found.add("T0816")
        if functions & {"18"} or any(w[1] == "8" and w[4] == "4" for w in modbus):
            found.add("T0814")
        if "21" in functions:
            found.add("T0804")
        if stranger and any(w[1] == "2" and "0x32" in w[2] for w in dnp3):
            found.add("T0856")
        if found:
            event(burst, found, *pair)
    commanders = collections.Counter(burst["key"][0] for burst in controls.all())
    for burst in slow_controls.all():
        # Many different values, one behind the other, into one register.
        if len(burst["what"]) >= 6 and len({w[3] for w in burst["what"]}) == 1 and len({w[-1] for w in burst["what"]}) > 3:
            event(burst, {"T0885"}, *burst["key"])
    for burst in controls.all():
        pair, what = burst["key"], burst["what"]
        operated = [w for w in what if w[0] == "modbus" or w[1] in ("4", "5", "6")]
        # Behind a gateway, a unit that it never asks.
        new = any((*pair, w[2] if w[0] == "modbus" else "") not in asked_usual for w in what)
        # A host that commands once and never before or after is no operator's.
        found = {"T0855"} if new or commanders[pair[0]] == 1 else set()
        if len(operated) >= 6:
            same = len({w[-1] for w in operated})
            found = {"T0806"} if same == 2 else {"T0836"} if same == 1 else {"T0806", "T0885"}
        elif len(operated) >= 3 and found:
            found |= {"T0806", "T0885"}
        if found:
            event(burst, found, *pair)
    return events


def seconds(text):
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()


def matches(label, event):
    if label["technique"] not in event["techniques"]:
        return False
    if event["from"] > seconds(label["to"]) + 1 or event["to"] < seconds(label["from"]) - 1:
        return False
    actor, target = event["actor"], event["target"]
    if actor is not None and actor != label["actor_ip"]:
        return False
    if isinstance(target, set):
        return label["target_ip"] in target
    return target is None or target == label["target_ip"]


def compare(labels, events):
    used, missed = set(), []
    for label in labels:
        hits = [n for n, event in enumerate(events) if matches(label, event)]
        used.update(hits)
        if not hits:
            missed.append(f"{label['behaviour']} of {label['actor']} on {label['target']} at {label['from']}")
    others = [f"{'/'.join(sorted(e['techniques']))} {e['actor']} {e['target']} at {e['from'] - events[0]['from']:.0f}"
              for n, e in enumerate(events) if n not in used]
    return {"labels": len(labels), "found": len(labels) - len(missed), "missed": missed, "unlabelled": others,
            "events": len(events)}


def main():
    events = derive(sys.argv[1])
    for name in sys.argv[2:]:
        with open(name, encoding="utf-8") as lines:
            print(json.dumps(compare([json.loads(line) for line in lines], events)))


main()
