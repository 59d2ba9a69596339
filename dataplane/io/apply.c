// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <stdlib.h>

#include "dataplane/core/index.h"
#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

void apply_notify(struct worker *worker, const struct reply *reply)
{
	struct reply message = *reply;

	message.worker = worker->config.index;
	message.at_ns = worker->now_ns;
	/* Telemetry: what does not fit is lost, the state can be asked for. */
	(void)rte_ring_sp_enqueue_elem(worker->config.replies, &message, sizeof(message));
}

/* An answer that must arrive: kept until there is room, and no command is applied meanwhile. */
static void answer(struct worker *worker, const struct reply *reply)
{
	worker->reply_held = *reply;
	worker->reply_held.worker = worker->config.index;
	worker->reply_held.at_ns = worker->now_ns;
	worker->reply_waiting = rte_ring_sp_enqueue_elem(worker->config.replies,
					&worker->reply_held, sizeof(worker->reply_held)) < 0;
}

static void refuse(struct worker *worker, uint32_t type, uint32_t handle, int error)
{
	struct reply reply = {
		.type = REPLY_REFUSED,
		.handle = handle,
		.slot = type,
		.value = error == -EINVAL ? STN_STATUS_BAD_OP : STN_STATUS_NO_SPACE,
	};

	answer(worker, &reply);
}

static void current_roc(const struct worker_room *room, uint32_t roc[SHARD_SLOTS_MAX])
{
	unsigned int slot;

	for (slot = 0; slot < SHARD_SLOTS_MAX; slot++)
		roc[slot] =
			slot < room->facts->slot_count
				? index_roc(__atomic_load_n(
					  &room->facts->slot_index[slot]->value, __ATOMIC_RELAXED))
				: 0;
}

void apply_template(const struct worker *worker, const struct leg_facts *facts,
	const struct worker_message *message, struct frame_template *out)
{
	const struct worker_port *port = &worker->config.port[message->port];
	struct frame_path path = {
		.vlan = port->vlan,
		.dscp = worker->config.dscp,
		.local = port->local[facts->remote.family == 4 ? 0 : 1],
		.remote = facts->remote,
	};
	int rc;

	memcpy(path.source_mac, port->mac, sizeof(path.source_mac));
	memcpy(path.destination_mac, message->mac, sizeof(path.destination_mac));
	rc = frame_template_build(&path, out);
	/* The main lcore posts a leg only with a port that has an address of its family. */
	RTE_VERIFY(rc == 0);
}

static int listener_add(
	struct worker *worker, struct worker_leg *leg, const struct worker_message *message)
{
	const struct leg_facts *facts = leg->facts;
	struct worker_room *room = worker->room[facts->room];
	uint32_t never[SHARD_SLOTS_MAX], slot;
	struct frame_template template;
	struct master_key key;
	struct shard_leg add = {
		.group = {.profile = facts->profile, .port = message->port},
		.leg = facts->leg,
		.origin = facts->origin,
	};
	int rc;

	apply_template(worker, facts, message, &template);
	add.template_bytes = template.bytes;
	add.group.template_size = template.size;
	if (facts->protection == STN_PROTECTION_LEG) {
		apply_master_key(&facts->tx, &key);
		add.group.suite = key.suite;
		add.key = &key;
	}
	leg->unresolved = !message->mac_known;
	if (leg->unresolved) {
		current_roc(room, never);
		for (slot = 0; slot < SHARD_SLOTS_MAX; slot++)
			never[slot] = SHARD_ORIGIN_NEVER(never[slot]);
		add.origin = never;
	}
	rc = shard_add(&room->shard, worker->core, &add, &leg->place);
	explicit_bzero(&key, sizeof(key));
	if (rc == 0)
		room->unresolved += leg->unresolved;
	return rc;
}

static void leg_add(struct worker *worker, const struct worker_message *message)
{
	const struct leg_facts *facts = message->command.leg;
	struct worker_leg *leg = &worker->leg[facts->leg];
	int rc;

	if (worker->room[facts->room] == NULL) {
		refuse(worker, COMMAND_LEG_ADD, facts->leg,
			-ENOSPC); /* its room was refused before */
		return;
	}
	*leg = (struct worker_leg){.facts = facts, .muted = facts->muted};
	leg->place.group = UINT16_MAX;
	rc = locator_add(&worker->locator, &facts->remote, facts->leg);
	if (rc == 0 && facts->worker == worker->config.index) {
		if (facts->role == STN_ROLE_SPEAKER)
			rc = apply_speaker_add(worker, leg, message);
		else
			rc = listener_add(worker, leg, message);
		if (rc < 0)
			locator_remove(&worker->locator, &facts->remote);
	}
	if (rc < 0) {
		leg->facts = NULL;
		refuse(worker, COMMAND_LEG_ADD, facts->leg, rc);
		return;
	}
	worker->stats.legs += facts->worker == worker->config.index;
}

static void take_out(
	struct worker *worker, struct worker_room *room, const struct shard_place *place)
{
	uint32_t moved = shard_remove(&room->shard, place);

	if (moved != SHARD_NO_LEG)
		worker->leg[moved].place = *place;
}

/* Highest first: then the last leg, which moves into the hole, is never one to be taken out. */
static int compare_places(const void *a, const void *b)
{
	const struct shard_place *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? 1 : -1;
	return x->position < y->position ? 1 : x->position > y->position ? -1 : 0;
}

void apply_removals(struct worker *worker, struct worker_room *room)
{
	uint32_t i;

	qsort(room->removed, room->removed_count, sizeof(*room->removed), compare_places);
	for (i = 0; i < room->removed_count; i++)
		take_out(worker, room, &room->removed[i]);
	room->removed_count = 0;
}

