/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/place.h"

#include <string.h>

static const struct stn_address nowhere;

static bool is_speaker(const struct leg *leg)
{
	return leg->version->facts.role == STN_ROLE_SPEAKER;
}

static struct command path_command(
	enum command_type type, const struct leg *leg, const struct stn_address *remote)
{
	const struct leg_facts *facts = &leg->version->facts;
	struct command command = {.type = type, .handle = facts->leg, .value = facts->leg_id};

	command.path.address = *remote;
	command.path.worker = facts->worker;
	return command;
}

/* Speakers are known to every worker, listeners to their owner and to who receives from them. */
static void tell_others(struct outbox *outbox, enum command_type type, const struct leg *leg,
	const struct stn_address *remote)
{
	struct command command = path_command(type, leg, remote);
	uint32_t owner = leg->version->facts.worker;
	unsigned int worker;

	if (!leg->visible || !leg_is_webrtc(leg) || !remote->family)
		return;
	if (is_speaker(leg)) {
		for (worker = 0; worker < outbox->bus.worker_count; worker++)
			if (worker != owner)
				outbox_send(outbox, worker, &command);
		return;
	}
	worker = outbox->bus.worker_of(outbox->bus.impl, remote);
	if (worker != owner)
		outbox_send(outbox, worker, &command);
}

void place_announce(struct outbox *outbox, const struct leg *leg)
{
	tell_others(outbox, COMMAND_PATH_ADD, leg, leg_remote(leg));
}

void place_withdraw(struct outbox *outbox, const struct leg *leg, const struct stn_address *remote)
{
	tell_others(outbox, COMMAND_PATH_REMOVE, leg, remote);
}

/* The owner has to do without that path. */
static void tell_owner(
	struct outbox *outbox, const struct leg *leg, const struct stn_address *remote)
{
	struct command command = path_command(COMMAND_PATH_LOST, leg, remote);

	if (leg->visible)
		outbox_send(outbox, leg->version->facts.worker, &command);
}

void place_take(struct outbox *outbox, const struct leg *leg, const struct stn_address *remote)
{
	place_withdraw(outbox, leg, remote);
	tell_owner(outbox, leg, remote);
}

void place_count(const struct worker_bus *bus, const struct leg *leg,
	const struct stn_address *remote, size_t count[], size_t *everybody)
{
	if (!leg_is_webrtc(leg) || !remote->family)
		return;
	if (is_speaker(leg))
		++*everybody;
	else
		count[bus->worker_of(bus->impl, remote)]++;
}

/*
 * The leg a reply is about: by id, since its handle may be that of an object which has left. While
 * a leg waits behind a barrier for its other role, the old object's path is its own.
 */
static struct leg *find(const struct registry *registry, const struct reply *reply)
{
	struct leg *leg = registry_leg(registry, reply->value);

	if (!leg || !leg_is_webrtc(leg))
		return NULL;
	return leg->visible ? (leg->version->facts.leg == reply->handle ? leg : NULL)
			    : (leg->switching ? leg : NULL);
}

static void move(struct registry *registry, struct outbox *outbox, struct leg *leg,
	const struct stn_address *remote)
{
	place_withdraw(outbox, leg, leg_remote(leg));
	registry_move_leg(registry, leg, remote);
	place_announce(outbox, leg);
}

const struct leg *place_moved(
	struct registry *registry, struct outbox *outbox, const struct reply *reply)
{
	struct leg *leg = find(registry, reply);
	struct leg *holder;

	if (!leg || !memcmp(leg_remote(leg), &reply->remote, sizeof(reply->remote)))
		return leg;
	holder = reply->remote.family ? registry_leg_at(registry, &reply->remote) : NULL;
	if (holder && !leg_is_webrtc(holder)) {
		move(registry, outbox, leg, &nowhere);
		tell_owner(outbox, leg, &reply->remote);
		return NULL;
	}
	if (holder) {
		place_take(outbox, holder, &reply->remote);
		registry_move_leg(registry, holder, &nowhere);
	}
	move(registry, outbox, leg, &reply->remote);
	return leg;
}

const struct leg *place_lost(
	struct registry *registry, struct outbox *outbox, const struct reply *reply)
{
	struct leg *leg = find(registry, reply);

	if (leg)
		move(registry, outbox, leg, &nowhere);
	return leg;
}
