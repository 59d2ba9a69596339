# SPDX-License-Identifier: BSD-3-Clause
"""
A client of table.sock for tests. Sizes, offsets and numbers are not written down a second time: they
are read from tests/lint/layout.txt, which a lint holds against the headers.

    with Table(path, epoch=1) as table:
        table.transact(room_put(1), webrtc_put(10, 1), ice_put(10, ...))
        datagram = table.wait("DATAGRAM", 5)
"""
import base64
import os
import re
import socket
import struct
import time

LAYOUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lint/layout.txt")


class Refused(Exception):
    """What the data plane said no to; .status is the name of the status."""

    def __init__(self, status, failed_op, reason):
        super().__init__(f"{status} at operation {failed_op}: {reason}")
        self.status = status
        self.failed_op = failed_op
        self.reason = reason


def read_layout(path=LAYOUT):
    """({struct: (size, {field: (offset, size)})}, {constant: value})"""
    structs, constants = {}, {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"struct (\w+) (\d+)/\d+: (.*)", line)
            if match:
                fields = [field.split("@") for field in match[3].split()]
                ends = [int(offset) for _, offset in fields[1:]] + [int(match[2])]
                structs[match[1]] = (int(match[2]), {
                    name: (int(offset), end - int(offset))
                    for (name, offset), end in zip(fields, ends)})
            match = re.match(r"(\w+) = (-?\d+)$", line)
            if match:
                constants[match[1]] = int(match[2])
    return structs, constants


STRUCTS, CONSTANTS = read_layout()


def constant(name):
    return CONSTANTS[f"STN_{name}"]


def name_of(prefix, value):
    """The constant's name behind STN_<prefix>_, in small letters."""
    for name, number in CONSTANTS.items():
        if name.startswith(f"STN_{prefix}_") and number == value:
            return name[len(prefix) + 5:].lower()
    return str(value)


def pack(name, **values):
    """The struct; numbers for fields of up to 8 bytes, bytes (padded with 0) for any."""
    size, fields = STRUCTS[name]
    out = bytearray(size)
    for field, value in values.items():
        offset, width = fields[field]
        if isinstance(value, int):
            value = value.to_bytes(width, "little")
        if len(value) > width:
            raise ValueError(f"{name}.{field}: {len(value)} bytes of {width}")
        out[offset:offset + len(value)] = value
    return bytes(out)


def unpack(name, data):
    """{field: number, or bytes when it has more than 8}; a struct may end early."""
    size, fields = STRUCTS[name]
    data = data[:size].ljust(size, b"\0")
    out = {}
    for field, (offset, width) in fields.items():
        part = data[offset:offset + width]
        out[field] = int.from_bytes(part, "little") if width in (1, 2, 4, 8) else part
    return out


# ---- operations ----

def op(type_name, name, **values):
    size = STRUCTS[name][0]
    head = pack("stn_op", type=constant(f"OP_{type_name}"), size=size)
    return pack(name, op=head, **values)


def address(host, port):
    """struct stn_address; host None: none."""
    if host is None:
        return pack("stn_address")
    family = 6 if ":" in host else 4
    packed = socket.inet_pton(socket.AF_INET6 if family == 6 else socket.AF_INET, host)
    return pack("stn_address", family=family, port_be=struct.pack(">H", port), address=packed)


def address_text(data):
    """(host, port) of a struct stn_address, None: none."""
    fields = unpack("stn_address", data)
    if fields["family"] == 0:
        return None
    port = struct.unpack(">H", fields["port_be"].to_bytes(2, "little"))[0]
    if fields["family"] == 4:
        return socket.inet_ntop(socket.AF_INET, fields["address"][:4]), port
    return socket.inet_ntop(socket.AF_INET6, fields["address"]), port


def master_key(key, salt, suite="AEAD_AES_128_GCM"):
    return pack("stn_master_key", suite=constant(f"SUITE_{suite}"), key=key, salt=salt)


