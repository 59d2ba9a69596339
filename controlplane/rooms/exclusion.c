/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "controlplane/rooms/exclusion.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/role.h"
#include "controlplane/rooms/share.h"

/* Those that name them, and those they made: by a link of their own they would be back as a guest.
 */
static bool drop_shares(
	struct plan *plan, struct registry *registry, struct room *room, const char *user)
{
	struct share *share;
	uint64_t id = 0;

	while ((share = roster_next(&room->shares, &id)) != NULL) {
		if ((strcmp(share->member.text, user) == 0 ||
			    strcmp(share->actor.text, user) == 0) &&
			!plan_record(plan, registry, RECORD_SHARE, share, NULL))
			return false;
	}
	return true;
}

bool exclusion_begin(struct plan *plan, struct registry *registry, struct room *room,
	const char *user, bool banned, const char *reason)
{
	const struct exclusion *before = hash_find(&room->excluded, user);
	struct member *member = registry_member(room, user);

	if ((before == NULL || (before->banned && !banned)) &&
		!plan_exclude(plan, room, user, banned))
		return false;
	if (!drop_shares(plan, registry, room, user) || !role_unname(plan, room, user))
		return false;
	return member == NULL || outgoing_member_left(plan, registry, member, reason);
}

bool exclusion_lift(struct plan *plan, struct room *room, const char *user)
{
	const struct exclusion *exclusion = hash_find(&room->excluded, user);

	return exclusion == NULL || !exclusion->banned || plan_include(plan, room, user);
}