static bool remove_later(struct worker_room *room, const struct shard_place *place)
{
	struct shard_place *list = room->removed;
	uint32_t capacity = room->removed_capacity ? room->removed_capacity * 2 : 16;

	if (room->removed_count == room->removed_capacity) {
		list = realloc(list, capacity * sizeof(*list));
		if (list == NULL)
			return false;
		room->removed = list;
		room->removed_capacity = capacity;
	}
	room->removed[room->removed_count++] = *place;
	return true;
}

static void listener_remove(struct worker *worker, struct worker_leg *leg)
{
	struct worker_room *room = worker->room[leg->facts->room];
	uint32_t roc[SHARD_SLOTS_MAX];

	room->unresolved -= leg->unresolved;
	current_roc(room, roc);
	shard_silence(&room->shard, &leg->place, roc);
	if (fan_room(worker) != room) {
		take_out(worker, room, &leg->place);
	} else if (!remove_later(room, &leg->place)) {
		/* No memory to remember it: give up this fan-out rather than the removal. */
		fan_cancel(worker, UINT32_MAX, room->facts->room);
		take_out(worker, room, &leg->place);
	}
}

void apply_leg_close(struct worker *worker, uint32_t handle)
{
	struct worker_leg *leg = &worker->leg[handle];

	if (leg->facts == NULL)
		return; /* it was refused */
	locator_remove(&worker->locator, &leg->facts->remote);
	if (leg->facts->role == STN_ROLE_SPEAKER)
		fan_cancel(worker, handle, UINT32_MAX);
	if (leg->speaker != NULL)
		apply_speaker_remove(worker, leg);
	else if (leg->place.group != UINT16_MAX)
		listener_remove(worker, leg);
	worker->stats.legs -= leg->facts->worker == worker->config.index;
	*leg = (struct worker_leg){0};
}

/*
 * The unmute is posted when every worker has applied the mute, and before any applies the unmute:
 * so its time parts what was said before the mute, and may still be in a ring, from what comes
 * after.
 */
static void leg_mute(struct worker *worker, const struct worker_message *message)
{
	uint32_t handle = message->command.handle;
	struct worker_leg *leg = &worker->leg[handle];
	bool muted = message->command.value != 0;

	if (leg->facts == NULL)
		return;
	leg->muted = muted;
	if (muted) {
		fan_cancel(worker, handle, UINT32_MAX);
	} else {
		leg->unmuted_ns = message->posted_ns;
		/* It may have been posted after this turn began. */
		worker->now_ns = RTE_MAX(worker->now_ns, message->posted_ns);
	}
	if (leg->speaker == NULL)
		return;
	selector_mute(worker->room[leg->facts->room]->selector, &leg->speaker->source, muted,
		worker->now_ns, &worker->selection);
	publish_selection(worker, worker->room[leg->facts->room]);
}

static void leg_neighbour(struct worker *worker, const struct command *command)
{
	struct worker_leg *leg = &worker->leg[command->handle];
	struct worker_room *room;

	if (leg->facts == NULL || leg->facts->leg_id != command->value)
		return; /* gone, or another by now */
	if (leg->speaker != NULL) {
		memcpy(leg->speaker->template.bytes, command->neighbour.mac, 6);
		leg->speaker->mac_known = true;
		return;
	}
	if (leg->place.group == UINT16_MAX)
		return;
	room = worker->room[leg->facts->room];
	shard_release(&room->shard, &leg->place, command->neighbour.mac, leg->facts->origin);
	room->unresolved -= leg->unresolved;
	leg->unresolved = false;
}

static void room_stats(struct worker *worker, const struct command *command)
{
	struct reply reply = {.type = REPLY_ROOM_STATS,
		.handle = command->handle,
		.value = command->value,
		.stats = command->stats};

	apply_room_stats(worker, worker->room[command->handle], command->stats);
	answer(worker, &reply);
}

static void apply(struct worker *worker, const struct worker_message *message)
{
	const struct command *command = &message->command;
	struct reply fence = {.type = REPLY_FENCE, .value = command->value};

	switch ((enum command_type)command->type) {
	case COMMAND_ROOM_ADD:
		if (apply_room_open(worker, command->room) < 0)
			refuse(worker, COMMAND_ROOM_ADD, command->room->room, -ENOMEM);
		break;
	case COMMAND_ROOM_UPDATE:
		apply_room_update(worker, command->room);
		break;
	case COMMAND_ROOM_REMOVE:
		apply_room_close(worker, command->handle);
		break;
	case COMMAND_LEG_ADD:
		leg_add(worker, message);
		break;
	case COMMAND_LEG_REMOVE:
		apply_leg_close(worker, command->handle);
		break;
	case COMMAND_LEG_MUTE:
		leg_mute(worker, message);
		break;
	case COMMAND_FENCE:
		answer(worker, &fence);
		break;
	case COMMAND_ROOM_STATS:
		room_stats(worker, command);
		break;
	case COMMAND_NEIGHBOUR:
		leg_neighbour(worker, command);
		break;
	default:
		RTE_VERIFY(false); /* the main lcore is the same program */
	}
}

unsigned int apply_commands(struct worker *worker)
{
	struct worker_message message;
	unsigned int count = 0;

	if (worker->reply_waiting) {
		worker->reply_waiting =
			rte_ring_sp_enqueue_elem(worker->config.replies, &worker->reply_held,
				sizeof(worker->reply_held)) < 0;
	}
	while (!worker->reply_waiting && count < WORKER_COMMANDS_MAX &&
		rte_ring_sc_dequeue_elem(worker->config.commands, &message, sizeof(message)) == 0) {
		apply(worker, &message);
		count++;
	}
	return count;
}
