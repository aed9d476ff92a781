#!/usr/bin/env python3
"""Writes captures that an attacker would send to wear a sensor out, each beside the ordinary one that it is compared with.

    hostile.py FOLDER [PACKETS]

ordinary      a Modbus master polls 200 stations, every request answered: what one packet normally costs
unanswered    the same requests, and no answer to any of them
same-id       every request has transaction id 1, answers come four requests later
out-of-order  every eight segments of a connection arrive in reverse order
lost          every fourth segment never comes: the stream has a hole that nobody fills
tiny          each request and answer in segments of one octet
flows         every request is the first packet of another connection
deep          each packet under four VLAN tags, two GRE and IP headers and VXLAN

Same arguments, same octets. Nothing here comes from a capture.
"""
import os
import struct
import sys

STATIONS = 200
START = 1_700_000_000


def checksum(octets):
    """The sum of RFC 1071."""
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, protocol, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0x4000, 64, protocol, 0, source, target)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def tcp(source, target, ports, seq, ack, payload):
    head = struct.pack(">HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, 0x18, 65535, 0, 0)
    pseudo = source + target + struct.pack(">BBH", 0, 6, len(head) + len(payload))
    total = checksum(pseudo + head + payload)
    return ipv4(source, target, 6, head[:16] + struct.pack(">H", total) + head[18:] + payload)


def ethernet(packet, kind=0x0800):
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + struct.pack(">H", kind) + packet


def deep(packet):
    """VLAN x4, GRE in IP twice, VXLAN in UDP, and the frame inside."""
    outer = (bytes([172, 16, 0, 1]), bytes([172, 16, 0, 2]))
    vxlan = struct.pack(">II", 0x08000000, 0x00002A00) + ethernet(packet)
    inside = ipv4(*outer, 17, struct.pack(">HHHH", 50000, 4789, 8 + len(vxlan), 0) + vxlan)
    for _ in range(2):
        inside = ipv4(*outer, 47, struct.pack(">HH", 0, 0x0800) + inside)
    tags = b"".join(struct.pack(">HH", 0x8100, 100 + n) for n in range(4))
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + tags + struct.pack(">H", 0x0800) + inside


class Talk:
    """One master and one station."""

    def __init__(self, number):
        self.master = bytes([10, 0, 0, 1 + number % 4])
        self.station = bytes([10, 1, number // 250, 1 + number % 250])
        self.port = 20000 + number
        self.seq = [1000, 5000]
        self.polls = 0
        self.answers = []

    def segment(self, from_master, payload):
        own, other = (0, 1) if from_master else (1, 0)
        ends = (self.master, self.station) if from_master else (self.station, self.master)
        ports = (self.port, 502) if from_master else (502, self.port)
        packet = tcp(*ends, ports, self.seq[own], self.seq[other], payload)
        self.seq[own] += len(payload)
        return packet

    def poll(self, transaction=None):
        """A request for ten holding registers and its answer."""
        self.polls += 1
        number = self.polls & 0xFFFF if transaction is None else transaction
        request = struct.pack(">HHHBBHH", number, 0, 6, 1, 3, 100, 10)
        registers = struct.pack(">10H", *((self.polls * 7 + n) & 0xFFFF for n in range(10)))
        return request, struct.pack(">HHHBBB", number, 0, 23, 1, 3, 20) + registers


def ordinary(talk):
    request, answer = talk.poll()
    return [talk.segment(True, request), talk.segment(False, answer)]


def unanswered(talk):
    return [talk.segment(True, talk.poll()[0])]


def same_id(talk):
    request, answer = talk.poll(1)
    talk.answers.append(answer)
    late = [talk.segment(False, talk.answers.pop(0))] if len(talk.answers) > 4 else []
    return [talk.segment(True, request), *late]


def out_of_order(talk):
    requests = [talk.segment(True, talk.poll()[0]) for _ in range(8)]
    return requests[::-1]


def lost(talk):
    return [talk.segment(True, talk.poll()[0]) for _ in range(4)][:3]


def tiny(talk):
    request, answer = talk.poll()
    pieces = [talk.segment(True, request[n:n + 1]) for n in range(len(request))]
    return pieces + [talk.segment(False, answer[n:n + 1]) for n in range(len(answer))]


def flows(talk):
    """The connection's number is in addresses and ports."""
    number = talk.polls
    talk.master = struct.pack(">BBH", 10, 64 + number % 8, number & 0xFFFF)
    talk.port = 1024 + number % 60000
    talk.seq = [1000, 5000]
    return [talk.segment(True, talk.poll()[0])]


KINDS = {"ordinary": ordinary, "unanswered": unanswered, "same-id": same_id, "out-of-order": out_of_order,
         "lost": lost, "tiny": tiny, "flows": flows, "deep": ordinary}


def write(path, name, packets):
    talks = [Talk(number) for number in range(STATIONS)]
    wrap = deep if name == "deep" else ethernet
    written = 0
    with open(path + ".new", "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        while written < packets:
            for talk in talks:
                for packet in KINDS[name](talk):
                    frame = wrap(packet)
                    micros = written * 20
                    head = struct.pack("<IIII", START + micros // 1_000_000, micros % 1_000_000, len(frame), len(frame))
                    file.write(head + frame)
                    written += 1
    os.replace(path + ".new", path)


def main():
    folder = sys.argv[1]
    packets = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    os.makedirs(folder, exist_ok=True)
    for name in KINDS:
        path = os.path.join(folder, f"hostile-{name}-{packets}.pcap")
        if not os.path.exists(path):
            write(path, name, packets)


if __name__ == "__main__":
    main()
