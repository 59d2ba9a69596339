/* SPDX-License-Identifier: BSD-3-Clause */
/* What the data plane reports becomes events. */
#include <string.h>

#include "configs/log.h"
#include "controlplane/conductor.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/session.h"

static void send_live(struct conductor *c, const struct room *room, struct writer *writer)
{
	writer_end_object(writer);
	writer_append(writer, "\n", 1);
	if (!writer->failed)
		feed_live(c->feed, room->put.room_id, writer->text, writer->size);
	writer_clear(writer);
}

/* The member whose leg that still is, or NULL. */
static struct member *member_of(struct conductor *c, const struct stn_notice *notice)
{
	struct member *member = registry_member_by_id(c->registry, notice->member_id);

	return member != NULL && member->put.leg_id == notice->leg_id ? member : NULL;
}

/* Of what the member sends: pages find who speaks by it, in the CSRCs of what they hear. */
static void write_ssrc(struct writer *writer, const struct member *member)
{
	if (member == NULL || member->ssrc == 0)
		writer_null(writer, "ssrc");
	else
		writer_uint(writer, "ssrc", member->ssrc);
}

static void speaking(struct conductor *c, const struct stn_notice *notice)
{
	struct room *room = registry_room_by_id(c->registry, notice->room_id);
	struct member *member = notice->leg_id == 0 ? NULL : member_of(c, notice);
	struct moment now = conductor_now();
	struct writer writer = {0};

	if (room == NULL || notice->slot >= room->put.slot_count)
		return;
	room->holder[notice->slot] = member == NULL ? 0 : member_id(member);
	outgoing_begin_live(&writer, &now, room, "room.speaking");
	writer_uint(&writer, "slot", notice->slot);
	writer_string(&writer, "member", member == NULL ? NULL : member->user.text);
	write_ssrc(&writer, member);
	send_live(c, room, &writer);
}

void notice_connection(struct conductor *c, const struct member *member, bool connected)
{
	struct moment now = conductor_now();
	struct writer writer = {0};

	outgoing_begin_live(&writer, &now, member->room,
		connected ? "member.connected" : "member.disconnected");
	writer_string(&writer, "member", member->user.text);
	if (connected)
		write_ssrc(&writer, member);
	send_live(c, member->room, &writer);
}

static void leg_connected(struct conductor *c, const struct stn_notice *notice)
{
	struct member *member = member_of(c, notice);

	if (member == NULL || member->connected)
		return;
	member->connected = true;
	if (member->put.role == STN_ROLE_SPEAKER && member->ssrc == 0)
		member->ssrc = (uint32_t)notice->value;
	notice_connection(c, member, true);
}

void notice_take(struct conductor *c, const struct stn_notice *notice)
{
	struct member *member = member_of(c, notice);
	struct room *room = registry_room_by_id(c->registry, notice->room_id);

	switch (notice->type) {
	case STN_NOTICE_LEG_CONNECTED:
		leg_connected(c, notice);
		break;
	case STN_NOTICE_SPEAKING:
		speaking(c, notice);
		break;
	case STN_NOTICE_LEG_EXPIRED:
		if (member != NULL)
			ending_member(c, member, "expired");
		break;
	case STN_NOTICE_ROOM_EXPIRED:
		if (room != NULL)
			ending_room(c, room, "expired");
		break;
	case STN_NOTICE_MUTE_ENDED:
		/* Muted anew meanwhile: then it is not this mute that ended. */
		if (member != NULL && member_muted(member) && member->put.mute_until_ns != 0 &&
			member->put.mute_until_ns <= notice->at_ns)
			ending_silence(c, member->room, member->user.text);
		break;
	case STN_NOTICE_PRESSURE:
		log_warn("dataplane_pressure", "legs_percent=%llu",
			(unsigned long long)notice->value);
		break;
	case STN_NOTICE_LOST:
		log_warn("notices_lost", "count=%llu", (unsigned long long)notice->value);
		break;
	case STN_NOTICE_LEG_MOVED:
	case STN_NOTICE_LEG_LOST:
		session_notice(c, notice);
		break;
	default:
		break;
	}
}
