"""Sends the frames of a capture into an interface, many with one system call, at a given rate or as fast as it goes.

For live.py, in network namespaces of its own only: an AF_PACKET socket, PACKET_QDISC_BYPASS, and sendmmsg by ctypes. It
is faster than tcpreplay, so that the sensor and not the sender sets the limit.
"""
import ctypes
import errno
import mmap
import os
import socket
import struct
import time

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
# Messages for one system call.
BURST = 64
# The kernel had no room, or a signal came: the burst is sent once more.
AGAIN = (errno.ENOBUFS, errno.EAGAIN, errno.EINTR)
# Wait for room so long, in seconds.
PAUSE = 0.0001
# Without any progress for so long, in seconds, it gives up.
STUCK = 5
# Octets of the capture that are sent over and over.
KEPT = 64 << 20


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vectors", ctypes.POINTER(Vector)),
                ("count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Message(ctypes.Structure):
    _fields_ = [("header", Header), ("sent", ctypes.c_uint)]


class Sender:
    """The frames at the beginning of a pcap file, ready to be sent."""

    def __init__(self, capture, interface):
        if os.path.getsize(capture) == 0:
            raise SystemExit(f"{capture}: empty")
        with open(capture, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        order = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<"}.get(self.map[:4])
        if order is None:
            raise SystemExit(f"{capture}: a pcap file of this machine's octet order is needed")
        places, at = [], 24
        while at + 16 <= min(len(self.map), KEPT):
            length, = struct.unpack_from(order + "I", self.map, at + 8)
            if at + 16 + length > len(self.map):
                break
            places.append((start + at + 16, length))
            at += 16 + length
        if not places:
            raise SystemExit(f"{capture}: no frame in it")
        self.count = len(places)
        self.vectors = (Vector * self.count)(*places)
        self.messages = (Message * self.count)()
        for number, message in enumerate(self.messages):
            message.header.vectors = ctypes.pointer(self.vectors[number])
            message.header.count = 1
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        self.socket.bind((interface, 0))
        # Bursts that the kernel did not take at once.
        self.again = 0
        self.sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg

    def send(self, rate, packets):
        """Sends so many packets, at `rate` a second or, with 0, as fast as it goes. How many, and in how many seconds."""
        began, sent, at = time.monotonic(), 0, 0
        moved = began
        size = ctypes.sizeof(Message)
        # A slow rate goes in smaller bursts: a thousand a second.
        burst = BURST if rate == 0 else max(1, min(BURST, rate // 1000))
        while sent < packets:
            if rate:
                ahead = sent / rate - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)
            count = min(burst, self.count - at, packets - sent)
            done = self.sendmmsg(self.socket.fileno(), ctypes.byref(self.messages, at * size), count, 0)
            if done < 0:
                error = ctypes.get_errno()
                if error in AGAIN and time.monotonic() - moved < STUCK:
                    self.again += 1
                    if error == errno.ENOBUFS:
                        time.sleep(PAUSE)
                    continue
                raise SystemExit(f"sendmmsg: {os.strerror(error)}")
            sent, moved = sent + done, time.monotonic()
            at = (at + done) % self.count
        return sent, time.monotonic() - began