def room_put(room_id, slots=3, payload_type=111, level_id=1):
    ssrcs = b"".join(struct.pack("<I", 0x10000 * (slot + 1) + room_id) for slot in range(slots))
    return op("ROOM_PUT", "stn_op_room_put", room_id=room_id, slot_ssrc=ssrcs, slot_count=slots,
              profile_count=1, profile=pack("stn_profile", payload_type=payload_type,
                                            audio_level_id=level_id))


def webrtc_put(leg_id, room_id, role="LISTENER", keys=None, remote=None, **more):
    """A browser's leg; keys: (tx, rx) as of master_key(), remote: (host, port)."""
    values = {"leg_id": leg_id, "room_id": room_id, "member_id": leg_id,
              "role": constant(f"ROLE_{role}"), "protection": constant("PROTECTION_LEG"),
              "transport": constant("TRANSPORT_WEBRTC")}
    if keys:
        values.update(tx=keys[0], rx=keys[1])
    if remote:
        values.update(remote=address(*remote))
    if role == "SPEAKER":
        values.update(payload_type=111, audio_level_id=1)
    values.update(more)
    return op("LEG_PUT", "stn_op_leg_put", **values)


def ice_put(leg_id, credentials):
    """credentials: of stun.Credentials, local is the data plane's side."""
    return op("LEG_ICE", "stn_op_leg_ice", leg_id=leg_id,
              local_random=credentials.local_random,
              remote_ufrag_size=len(credentials.remote_ufrag),
              remote_pwd_size=len(credentials.remote_pwd), local_pwd=credentials.local_pwd,
              remote_ufrag=credentials.remote_ufrag, remote_pwd=credentials.remote_pwd)


def leg_remove(leg_id):
    return op("LEG_REMOVE", "stn_op_leg_remove", leg_id=leg_id)


def leg_mute(leg_id, muted=True, until_ns=0):
    return op("LEG_MUTE", "stn_op_leg_mute", leg_id=leg_id, muted=int(muted), until_ns=until_ns)


def room_remove(room_id):
    return op("ROOM_REMOVE", "stn_op_room_remove", room_id=room_id)


def local_ufrag(leg_id, random):
    """dataplane/api/ufrag.h: base64 of the id and 32 random bits."""
    return base64.b64encode(struct.pack(">Q", leg_id) + random)


# ---- the connection ----

