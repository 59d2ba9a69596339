# SPDX-License-Identifier: BSD-3-Clause
"""IPv4 UDP under any address, there or not: raw sockets and a tap, so both need root."""
import ipaddress
import socket
import struct


class RawUdp:
    """Sends; the kernel fills in the IP checksum, UDP goes without."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send(self, source, to, payload):
        udp = struct.pack("!HHHH", source[1], to[1], 8 + len(payload), 0) + payload
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                           ipaddress.IPv4Address(source[0]).packed,
                           ipaddress.IPv4Address(to[0]).packed)
        self.socket.sendto(head + udp, (to[0], 0))


class Tap:
    """Every UDP datagram that arrives at an interface, whoever it is for."""

    def __init__(self, interface="eth0"):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.socket.bind((interface, 0x0800))

    def receive(self, seconds):
        """(source, destination, payload); None: nothing came in time, or nothing of that kind."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data, where = self.socket.recvfrom(65535)
        except TimeoutError:
            return None
        if where[2] == socket.PACKET_OUTGOING or data[9] != 17:
            return None
        at = (data[0] & 15) * 4
        source, destination, size = struct.unpack_from("!HHH", data, at)
        return ((str(ipaddress.IPv4Address(data[12:16])), source),
                (str(ipaddress.IPv4Address(data[16:20])), destination), data[at + 8:at + size])
