# SPDX-License-Identifier: BSD-3-Clause
"""member.join, member.token, member.leave, member.list, and browsers' sessions."""
import ipaddress

from rooms import KEY_BYTES, page_of
from world import Member, apply_silence, digest_of, refuse_if

PROFILES_MAX = 4
# What an item of "members" takes from the join around it.
INHERITED = ("transport", "suite", "protection", "payload_type", "audio_level_id", "duration_ms")
OWN = ("member", "address", "port", "ssrc", "tx_key", "rx_key")


def unicast(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if "%" in text:
        return False
    if address.version == 4:
        return 0 < address.packed[0] < 224
    return address.packed[0] != 0xFF and any(address.packed)


class Joining:
    """One request of several items: each sees what those before it did, all or nothing."""

    def __init__(self, room):
        self.room = room
        self.present = set(room.members)
        self.profiles = list(room.profiles)
        self.keys = set(room.used_keys)
        self.members = []


class Members:
    def admit(self, joining, actor, body, item):
        w, room = self.w, joining.room
        user = item.get("member", actor)
        role = body["role"]
        self.need_to_admit()
        self.policy_join(room, actor, user, role, body.get("share"))
        refuse_if(room.state != "live", "conflict")
        refuse_if(user in joining.present, "already_exists")
        refuse_if(len(joining.present) >= room.capacity, "capacity")
        here = len(joining.present) - len(room.members)
        refuse_if(w.member_count() + here >= w.limits["members_max"], "capacity")
        if role == "speaker":
            self.need_floor(room, room.speakers() + here)
        duration = item.get("duration_ms", 0)
        member = Member(
            user=user,
            role=role,
            webrtc=item.get("transport") == "webrtc",
            sends=role != "listener",
            leg="0",
            token=None,
            joined_ms=w.wall_ms,
            end_ms=w.wall_ms + duration if duration else 0,
            seat_ns=0,
            seat="new",
            hand=None,
            floor_ms=0 if role == "listener" else w.wall_ms,
        )
        member.end_ns = w.deadline(member.end_ms)
        mute = room.silenced.get(user)
        over = mute is not None and w.passed(mute.until_ns)
        apply_silence(room, member, spared=over)
        if member.webrtc:
            self.take_seat(member, item)
        else:
            self.take_leg(joining, member, item)
        joining.present.add(user)
        joining.members.append(member)

    def take_seat(self, member, item):
        """Address, keys and payload types come by SDP."""
        named = any(item.get(f) is not None for f in ("address", "port", "tx_key", "rx_key"))
        chosen = (
            item.get("suite", "AEAD_AES_128_GCM") != "AEAD_AES_128_GCM"
            or item.get("protection", "leg") != "leg"
            or item.get("payload_type", 111) != 111
            or item.get("audio_level_id", 0) != 0
            or item.get("ssrc", 0) != 0
        )
        refuse_if(named or chosen, "invalid")
        timeout = self.w.limits["join_timeout_ms"]
        member.seat_ns = (self.w.mono_ms + timeout) * 1_000_000 if timeout else 0

    def take_leg(self, joining, member, item):
        room = joining.room
        refuse_if("address" not in item or "port" not in item, "invalid")
        refuse_if(not unicast(item["address"]), "invalid")
        wanted = (item.get("payload_type", 111), item.get("audio_level_id", 0))
        if wanted not in joining.profiles:
            refuse_if(len(joining.profiles) == PROFILES_MAX, "capacity")
            joining.profiles.append(wanted)
        if item.get("protection") == "group":
            refuse_if(not room.group or member.role != "listener", "invalid")
            refuse_if(wanted != room.profiles[0], "invalid")
            refuse_if("tx_key" in item or "rx_key" in item, "invalid")
            return
        # A listener may be given an rx key, for the day they speak; that does not make them send.
        size = KEY_BYTES[item.get("suite", "AEAD_AES_128_GCM")]
        for name in ("tx_key", "rx_key"):
            if name in item:
                key = self.key_of(item[name], size)
                refuse_if(key in joining.keys, "conflict")
                joining.keys.add(key)

    @staticmethod
    def key_of(text, size):
        """The generator writes keys in hex."""
        refuse_if(len(text) != 2 * size, "invalid")
        return bytes.fromhex(text)

    def check_page(self, actor, body):
        """A page brings itself and nobody else, and by SDP: a leg to any address floods it."""
        alone = not body.get("members") and body.get("member", actor) == actor
        refuse_if(not alone or body.get("transport") != "webrtc", "not_allowed")

    def member_join(self, actor, name, body, page):
        w = self.w
        room = w.room(name)
        if page:
            self.check_page(actor, body)
        joining = Joining(room)
        items = body.get("members", [])
        if items:
            refuse_if(any(body.get(f) not in (None, 0) for f in OWN), "invalid")
        outer = {f: body[f] for f in INHERITED if f in body}
        for item in [{**outer, **item} for item in items] or [body]:
            self.admit(joining, actor, body, item)
        if len(joining.profiles) > len(room.profiles):
            for _ in joining.profiles[len(room.profiles) :]:
                w.op("room_put", room=room.id)
        room.profiles, room.used_keys = joining.profiles, joining.keys
        answers = self.mint_members(room, joining.members)
        joined = [m.user for m in joining.members]
        if room.host in joined:
            room.host_left = False
        w.event(room, "member.joined", actor=actor, role=body["role"], joined=joined)
        return {"room": name, "members": answers, "ssrc": room.ssrc}

    def mint_members(self, room, members):
        w = self.w
        minted = w.minted().get("members", [])
        answers = []
        for at, member in enumerate(members):
            got = minted[at] if at < len(minted) else {}
            answer = {"member": member.user, "member_id": got.get("member_id")}
            member.id = got.get("member_id")
            if member.webrtc:
                answer.update(leg=None, **self.token_answer(room, member, got))
            else:
                member.leg = answer["leg"] = got.get("leg")
                answer.update(tx_key=got.get("tx_key"), rx_key=got.get("rx_key"))
            room.members[member.user] = member
            if not member.webrtc:
                w.op_leg_put(room, member)
            answers.append(answer)
        return answers

    def token_answer(self, room, member, got):
        token = got.get("token")
        member.token = digest_of(token) if token else None
        answer = {"token": token}
        url = self.w.limits.get("public_url")
        if url:
            answer["url"] = f"{url}/room/{room.name}#token={token}"
        return answer

    def member_token(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user = body.get("member", actor)
        refuse_if(actor not in (user, room.host), "not_allowed")
        member = w.member(room, user)
        refuse_if(not member.webrtc, "conflict")
        answer = {"room": name, "member": user, "role": member.role}
        answer.update(self.token_answer(room, member, w.minted()))
        return answer

    def member_keys(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user = body.get("member", actor)
        if user != actor:
            w.need_rank(room, actor, 2)
        member = w.member(room, user)
        refuse_if(member.webrtc, "conflict")
        return {"room": name, "member": user, "role": member.role, **self.leg_answer(member, False)}

    def leave_all(self, room, members, reason):
        """These memberships end together: one event."""
        w = self.w
        for member in members:
            w.op_leg_remove(member.leg)
            del room.members[member.user]
            if member.user == room.host:
                self.host_goes(room)
        w.event(room, "member.left", left=[m.user for m in members], reason=reason)

    def member_leave(self, actor, name, body):
        room = self.w.room(name)
        user = body.get("member", actor)
        refuse_if(actor not in (user, room.host), "not_allowed")
        member = self.w.member(room, user)
        self.leave_all(room, [member], "left")
        return {"room": name, "member": user}

    def member_list(self, actor, name, body, page):
        room = self.w.room(name)
        wanted = body.get("role")
        members = [m for m in room.members.values() if wanted in (None, m.role)]
        members.sort(key=lambda m: int(m.id))
        shown, last = page_of(members, body, lambda m: m.id)
        return {"members": [self.describe_member(room, m, page) for m in shown], "next": last}

    def describe_member(self, room, member, page):
        found = {
            "member": member.user,
            "member_id": member.id,
            "leg": None if member.leg == "0" else member.leg,
            "role": member.role,
            "transport": "webrtc" if member.webrtc else "keyed",
            "muted": member.role != "listener" and member.silent,
            "hand": member.hand is not None and member.hand.kind == "request",
            "invited": member.hand is not None and member.hand.kind == "invite",
            "connected": False,
            "joined_ms": member.joined_ms,
        }
        return found

    # ---- sessions: what the program does for a browser ----

    def session_begin(self, room, user, speaks):
        w = self.w
        member = room.members.get(user) if room else None
        refuse_if(member is None or not member.webrtc, "no_such_member")
        if member.seat == "new" and member.leg == "0":
            self.need_to_admit()
        refuse_if(speaks and member.role == "listener", "not_allowed")
        w.op_leg_remove(member.leg)
        puts = [op for op in w.actual.get("ops", []) if op["op"] == "leg_put"]
        member.leg = puts[0]["leg"] if puts else None
        member.sends = speaks
        member.seat_ns, member.seat = 0, "lost"
        apply_silence(room, member)
        w.op_leg_put(room, member)
        w.op("leg_ice")

    def session_end(self, room, user, left):
        w = self.w
        member = room.members.get(user) if room else None
        if member is None or not member.webrtc or member.leg == "0":
            return
        w.op_leg_remove(member.leg)
        member.leg = "0"
        member.seat = "left" if left else "lost"
        grace = w.limits["reconnect_grace_ms"]
        member.seat_ns = (w.mono_ms + grace) * 1_000_000 if grace else 0
