// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>

#include <rte_cycles.h>
#include <rte_prefetch.h>

#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

/* While packets wait to be sent, they get so many times the time that commands took: a worker that
 * is busy to 80 percent keeps up with its packets whatever is programmed meanwhile. */
#define PACKETS_SHARE 4u

bool apply_notify(struct worker *worker, const struct reply *reply)
{
	struct reply message = *reply;

	message.worker = worker->config.index;
	message.at_ns = worker->now_ns;
	return rte_ring_sp_enqueue_elem(worker->config.replies, &message, sizeof(message)) == 0;
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

void apply_template(
	const struct worker *worker, const struct ice_origin *to, struct frame_template *out)
{
	const struct worker_port *port = &worker->config.port[to->port];
	struct frame_path path = {
		.vlan = port->vlan,
		.dscp = worker->config.dscp,
		.local = port->local[to->remote.family == 4 ? 0 : 1],
		.remote = to->remote,
	};
	int rc;

	memcpy(path.source_mac, port->mac, sizeof(path.source_mac));
	memcpy(path.destination_mac, to->mac, sizeof(path.destination_mac));
	rc = frame_template_build(&path, out);
	/* The main lcore posts a leg only with a port that has an address of its family, and a
	 * path came in by such a port. */
	RTE_VERIFY(rc == 0);
}

static int keyed_add(
	struct worker *worker, struct worker_leg *leg, const struct worker_message *message)
{
	const struct leg_facts *facts = leg->facts;
	struct ice_origin to = {.remote = facts->remote, .port = message->port};
	int rc;

	rc = path_claim(worker, &facts->remote, worker_place(facts->worker, facts->leg));
	if (rc < 0 || facts->worker != worker->config.index)
		return rc;
	memcpy(to.mac, message->mac, sizeof(to.mac));
	if (facts->role == STN_ROLE_SPEAKER) {
		rc = apply_speaker_add(worker, leg);
		if (rc == 0)
			apply_speaker_path(worker, leg, &to, message->mac_known);
	} else {
		leg->unresolved = !message->mac_known;
		rc = listener_add(worker, leg, &to);
	}
	if (rc < 0)
		locator_remove(&worker->locator, &facts->remote);
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
	if (facts->transport == STN_TRANSPORT_WEBRTC)
		rc = path_leg_add(worker, leg, message);
	else
		rc = keyed_add(worker, leg, message);
	if (rc < 0) {
		leg->facts = NULL;
		refuse(worker, COMMAND_LEG_ADD, facts->leg, rc);
		return;
	}
	worker->stats.legs += facts->worker == worker->config.index;
}

void apply_leg_close(struct worker *worker, uint32_t handle)
{
	struct worker_leg *leg = &worker->leg[handle];

	if (leg->facts == NULL)
		return; /* it was refused */
	if (leg->facts->transport == STN_TRANSPORT_WEBRTC)
		path_leg_remove(worker, leg);
	else
		locator_remove(&worker->locator, &leg->facts->remote);
	if (leg->facts->role == STN_ROLE_SPEAKER)
		fan_cancel(worker, worker->room[leg->facts->room], handle);
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
	uint64_t now_ns = worker_clock_ns(worker);

	/* Two clocks, and the main lcore's may be some nanoseconds ahead. */
	if (muted)
		stn_wait_add(&worker->stats.mute_delay,
			now_ns > message->posted_ns ? now_ns - message->posted_ns : 0);
	if (leg->facts == NULL)
		return;
	leg->muted = muted;
	if (muted) {
		fan_cancel(worker, worker->room[leg->facts->room], handle);
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

	if (leg->facts == NULL || (uint32_t)leg->facts->leg_id != (uint32_t)command->value)
		return; /* gone, or another by now */
	if (leg->facts->transport == STN_TRANSPORT_WEBRTC) {
		path_neighbour(worker, leg, command->neighbour.mac);
		return;
	}
	if (leg->speaker != NULL) {
		memcpy(leg->speaker->template.bytes, command->neighbour.mac, 6);
		leg->speaker->mac_known = true;
		return;
	}
	if (leg->place.group != UINT16_MAX)
		listener_release(worker, leg, command->neighbour.mac);
}

/* The leg has its keys now. */
static void leg_update(struct worker *worker, const struct leg_facts *facts)
{
	struct worker_leg *leg = &worker->leg[facts->leg];
	int rc = 0;

	if (leg->facts == NULL)
		return; /* it was refused */
	leg->facts = facts;
	if (leg->ice == NULL)
		return; /* another worker's */
	if (leg->speaker != NULL)
		rc = apply_speaker_keys(worker, leg);
	if (rc == 0)
		rc = path_update(worker, leg);
	if (rc < 0)
		refuse(worker, COMMAND_LEG_UPDATE, facts->leg, rc);
}

static void leg_ice(const struct worker *worker, const struct command *command)
{
	const struct worker_leg *leg = &worker->leg[command->handle];

	if (leg->ice != NULL)
		ice_set_facts(leg->ice->state, command->ice);
}

/* The leg may be gone by now, and its handle another's. */
static void leg_copies(const struct worker *worker, struct leg_copies *out)
{
	const struct worker_leg *leg = &worker->leg[out->leg];

	if (leg->facts != NULL && leg->facts->leg_id == out->leg_id &&
		leg->facts->worker == worker->config.index)
		out->count = listener_copies(worker, leg);
}

static void room_stats(struct worker *worker, const struct command *command)
{
	struct reply reply = {.type = REPLY_ROOM_STATS,
		.handle = command->handle,
		.value = command->value,
		.stats = command->stats};

	apply_room_stats(worker, worker->room[command->handle], command->stats);
	if (command->copies != NULL)
		leg_copies(worker, command->copies);
	answer(worker, &reply);
}

/*
 * What joins and leaves touch is cold, and one load leads to the next: the leg and its facts, then
 * its address, then the locator's cell. So a command is looked at three times ahead of its turn,
 * a few commands apart: what a step asks for is there when the next one needs it.
 */
#define AHEAD_LEG 8u
#define AHEAD_FACTS 5u
#define AHEAD_CELL 3u

static void fetch_facts(const struct leg_facts *facts)
{
	size_t at;

	for (at = 0; at < sizeof(*facts); at += RTE_CACHE_LINE_SIZE)
		rte_prefetch0((const char *)facts + at);
}

static bool is_cold(const struct command *command)
{
	return command->type == COMMAND_LEG_ADD || command->type == COMMAND_LEG_REMOVE;
}

/* Of a removal: NULL when its leg is not there, or not yet. */
static const struct leg_facts *facts_of(const struct worker *worker, const struct command *command)
{
	return command->type == COMMAND_LEG_ADD ? command->leg : worker->leg[command->handle].facts;
}

static void fetch_leg(const struct worker *worker, const struct command *command)
{
	if (!is_cold(command))
		return;
	rte_prefetch0(&worker->leg[command->handle]);
	if (command->type == COMMAND_LEG_ADD)
		fetch_facts(command->leg);
}

static void fetch_removed(const struct worker *worker, const struct command *command)
{
	if (command->type == COMMAND_LEG_REMOVE && facts_of(worker, command) != NULL)
		fetch_facts(facts_of(worker, command));
}

static void fetch_cell(const struct worker *worker, const struct command *command)
{
	const struct leg_facts *facts = is_cold(command) ? facts_of(worker, command) : NULL;

	if (facts != NULL)
		locator_prefetch(&worker->locator, &facts->remote);
}

/* Ahead of the command in this place. */
static void look_ahead(const struct worker *worker, unsigned int place)
{
	if (place + AHEAD_LEG < worker->inbox_count)
		fetch_leg(worker, &worker->inbox[place + AHEAD_LEG].command);
	if (place + AHEAD_FACTS < worker->inbox_count)
		fetch_removed(worker, &worker->inbox[place + AHEAD_FACTS].command);
	if (place + AHEAD_CELL < worker->inbox_count)
		fetch_cell(worker, &worker->inbox[place + AHEAD_CELL].command);
}

static void look_at_first(const struct worker *worker)
{
	unsigned int i;

	for (i = 0; i < AHEAD_LEG && i < worker->inbox_count; i++)
		fetch_leg(worker, &worker->inbox[i].command);
	for (i = 0; i < AHEAD_FACTS && i < worker->inbox_count; i++)
		fetch_removed(worker, &worker->inbox[i].command);
	for (i = 0; i < AHEAD_CELL && i < worker->inbox_count; i++)
		fetch_cell(worker, &worker->inbox[i].command);
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
		worker->removals++;
		apply_leg_close(worker, command->handle);
		break;
	case COMMAND_LEG_MUTE:
		worker->mutes++;
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
	case COMMAND_LEG_UPDATE:
		leg_update(worker, command->leg);
		break;
	case COMMAND_LEG_ICE:
		leg_ice(worker, command);
		break;
	case COMMAND_PATH_ADD:
		path_redirect_add(worker, command);
		break;
	case COMMAND_PATH_REMOVE:
		path_redirect_remove(worker, command);
		break;
	case COMMAND_PATH_LOST:
		path_lost(worker, command);
		break;
	default:
		RTE_VERIFY(false); /* the main lcore is the same program */
	}
}

/* The next command, or NULL. */
static const struct worker_message *next_command(struct worker *worker)
{
	if (worker->inbox_first == worker->inbox_count) {
		worker->inbox_first = 0;
		worker->inbox_count = rte_ring_sc_dequeue_burst_elem(worker->config.commands,
			worker->inbox, sizeof(worker->inbox[0]), WORKER_COMMANDS_MAX, NULL);
		if (worker->inbox_count == 0)
			return NULL;
		look_at_first(worker);
	}
	look_ahead(worker, worker->inbox_first);
	return &worker->inbox[worker->inbox_first++];
}

/* A mute, or a single removal, is on its way to us: we do not let it wait. */
static bool in_hurry(const struct worker *worker)
{
	uint64_t mutes = __atomic_load_n(&worker->urgent.mutes, __ATOMIC_RELAXED);
	uint64_t removals = __atomic_load_n(&worker->urgent.removals, __ATOMIC_RELAXED);

	return mutes != worker->mutes || removals - worker->removals - 1 < WORKER_HURRY_MAX;
}

unsigned int apply_commands(struct worker *worker)
{
	uint64_t begin = rte_rdtsc(), now = begin;
	const struct worker_message *message;
	unsigned int count = 0;

	if (worker->reply_waiting) {
		worker->reply_waiting =
			rte_ring_sp_enqueue_elem(worker->config.replies, &worker->reply_held,
				sizeof(worker->reply_held)) < 0;
	}
	if (worker->packets_wait && begin < worker->commands_cycle && !in_hurry(worker))
		return 0;
	while (!worker->reply_waiting && now - begin <= worker->slice_cycles &&
		(message = next_command(worker)) != NULL) {
		apply(worker, message);
		count++;
		now = rte_rdtsc();
	}
	worker->stats.commands += count;
	worker->commands_cycle = now + PACKETS_SHARE * (now - begin);
	return count;
}
