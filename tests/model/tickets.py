# SPDX-License-Identifier: BSD-3-Clause
"""ticket.offer, ticket.issue, ticket.refund, ticket.ledger."""
from rooms import page_of
from world import Thing, refuse_if


class Offer(Thing):
    """issued: tickets that are not refunded."""


class Ticket(Thing):
    """price = provider_fee + fee + share."""


def is_currency(text):
    return len(text) == 3 and all("A" <= c <= "Z" for c in text)


def looks_like_card(reference):
    """13 to 19 digits, perhaps in groups, the last of them Luhn's check digit."""
    digits = [c for c in reference if c not in " -"]
    if not all("0" <= c <= "9" for c in digits) or not 13 <= len(digits) <= 19:
        return False
    total = 0
    for at, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if at % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


class Tickets:
    def describe_offer(self, offer):
        return {
            "offer": offer.id,
            "price": offer.price,
            "currency": offer.currency,
            "quantity": offer.quantity,
            "left": offer.quantity - offer.issued,
            "sale_from_ms": offer.sale_from_ms,
            "sale_until_ms": offer.sale_until_ms or None,
        }

    def ticket_offer(self, actor, name, body):
        w = self.w
        refuse_if("currency" in body and not is_currency(body["currency"]), "invalid")
        room = w.room(name)
        w.need_rank(room, actor, 2)
        refuse_if(room.access != "ticketed", "conflict")
        old = room.offer
        if old is None:
            needed = ("price", "currency", "quantity")
            refuse_if(any(field not in body for field in needed), "invalid")
        else:
            moved = body.get("currency", old.currency) != old.currency
            refuse_if(moved and old.issued > 0, "conflict")
            refuse_if(body.get("quantity", old.quantity) < old.issued, "conflict")
        fields = vars(old) if old else {"id": None, "issued": 0, "sale_until_ms": 0}
        offer = Offer(**{"sale_from_ms": w.wall_ms, **fields, **body})
        refuse_if(0 < offer.sale_until_ms <= offer.sale_from_ms, "invalid")
        offer.id = offer.id or w.minted().get("offer")
        room.offer = offer
        w.audit(room, actor, "ticket.offer")
        w.event(room, "ticket.offered", actor=actor, **self.describe_offer(offer))
        return {"room": name, **self.describe_offer(offer)}

    # ---- money ----

    def gross(self, host, currency):
        """What the host's tickets are worth that are not refunded, without providers' fees."""
        mine = [t for t in self.w.tickets.values() if t.host == host and t.currency == currency]
        return sum(t.price - t.provider_fee for t in mine if t.state == 0)

    def fee(self, gross, base):
        """Of each tier the part of [gross, gross + base) that lies in it."""
        fee, low = 0, 0
        for up_to, basis_points in self.w.limits.get("fee_tiers", []):
            high = gross + base if up_to is None else up_to
            part = min(high, gross + base) - max(low, gross)
            fee += max(0, part) * basis_points // 10_000
            low = high
        return fee

    def book(self, ticket, kind):
        sign = 1 if kind == 0 else -1
        # No answer tells it: an entry is minted right behind its ticket, or by itself.
        entry_id = str(int(ticket.id or 0) + 1) if kind == 0 else str(self.w.next_id())
        self.w.entries.append(
            {
                "id": entry_id,
                "ticket_id": ticket.id,
                "kind": kind,
                "price": sign * ticket.price,
                "provider_fee": sign * ticket.provider_fee,
                "fee": sign * ticket.fee,
                "share": sign * ticket.share,
                "at_ms": self.w.wall_ms,
            }
        )

    def ticket_of(self, room, user):
        for ticket in self.w.tickets.values():
            if ticket.room_id == room.id and ticket.user == user and ticket.state == 0:
                return ticket
        return None

    def ticket_issue(self, actor, name, body):
        w = self.w
        user, reference, price = body["user"], body["reference"], body["price"]
        provider_fee = body.get("provider_fee", 0)
        refuse_if(not all(" " <= c <= "~" for c in reference), "invalid")
        refuse_if(looks_like_card(reference), "invalid")
        refuse_if(provider_fee > price, "invalid")
        refuse_if(not is_currency(body["currency"]), "invalid")
        room = w.room(name)
        refuse_if(w.is_shut_out(room, user), "not_allowed")
        offer = room.offer
        refuse_if(offer is None, "no_such_thing")
        refuse_if(any(t.reference == reference for t in w.tickets.values()), "already_exists")
        refuse_if(self.ticket_of(room, user) is not None, "already_exists")
        refuse_if((price, body["currency"]) != (offer.price, offer.currency), "conflict")
        refuse_if(w.wall_ms < offer.sale_from_ms, "conflict")
        refuse_if(offer.sale_until_ms and w.wall_ms >= offer.sale_until_ms, "conflict")
        refuse_if(offer.issued >= offer.quantity, "capacity")
        refuse_if(len(w.tickets) >= w.limits["tickets_max"], "capacity")
        base = price - provider_fee
        fee = self.fee(self.gross(room.host, offer.currency), base)
        ticket = Ticket(
            id=w.minted().get("ticket"),
            room_id=room.id,
            room=name,
            host=room.host,
            user=user,
            state=0,
            price=price,
            provider_fee=provider_fee,
            fee=fee,
            share=base - fee,
            currency=offer.currency,
            reference=reference,
            issued_ms=w.wall_ms,
            refunded_ms=0,
        )
        w.tickets[ticket.id] = ticket
        self.book(ticket, 0)
        offer.issued += 1
        left = offer.quantity - offer.issued
        w.audit(room, actor, "ticket.issue", user)
        w.event(
            room,
            "ticket.issued",
            ticket=ticket.id,
            user=user,
            price=price,
            currency=ticket.currency,
            left=left,
        )
        return {
            "room": name,
            "ticket": ticket.id,
            "offer": offer.id,
            "user": user,
            "left": left,
            "share": ticket.share,
            "fee": fee,
            "provider_fee": provider_fee,
        }

    def find_ticket(self, body):
        refuse_if(("ticket" in body) == ("reference" in body), "invalid")
        for ticket in self.w.tickets.values():
            if body.get("ticket") == ticket.id or body.get("reference") == ticket.reference:
                return ticket
        refuse_if(True, "no_such_thing")
        return None

    def ticket_refund(self, actor, _, body):
        w = self.w
        ticket = self.find_ticket(body)
        reason = body.get("reason")
        refuse_if(ticket.state == 1, "conflict")
        ticket.state, ticket.refunded_ms = 1, w.wall_ms
        self.book(ticket, 1)
        found = [r for r in w.rooms.values() if r.id == ticket.room_id]
        room = found[0] if found else None
        if room:
            room.offer.issued -= 1
        about = {
            "ticket": ticket.id,
            "user": ticket.user,
            "price": ticket.price,
            "currency": ticket.currency,
        }
        if room:
            w.event(room, "ticket.refunded", **about, reason=reason)
        else:
            w.event(None, "ticket.refunded", room=ticket.room, **about, reason=reason)
        w.audit(room, actor, "ticket.refund", ticket.user, reason)
        member = room.members.get(ticket.user) if room else None
        if member:
            self.leave_all(room, [member], "refunded")
        return {"room": ticket.room, **about, "removed": member is not None}

    # ---- the ledger ----

    def may_read_ledger(self, actor, room_name, body):
        """The id of the room that it is about, or None: whatever room had the name."""
        w = self.w
        if actor is None or w.is_moderator(actor) or body.get("host") == actor:
            return None
        refuse_if(room_name is None, "not_allowed")
        room = w.room(room_name)
        w.need_rank(room, actor, 2)
        return room.id

    def lines(self, host, sums):
        amounts = [
            ("buyer", -sums["price"]),
            ("provider", sums["provider_fee"]),
            ("platform", sums["fee"]),
        ]
        if isinstance(host, str):
            amounts.append((f"host:{host}", sums["share"]))
        else:
            amounts += [(f"host:{name}", share) for name, share in sorted(host.items())]
        return [{"account": name, "amount": amount} for name, amount in amounts]

    def totals(self, entries):
        w = self.w
        answer = []
        of = {e["ticket_id"]: w.tickets[e["ticket_id"]] for e in entries}
        for currency in sorted({t.currency for t in of.values()}):
            some = [e for e in entries if of[e["ticket_id"]].currency == currency]
            sums = {n: sum(e[n] for e in some) for n in ("price", "provider_fee", "fee", "share")}
            hosts = {}
            for entry in some:
                host = of[entry["ticket_id"]].host
                hosts[host] = hosts.get(host, 0) + entry["share"]
            accounts = self.lines(hosts, sums)
            answer.append({"currency": currency, "accounts": accounts, "sum": 0})
        return answer

    def ticket_ledger(self, actor, room_name, body):
        w = self.w
        page_of([], body, None)
        room_id = self.may_read_ledger(actor, room_name, body)

        def matches(entry):
            ticket = w.tickets[entry["ticket_id"]]
            return (
                room_name in (None, ticket.room)
                and room_id in (None, ticket.room_id)
                and body.get("host", ticket.host) == ticket.host
                and body.get("currency", ticket.currency) == ticket.currency
            )

        entries = [e for e in w.entries if matches(e)]
        shown, last = page_of(entries, body, lambda e: e["id"])
        answer = []
        for entry in shown:
            ticket = w.tickets[entry["ticket_id"]]
            answer.append(
                {
                    "entry": entry["id"],
                    "ticket": ticket.id,
                    "room": ticket.room,
                    "kind": ("issue", "refund")[entry["kind"]],
                    "at_ms": entry["at_ms"],
                    "reference": ticket.reference,
                    "currency": ticket.currency,
                    "lines": self.lines(ticket.host, entry),
                }
            )
        return {"entries": answer, "next": last, "totals": self.totals(entries)}

    @staticmethod
    def offer_state(offer):
        return {**vars(offer), "price": str(offer.price)}

    @staticmethod
    def ticket_state(ticket):
        numbers = ("price", "provider_fee", "fee", "share")
        return {k: str(v) if k in numbers else v for k, v in vars(ticket).items()}
