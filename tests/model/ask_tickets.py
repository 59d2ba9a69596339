# SPDX-License-Identifier: BSD-3-Clause
"""Requests about tickets."""
REFERENCES = ["4111111111111111", "4111 1111-1111 1111", "caf\u00e9", "1234567890123"]


class AskTickets:
    """A part of the generator."""

    def ticketed(self):
        rooms = [r for r in self.w.rooms.values() if r.access == "ticketed"]
        return self.pick(rooms) if rooms and self.chance(0.85) else self.room()

    def ticket_offer(self):
        room = self.ticketed()
        body = {"actor": self.chief(room), "room": self.name(room)}
        if self.chance(0.9):
            body["price"] = self.pick([0, 1, 500, 999, 70_000, 10**9])
        if self.chance(0.85):
            body["currency"] = self.pick(["EUR", "EUR", "EUR", "USD", "eur"])
        if self.chance(0.9):
            body["quantity"] = self.pick([1, 2, 5, 1000])
        if self.chance(0.2):
            body["sale_from_ms"] = self.wall_ms + self.pick([-60_000, 0, 20_000])
        if self.chance(0.2):
            body["sale_until_ms"] = self.pick([0, self.wall_ms + self.pick([1, 60_000, 3_600_000])])
        return body

    def ticket_issue(self):
        room = self.ticketed()
        offer = room.offer if room else None
        body = {"actor": self.anybody(), "room": self.name(room), "user": self.anybody()}
        body["reference"] = f"pay-{self.count}"
        if self.chance(0.05):
            body["reference"] = self.pick(REFERENCES)
        elif self.w.tickets and self.chance(0.05):
            body["reference"] = self.w.tickets[self.pick(self.w.tickets)].reference
        body["price"] = offer.price if offer and self.chance(0.95) else 500
        body["currency"] = offer.currency if offer and self.chance(0.95) else "EUR"
        if self.chance(0.3):
            body["provider_fee"] = self.pick([0, 1, body["price"] // 10, body["price"] + 1])
        return body

    def ticket_refund(self):
        body = {"actor": self.anybody(), "reason": self.reason()}
        ticket = self.pick(self.w.tickets.values())
        if ticket is None or self.chance(0.05):
            body["ticket"] = self.pick(["1", "x", str(self.count * 65536)])
            return body
        if self.chance(0.5):
            body["ticket"] = ticket.id
        else:
            body["reference"] = ticket.reference
        if self.chance(0.03):
            body["ticket"] = ticket.id
        return body

    def ticket_ledger(self):
        room = self.room()
        actor = self.chief(room)
        host = actor if self.chance(0.5) else self.pick([None, None, self.anybody()])
        return {
            "actor": None if self.chance(0.3) else actor,
            "room": self.name(room) if self.chance(0.5) else None,
            "host": host,
            "currency": self.pick([None, None, "EUR", "USD"]),
            **self.paging(),
        }
