#!/usr/bin/env python3
"""Writes a GOOSE capture of any length out of the corpus: its publishers, many times over, each with its own names.

    goose.py OUT.pcap PACKETS [CORPUS]

What is real: the frames of goose/substation-normal.pcap, one of each control block, with all their elements. What is
made: 200 publishers of them, each with addresses, APPID and names of its own (of the same length); each repeats its
message every second and counts sqNum on; every minute its last value changes, stNum counts on, t is new, and the
message comes again after 4, 8, 16 ... milliseconds (IEC 61850-8-1, 18.1). Same arguments, same octets.
"""
import heapq
import os
import pathlib
import struct
import sys

SOURCE = "goose/substation-normal.pcap"
PUBLISHERS = 200
START = 1_700_000_000
EVERY = 60                                     # messages of a state
GAPS = [0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512]


def frames(path):
    """Time and octets of the frames of a classic pcap file."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def elements(octets):
    """Tag and value of the BER elements in a row."""
    at = 0
    while at < len(octets):
        tag, length, at = octets[at], octets[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(octets[at:at + size], "big"), at + size
        yield tag, octets[at:at + length]
        at += length


def element(tag, value):
    if len(value) < 0x80:
        return bytes([tag, len(value)]) + value
    size = (len(value).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(value).to_bytes(size, "big") + value


def integer(number):
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


class Publisher:
    """One control block and the state it is in."""

    def __init__(self, frame, number):
        at = frame.index(b"\x88\xb8") + 2
        apdu = next(value for tag, value in elements(frame[at + 8:]) if tag == 0x61)
        self.head = frame[:4] + struct.pack(">H", number) + frame[6:10] + struct.pack(">H", number) + frame[12:at]
        self.appid, self.reserved = struct.pack(">H", number), frame[at + 4:at + 8]
        name = f"{number:04}".encode()
        self.values = [(tag, value[:-4] + name if tag in (0x80, 0x82, 0x83) else value) for tag, value in elements(apdu)]
        self.state, self.repeat = 1, number % EVERY
        self.clock = START - 1000

    def frame(self, now):
        """The next message, and the time after which the one behind it is due."""
        if self.repeat == EVERY:
            self.state, self.repeat, self.clock = self.state + 1, 0, now
        changed = {0x84: struct.pack(">II", int(self.clock), int(self.clock % 1 * 2**24) << 8 | 0x0A),
                   0x85: integer(self.state), 0x86: integer(self.repeat)}
        values = [(tag, changed.get(tag, value)) for tag, value in self.values]
        values = [(tag, self.turned(value) if tag == 0xAB else value) for tag, value in values]
        apdu = element(0x61, b"".join(element(*pair) for pair in values))
        gap = GAPS[self.repeat] if self.repeat < len(GAPS) and self.state > 1 else 1.0
        self.repeat += 1
        return self.head + self.appid + struct.pack(">H", 8 + len(apdu)) + self.reserved + apdu, gap

    def turned(self, data):
        """allData with its last octet, a state or a small number, as it is in this state."""
        return data[:-1] + bytes([data[-1] ^ self.state & 1])


def main():
    out, packets = sys.argv[1], int(sys.argv[2])
    corpus = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else os.environ.get("GRIDTAP_CORPUS", "../shared/corpus"))
    kinds = {}
    for frame in frames(corpus / SOURCE):
        if b"\x88\xb8" in frame[12:20]:
            kinds.setdefault(frame[6:12], frame)
    kinds = list(kinds.values())
    publishers = [Publisher(kinds[n % len(kinds)], n + 1) for n in range(PUBLISHERS)]
    due = [(START + n / PUBLISHERS, n) for n in range(PUBLISHERS)]
    with open(out, "wb") as capture:
        capture.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for _ in range(packets):
            now, n = heapq.heappop(due)
            frame, gap = publishers[n].frame(now)
            heapq.heappush(due, (now + gap, n))
            micro = int(now * 1e6)
            capture.write(struct.pack("<IIII", micro // 1_000_000, micro % 1_000_000, len(frame), len(frame)) + frame)


if __name__ == "__main__":
    main()
