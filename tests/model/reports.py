# SPDX-License-Identifier: BSD-3-Clause
"""moderation.report, moderation.reports, moderation.resolve; and holds."""
import json

from rooms import page_of
from schema import CATEGORIES
from world import ANY, Mute, Thing, refuse_if

STATES = ("open", "upheld", "dismissed")
NOTHING = 4  # held_rank of a hold that took the place of no mute


class Report(Thing):
    """state 0 open, 1 upheld, 2 dismissed."""


class Reports:
    def open_reports(self, room_id, user):
        found = [r for r in self.w.reports.values() if r.room_id == room_id and r.member == user]
        return [r for r in found if r.state == 0]

    def evidence(self, room, user):
        member = room.members.get(user)
        return {
            "at_ms": self.w.wall_ms,
            "slots": [
                {"slot": slot, "ssrc": room.ssrc[slot] if room.ssrc else ANY, "member": room.holders.get(slot)}
                for slot in range(room.slots)
            ],
            "role": member.role if member else None,
            "muted": user in room.silenced,
        }

    def act_on_hold(self, room, user, mute, reason):
        action = "moderation.unmute" if mute is None else "moderation.mute"
        self.w.audit(room, "stentor", action, user, reason)
        if mute is None:
            self.unsilence(room, user, None, reason)
        else:
            self.silence(room, user, mute, None, reason)

    def hold(self, room, user):
        """Silent without an end, and only a host may change that; unless it is so already."""
        old = room.silenced.get(user)
        if old is not None and old.by_rank >= 2 and old.until_ns == 0:
            return
        mute = Mute(until_ms=0, by="", by_rank=2, held=True, held_rank=NOTHING)
        if old is not None:
            mute.until_ms, mute.by = old.until_ms, old.by
            mute.by_rank, mute.held_rank = max(2, old.by_rank), old.by_rank
        self.act_on_hold(room, user, mute, "held")

    def moderation_report(self, actor, name, body):
        w = self.w
        room = w.room(name)
        user = body["member"]
        refuse_if(user == actor, "not_allowed")
        mine = [r for r in self.open_reports(room.id, user) if r.reporter == actor]
        refuse_if(mine, "already_exists")
        if len(w.reports) >= w.limits["reports_max"]:
            resolved = [r for r in w.reports.values() if r.state != 0]
            refuse_if(not resolved, "capacity")
            del w.reports[resolved[0].id]
        report = Report(
            id=w.minted().get("report"),
            room_id=room.id,
            room=name,
            host=room.host,
            reporter=actor,
            member=user,
            category=CATEGORIES.index(body["category"]),
            state=0,
            at_ms=w.wall_ms,
            resolved_ms=0,
            resolved_by="",
            note="",
            text=body.get("text", ""),
            evidence=self.evidence(room, user),
        )
        w.reports[report.id] = report
        distinct = len(self.open_reports(room.id, user))
        w.audit(room, actor, "moderation.report", user, body["category"])
        w.event(
            room,
            "report.opened",
            report=report.id,
            reporter=actor,
            member=user,
            category=body["category"],
            distinct=distinct,
        )
        enough = w.limits["report_hold_count"]
        if enough and distinct == enough and w.rank(room, user) < 2:
            self.hold(room, user)
        return {"room": name, "member": user, "report": report.id}

    def moderation_reports(self, actor, room_name, body):
        w = self.w
        sees_all = actor is None or w.is_moderator(actor)
        room_id = None
        if not sees_all:
            refuse_if(room_name is None, "not_allowed")
            if room_name in w.rooms:
                w.need_rank(w.rooms[room_name], actor, 1)
                room_id = w.rooms[room_name].id
        wants_open = body.get("state", "open") == "open"

        def listed(report):
            return (
                (report.state == 0) == wants_open
                and room_name in (None, report.room)
                and body.get("member", report.member) == report.member
                and (sees_all or report.room_id == room_id or report.host == actor)
            )

        page, last = page_of([r for r in w.reports.values() if listed(r)], body, lambda r: r.id)
        return {"reports": [self.describe_report(r) for r in page], "next": last}

    @staticmethod
    def describe_report(report):
        done = report.state != 0
        return {
            "report": report.id,
            "room": report.room,
            "member": report.member,
            "reporter": report.reporter,
            "category": CATEGORIES[report.category],
            "text": report.text,
            "evidence": report.evidence,
            "state": "resolved" if done else "open",
            "at_ms": report.at_ms,
            "resolution": STATES[report.state] if done else None,
            "resolved_by": report.resolved_by if done else None,
            "note": report.note if done else None,
            "resolved_ms": report.resolved_ms if done else None,
        }

    def past_rank(self, report, user):
        """In the room, or in what it was when it has ended."""
        w = self.w
        for room in w.rooms.values():
            if room.id == report.room_id:
                return w.rank(room, user)
        if w.is_moderator(user):
            return 3
        return 2 if user == report.host else 0

    def moderation_resolve(self, actor, room_name, body):
        w = self.w
        report = w.reports.get(body["report"])
        elsewhere = report is not None and room_name not in (None, report.room)
        refuse_if(report is None or elsewhere, "no_such_thing")
        rank = self.past_rank(report, actor)
        refuse_if(rank < 1 or rank <= self.past_rank(report, report.member), "not_allowed")
        refuse_if(report.state != 0, "conflict")
        report.state = STATES.index(body["resolution"])
        report.resolved_ms, report.resolved_by = w.wall_ms, actor
        report.note = body.get("note", "")
        user = report.member
        rooms = [r for r in w.rooms.values() if r.id == report.room_id]
        room = rooms[0] if rooms else None
        w.audit(room, actor, "moderation.resolve", user, body.get("note"))
        w.event(
            room,
            "report.resolved",
            actor=actor,
            report=report.id,
            member=user,
            resolution=body["resolution"],
        )
        if room is not None and user in room.silenced and room.silenced[user].held:
            self.settle_hold(room, user, report)
        return {
            "room": report.room,
            "member": user,
            "report": report.id,
            "resolution": body["resolution"],
        }

    def settle_hold(self, room, user, report):
        held = room.silenced[user]
        if report.state == 1:  # from now on it is a mute like any other of a host
            mute = Mute(until_ms=0, by=report.resolved_by, by_rank=held.by_rank, held=False)
            mute.until_ns, mute.held_rank = 0, 0
            room.silenced[user] = mute
            self.silence_quietly(room, user)
            return
        if self.open_reports(room.id, user):
            return
        over = held.until_ms != 0 and held.until_ms <= self.w.wall_ms
        mute = None
        if held.held_rank != NOTHING and not over:
            mute = Mute(until_ms=held.until_ms, by=held.by, by_rank=held.held_rank, held=False)
            mute.held_rank = 0
        self.act_on_hold(room, user, mute, "dismissed")

    @staticmethod
    def report_state(report):
        written = json.dumps(report.evidence, separators=(",", ":"))
        return {**vars(report), "evidence": ANY if ANY in written else written}
