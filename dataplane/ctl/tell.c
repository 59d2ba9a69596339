/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/tell.h"

void tell_leg(struct outbox *outbox, enum command_type type, const struct leg *leg)
{
	struct command command = {.type = type, .handle = leg->version->facts.leg};

	if (type == COMMAND_LEG_ADD || type == COMMAND_LEG_UPDATE)
		command.leg = &leg->version->facts;
	if (leg->version->facts.role == STN_ROLE_SPEAKER)
		outbox_send_all(outbox, &command);
	else
		outbox_send(outbox, leg->version->facts.worker, &command);
}

void tell_ice(struct outbox *outbox, struct leg *leg)
{
	struct command command = {.type = COMMAND_LEG_ICE, .handle = leg->version->facts.leg};

	if (!leg_is_webrtc(leg) || !leg_browser(leg)->ice_due || !leg->visible || leg->removed)
		return;
	leg_browser(leg)->ice_due = false;
	command.ice = leg_browser(leg)->ice->facts;
	outbox_send(outbox, leg->version->facts.worker, &command);
}

void tell_mute(struct outbox *outbox, struct leg *leg)
{
	struct command command = {
		.type = COMMAND_LEG_MUTE, .handle = leg->version->facts.leg, .value = leg->muted};

	leg->muted_posted = leg->muted;
	/* A listener has no source that could be muted; its facts say so should it become one. */
	if (leg->version->facts.role == STN_ROLE_SPEAKER)
		outbox_send_all(outbox, &command);
}

void tell_room(struct outbox *outbox, enum command_type type, const struct room *room)
{
	struct command command = {.type = type, .handle = room->version->facts.room};

	if (type != COMMAND_ROOM_REMOVE)
		command.room = &room->version->facts;
	outbox_send_all(outbox, &command);
}
