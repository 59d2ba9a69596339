# SPDX-License-Identifier: BSD-3-Clause
"""user.upsert, user.get, and what follows from who follows whom."""
from world import User, refuse_if


class People:
    def may_host(self, user):
        w = self.w
        needed = w.limits.get("host_min_followers", 0)
        known = w.users.get(user)
        if needed == 0:
            return True
        if known is None:
            return False
        return known.followers > needed or known.host_grant or known.moderator

    def known_followers(self, user):
        """Users who follow them, in the order in which the box came to know them."""
        return [u for u in self.w.users.values() if user in u.follows]

    def describe_user(self, name):
        user = self.w.users.get(name)
        follows = user.follows if user else []
        return {
            "user": name,
            "followers": user.followers if user else 0,
            "follows": len(follows),
            "following_known": sum(f in self.w.users for f in follows),
            "known_followers": len(self.known_followers(name)),
            "host_grant": user.host_grant if user else False,
            "moderator": user.moderator if user else False,
        }

    def user_upsert(self, actor, _, body):
        w = self.w
        name = body["user"]
        follows = body.get("follows")
        refuse_if(follows is not None and len(follows) > w.limits["follows_max"], "capacity")
        refuse_if(name not in w.users and len(w.users) >= w.limits["users_max"], "capacity")
        if name not in w.users:
            w.users[name] = User(
                id=None, name=name, followers=0, follows=[], host_grant=False, moderator=False
            )
        user = w.users[name]
        powers = (user.host_grant, user.moderator)
        user.followers = body.get("followers", user.followers)
        user.host_grant = body.get("host_grant", user.host_grant)
        user.moderator = body.get("moderator", user.moderator)
        user.updated_ms = w.wall_ms
        if follows is not None:
            user.follows = sorted(set(follows))
        if powers != (user.host_grant, user.moderator):
            on = {True: "on", False: "off"}
            why = f"host_grant {on[user.host_grant]}, moderator {on[user.moderator]}"
            w.audit(None, actor, "user.upsert", name, why)
        return self.describe_user(name)

    def user_get(self, actor, _, body):
        w = self.w
        name = body["user"]
        rooms = sorted((r for r in w.rooms.values() if name in r.members), key=lambda r: int(r.id))
        refuse_if(name not in w.users and not rooms, "no_such_user")
        found = [{"room": r.name, "role": r.members[name].role} for r in rooms]
        return {**self.describe_user(name), "rooms": found}

    @staticmethod
    def user_state(user):
        return {
            "name": user.name,
            "followers": user.followers,
            "host_grant": user.host_grant,
            "moderator": user.moderator,
            "updated_ms": user.updated_ms,
            "follows": " ".join(user.follows),
        }
