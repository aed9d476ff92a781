"""Plays a capture onto interfaces at the pace of its time stamps. Frames of the masters alone go to a second
interface too, as a half-blind tap would show them."""

import socket
import struct
import threading
import time


def frames(path):
    """Seconds since the first frame, and the octets, of a pcap with nanoseconds in this machine's byte order."""
    with open(path, "rb") as file:
        magic, *_ = struct.unpack("=IHHiIII", file.read(24))
        if magic != 0xA1B23C4D:
            raise ValueError(f"{path}: no pcap with nanoseconds")
        first = None
        while head := file.read(16):
            seconds, nanos, length, _ = struct.unpack("=IIII", head)
            at = seconds + nanos / 1e9
            first = at if first is None else first
            yield at - first, file.read(length)


def sender(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((interface, 0))
    return sock


def of_masters(frame):
    """Whether an IPv4 frame comes from 10.70.0.0/24."""
    return frame[12:14] == b"\x08\x00" and frame[26:29] == bytes([10, 70, 0])


class Player(threading.Thread):
    """Plays until the end of the capture."""

    def __init__(self, path, everything, masters):
        super().__init__(daemon=True)
        self.frames = list(frames(path))
        self.everything, self.masters = sender(everything), sender(masters)
        self.error = None

    def run(self):
        try:
            begun = time.monotonic()
            for at, frame in self.frames:
                time.sleep(max(0.0, begun + at - time.monotonic()))
                self.everything.send(frame)
                if of_masters(frame):
                    self.masters.send(frame)
        except OSError as error:
            self.error = error


def burst(interface, count):
    """Datagrams of another network, as fast as they go."""
    sock = sender(interface)
    payload = bytes(1400)
    for number in range(count):
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1428, number & 0xFFFF, 0, 64, 17, 0,
                         bytes([10, 80, 0, 1]), bytes([10, 80, 0, 2]))
        udp = struct.pack("!HHHH", 9999, 9999, 1408, 0)
        sock.send(bytes.fromhex("020000000001020000000002") + b"\x08\x00" + ip + udp + payload)
