"""What was an attack on IEC 104 controlled stations and GOOSE publishers, by what tshark reads of each frame.

Each class is shown the frames in their order and gives its events at the end. What happens in the first minutes
(`early`) is usual.
"""
import collections

FIELDS = ["iec60870_104.utype", "iec60870_104.tx", "iec60870_104.rx", "iec60870_asdu.typeid", "iec60870_asdu.causetx",
          "iec60870_asdu.addr", "iec60870_asdu.ioa", "iec60870_asdu.dco.on", "iec60870_asdu.dco.se", "eth.type", "eth.dst",
          "goose.gocbRef", "goose.stNum", "goose.simulation", "goose.confRev", "goose.timeAllowedtoLive"]
PORT = "2404"
COMMANDS = {"45", "46", "47", "48", "49", "50", "51", "58", "59", "60", "61", "62", "63", "64"}
SETPOINTS = {"48", "49", "50", "61", "62", "63"}
SPONTANEOUS, ACTIVATION = "3", "6"
STARTDT_ACT, STOPDT_ACT = 1, 4
MODULUS = 0x8000
GSE_MANAGEMENT = "0x88b9"
MULTICAST = "01:0c:cd"


class Iec104:
    def __init__(self, bursts):
        self.usual, self.events = set(), []
        self.asked, self.reports, self.disorder = bursts(100), bursts(20), bursts(60)
        self.next, self.heard, self.stopped = {}, {}, {}

    def see(self, f, at, early):
        """A frame; whether it was one of IEC 104."""
        to_server = f["tcp.dstport"] == PORT
        if not to_server and f["tcp.srcport"] != PORT:
            return
        pair = (f["ip.src"], f["ip.dst"]) if to_server else (f["ip.dst"], f["ip.src"])
        types, causes = (f[name].split(",") for name in ("iec60870_asdu.typeid", "iec60870_asdu.causetx"))
        for kind in f["iec60870_104.utype"].split(","):
            if to_server and kind:
                self.transfer(pair, at, int(kind, 0))
        self.numbers(f, pair, at)
        if not to_server:
            for kind, cause in zip(types, causes):
                if kind in ("30", "31") and cause == SPONTANEOUS:
                    self.reports.add((f["ip.src"], f["ip.dst"]), at, kind)
            return
        if early and types != [""]:
            self.usual.add(pair)
        addresses, objects = f["iec60870_asdu.addr"].split(","), f["iec60870_asdu.ioa"].split(",")
        for kind, address in zip(types, addresses):
            if kind and not early:
                self.asked.add(pair, at, (kind, address, objects[0], f["iec60870_asdu.dco.on"]))

    def transfer(self, pair, at, kind):
        if kind == STOPDT_ACT:
            self.stopped[pair] = at
        elif kind == STARTDT_ACT and pair in self.stopped:
            self.event(self.stopped.pop(pair), at, {"T0814"}, *pair)

    def numbers(self, f, pair, at):
        """N(S) follows the one before; N(R) is not ahead of what the other side has sent."""
        stream, sender = f["tcp.stream"], f["ip.src"]
        for sent in filter(None, f["iec60870_104.tx"].split(",")):
            if self.next.get((stream, sender), int(sent)) != int(sent):
                self.disorder.add(pair, at, sent)
            self.next[stream, sender] = (int(sent) + 1) % MODULUS
        for received in filter(None, f["iec60870_104.rx"].split(",")):
            sent = self.next.get((stream, f["ip.dst"]))
            if sent is not None and 0 < (int(received) - sent) % MODULUS < MODULUS // 2:
                self.disorder.add(pair, at, received)

    def event(self, begin, end, techniques, actor, target):
        self.events.append({"from": begin, "to": end, "techniques": techniques, "actor": actor, "target": target})

    def found(self):
        for burst in self.disorder.all():
            self.event(burst["from"], burst["to"], {"T0814"}, *burst["key"])
        for burst in self.reports.all():
            if len(burst["what"]) > 20 and len(burst["what"]) / max(burst["to"] - burst["from"], 1) > 2:
                self.event(burst["from"], burst["to"], {"T0814"}, burst["key"][0], burst["key"][0])
        for burst in self.asked.all():
            found = self.burst(burst["what"], burst["key"] not in self.usual)
            if found:
                self.event(burst["from"], burst["to"], found, *burst["key"])
        return self.events

    def burst(self, what, stranger):
        found, kinds = set(), collections.Counter(w[0] for w in what)
        if len({w[1] for w in what}) >= 5:
            found.add("T0846")
        if len(kinds) >= 8:
            found.add("T0888")
        if len({w[2] for w in what if w[0] == "102"}) >= 10:
            found.add("T0861")
        if stranger and kinds["100"] >= 3:
            found.add("T0848")
        if stranger and "103" in kinds:
            found.add("T0856")
        if set(kinds) & {"110", "111", "112", "113"}:
            found.add("T0836")
        if "105" in kinds:
            found.add("T0816")
        commands = [w for w in what if w[0] in COMMANDS]
        if commands and stranger:
            found.add("T0855")
        if len(commands) >= 6 and stranger:
            found.add("T0836" if commands[0][0] in SETPOINTS else "T0806")
        return found


class Goose:
    def __init__(self, bursts):
        self.blocks, self.management = {}, bursts(60)
        self.marked = {name: bursts(60) for name in ("T0855", "T0856", "T0814", "T0804")}

    def see(self, f, at, early):
        if f["eth.type"] == GSE_MANAGEMENT:
            self.management.add(f["eth.dst"], at, 1)
        if not f["goose.gocbRef"]:
            return
        name, state, source = f["goose.gocbRef"], int(f["goose.stNum"]), f["eth.src"]
        block = self.blocks.setdefault(name, {"source": source, "revision": f["goose.confRev"], "state": state,
                                              "ahead": None, "at": at, "times": collections.deque(maxlen=100)})
        publisher = block["source"]
        mark = lambda technique, when=at: self.marked[technique].add(publisher, when, 1)
        # Within one second so many, whatever they say.
        block["times"].append(at)
        if len(block["times"]) == 100 and at - block["times"][0] < 1:
            mark("T0814")
        if at - block["at"] > 2 * int(f["goose.timeAllowedtoLive"]) / 1000 and not early:
            mark("T0804", block["at"])
            mark("T0804")
        block["at"] = at
        if source != publisher or f["goose.confRev"] != block["revision"]:
            return mark("T0856")
        if f["goose.simulation"] in ("1", "True"):
            return mark("T0855")
        if state > block["state"] + 1000:
            return mark("T0856")
        if state > block["state"]:
            # Believed until the state before goes on.
            block["ahead"] = (block["state"], at)
            block["state"] = state
        elif state < block["state"] and block["ahead"] and state == block["ahead"][0] and at - block["ahead"][1] < 60:
            mark("T0855", block["ahead"][1])
            mark("T0855")
            block["state"], block["ahead"] = state, None
        elif state < block["state"]:
            mark("T0856")

    def found(self):
        out = []
        for technique, bursts in self.marked.items():
            for burst in bursts.all():
                out.append({"from": burst["from"], "to": burst["to"], "techniques": {technique}, "actor": None,
                            "target": burst["key"]})
        for burst in self.management.all():
            out.append({"from": burst["from"], "to": burst["to"], "techniques": {"T0804"}, "actor": None,
                        "target": burst["key"]})
        return out