class Message:
    """One message: .type as NOTICE or DATAGRAM, fields as attributes, .body behind the struct."""

    BODY = {"HELLO_REPLY": "stn_hello_reply", "RESULT": "stn_result", "FENCED": "stn_fenced",
            "STATS_REPLY": "stn_stats", "ROOM_STATS_REPLY": "stn_room_stats",
            "DUMP_END": "stn_result", "EXPLAIN_END": "stn_explain_summary",
            "NOTICE": "stn_notice", "DATAGRAM": "stn_datagram"}

    def __init__(self, data):
        self.header = unpack("stn_header", data)
        self.type = name_of("MESSAGE", self.header["type"]).upper()
        name = self.BODY.get(self.type, "stn_header")
        self.fields = unpack(name, data)
        self.body = data[STRUCTS[name][0]:]

    def __getattr__(self, name):
        try:
            return self.__dict__["fields"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def notice(self):
        return name_of("NOTICE", self.fields["type"])

    @property
    def address(self):
        return address_text(self.fields["remote"])


class Table:
    """epoch: of a writer; None: a reader. Messages that nobody waited for stay in .inbox."""

    def __init__(self, path, epoch=None, timeout=10):
        self.epoch = epoch or 0
        self.timeout = timeout
        self.sequence = 0
        self.inbox = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.connect(path)
        role = constant("CLIENT_WRITER" if epoch else "CLIENT_READER")
        self.send("HELLO", pack("stn_hello", role=role)[STRUCTS["stn_header"][0]:])
        self.hello = self.wait("HELLO_REPLY")
        self.check(self.hello)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, type_name, body=b""):
        self.sequence += 1
        size = STRUCTS["stn_header"][0]
        head = pack("stn_header", magic=constant("TABLE_MAGIC"), version=constant("TABLE_VERSION"),
                    type=constant(f"MESSAGE_{type_name}"), length=size + len(body),
                    sequence=self.sequence, epoch=self.epoch)
        self.socket.sendall(head + body)

    def wait(self, type_name, timeout=None, match=lambda message: True):
        """The first message of that type that matches, an earlier one included."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        for message in self.inbox:
            if message.type == type_name and match(message):
                self.inbox.remove(message)
                return message
        while True:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(constant("TABLE_MESSAGE_MAX") + 1)
            except TimeoutError:
                raise TimeoutError(f"no {type_name} came; there is: "
                                   f"{[message.type for message in self.inbox]}") from None
            if not data:
                raise ConnectionError("the data plane hung up")
            message = Message(data)
            if message.type == type_name and match(message):
                return message
            self.inbox.append(message)

    def wait_notice(self, notice, leg_id, timeout=None):
        return self.wait("NOTICE", timeout,
                         lambda m: m.notice == notice and m.leg_id == leg_id)

    @staticmethod
    def check(message):
        status = name_of("STATUS", message.status)
        if status != "ok":
            reason = message.fields.get("reason", b"").split(b"\0")[0].decode()
            raise Refused(status, message.fields.get("failed_op"), reason)
        return message

    def transact(self, *operations, resync=False):
        """All or nothing; Refused says why not. Returns the result."""
        self.send("RESYNC_BEGIN" if resync else "BEGIN")
        for operation in operations:
            self.send("OPS", operation)
        self.send("RESYNC_END" if resync else "COMMIT")
        sequence = self.sequence
        return self.check(self.wait("RESULT", match=lambda m: m.header["sequence"] == sequence))

    def subscribe(self):
        self.send("NOTICES_SUBSCRIBE")
        self.check(self.wait("RESULT"))

    def datagram(self, leg_id, data, remote=None):
        """DTLS to a leg; remote (host, port), None: where it is."""
        head = pack("stn_datagram", leg_id=leg_id, size=len(data),
                    remote=address(*remote) if remote else b"")
        self.send("DATAGRAM", head[STRUCTS["stn_header"][0]:] + data)

    def stats(self):
        """A dictionary for each worker; drops by their names."""
        self.send("STATS")
        reply = self.wait("STATS_REPLY")
        size = STRUCTS["stn_worker_stats"][0]
        offset = STRUCTS["stn_stats"][1]["worker"][0]
        # What unpack() padded is cut off again: only worker_count of them were sent.
        data = reply.fields["worker"]
        workers = []
        for i in range(reply.worker_count):
            worker = unpack("stn_worker_stats", data[i * size:(i + 1) * size])
            counts = struct.unpack_from(f"<{reply.drop_count}Q", worker.pop("drop"))
            worker["drops"] = {name_of("DROP", n): count for n, count in enumerate(counts) if count}
            workers.append(worker)
        assert reply.header["length"] == offset + reply.worker_count * size
        return workers

    def counter(self, name):
        return sum(worker[name] for worker in self.stats())

    def drops(self, name):
        return sum(worker["drops"].get(name, 0) for worker in self.stats())

    def dump(self, room_id=0):
        """[(operation's name in small letters, {field: value})]"""
        size = STRUCTS["stn_header"][0]
        self.send("DUMP", pack("stn_room_query", room_id=room_id)[size:])
        sequence, out = self.sequence, []
        self.check(self.wait("DUMP_END", match=lambda m: m.header["sequence"] == sequence))
        for message in [m for m in self.inbox if m.header["sequence"] == sequence]:
            self.inbox.remove(message)
            data = message.body
            while data:
                head = unpack("stn_op", data)
                kind = name_of("OP", head["type"])
                out.append((kind, unpack(f"stn_op_{kind}", data)))
                data = data[head["size"]:]
        return out
