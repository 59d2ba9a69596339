# SPDX-License-Identifier: BSD-3-Clause
"""Token buckets: so many a second for each actor, and a burst."""
from world import Refusal


class Rates:
    def __init__(self, world):
        self.w = world
        self.buckets = {}  # (which, actor): tokens in 1/per_second s of a nanosecond, and when

    def count(self, kind, actor):
        """Platform moderators and requests without an actor are not counted."""
        w = self.w
        if kind.rated is None or actor is None or w.is_moderator(actor):
            return
        per_second = w.limits.get(kind.rated + "_per_second", 0)
        if per_second == 0:
            return
        one = 10**9 // per_second
        full = w.limits[kind.rated + "_burst"] * one
        now = w.mono_ms * 10**6
        level, then = self.buckets.get((kind.rated, actor), (full, now))
        level = min(full, level + now - then)
        if level < one:
            raise Refusal("rate_limited")
        self.buckets[kind.rated, actor] = (level - one, now)
