// SPDX-License-Identifier: BSD-3-Clause
/*
 * WEBRTC legs and their paths, as core/ice.c validates and selects them: which tuples are located,
 * where copies go, what the main lcore hears of it.
 */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/io/apply.h"
#include "dataplane/io/stage.h"

#define SECOND_NS 1000000000ull

/* A keyed leg keeps its tuple whatever a WEBRTC leg says. */
static bool is_keyed(const struct worker *worker, uint32_t place, const struct stn_address *address)
{
	const struct leg_facts *facts = worker->leg[worker_place_leg(place)].facts;

	return facts != NULL && facts->transport == STN_TRANSPORT_KEYED &&
	       frame_address_equal(&facts->remote, address);
}

int path_claim(struct worker *worker, const struct stn_address *address, uint32_t place)
{
	int rc = locator_add(&worker->locator, address, place);
	struct worker_leg *leg;
	uint32_t holder;

	if (rc != -EEXIST)
		return rc;
	holder = locator_find(&worker->locator, address);
	if (holder == place)
		return 0;
	if (is_keyed(worker, holder, address))
		return -EEXIST;
	leg = &worker->leg[worker_place_leg(holder)];
	if (worker_place_owner(holder) == worker->config.index && leg->ice != NULL)
		path_follow(worker, leg, ice_forget_path(leg->ice->state, address));
	locator_remove(&worker->locator, address);
	return locator_add(&worker->locator, address, place);
}

static bool has_path(const struct worker_ice *ice, const struct stn_address *address)
{
	unsigned int i;

	for (i = 0; i < ICE_PATHS_MAX; i++)
		if (ice->path[i].family != 0 && frame_address_equal(&ice->path[i], address))
			return true;
	return false;
}

static void path_keep(struct worker_ice *ice, const struct stn_address *address)
{
	unsigned int i;

	for (i = 0; i < ICE_PATHS_MAX; i++)
		if (ice->path[i].family == 0) {
			ice->path[i] = *address;
			return;
		}
}

/* The tuple may be another leg's by now. */
static void path_drop(struct worker *worker, const struct worker_leg *leg, unsigned int i)
{
	const struct stn_address *address = &leg->ice->path[i];
	uint32_t place = worker_place(worker->config.index, leg->facts->leg);

	if (address->family != 0 && locator_find(&worker->locator, address) == place)
		locator_remove(&worker->locator, address);
	leg->ice->path[i].family = 0;
}

/* The locator knows the validated paths, those that are gone no more. */
static void paths_sync(struct worker *worker, const struct worker_leg *leg)
{
	uint32_t place = worker_place(worker->config.index, leg->facts->leg);
	struct worker_ice *ice = leg->ice;
	const struct ice_origin *path;
	unsigned int i;

	for (i = 0; i < ICE_PATHS_MAX; i++)
		if (ice->path[i].family != 0 && ice_path(ice->state, &ice->path[i]) == NULL)
			path_drop(worker, leg, i);
	for (i = 0; i < ICE_PATHS_MAX; i++) {
		path = ice_path_at(ice->state, i);
		if (path == NULL || has_path(ice, &path->remote))
			continue;
		/* Without a place in there its media is not found; its checks are. */
		if (path_claim(worker, &path->remote, place) == 0)
			path_keep(ice, &path->remote);
	}
}

/* What finds no space is told by the timer. */
static void tell(struct worker *worker, const struct worker_leg *leg)
{
	const struct ice_origin *to = ice_selected(leg->ice->state);
	struct reply reply = {
		.type = REPLY_LEG_MOVED, .handle = leg->facts->leg, .value = leg->facts->leg_id};

	if (leg->ice->tell_moved && to != NULL) {
		reply.remote = to->remote;
		leg->ice->tell_moved = !apply_notify(worker, &reply);
	}
	if (leg->ice->tell_lost) {
		reply.type = REPLY_LEG_LOST;
		reply.remote = (struct stn_address){0};
		leg->ice->tell_lost = !apply_notify(worker, &reply);
	}
}

/*
 * A leg is given a path before it has keys, as DTLS needs one; so it enters the shard when the keys
 * come, with the origin that was computed for them a moment before (index_origin_for_join()).
 * Afterwards the origin stays what it was, whatever the path does: the receiver goes on counting.
 */
static int listener_update(struct worker *worker, struct worker_leg *leg)
{
	const struct ice_origin *to = leg->ice->lost ? NULL : ice_selected(leg->ice->state);
	bool placed = leg->place.group != UINT16_MAX;
	int rc;

	if (to == NULL || leg->facts->tx.suite == STN_SUITE_NONE) {
		if (placed)
			listener_remove(worker, leg);
		return 0;
	}
	if (!placed) {
		leg->unresolved = leg->ice->start_unresolved;
		if (leg->ice->since_ns == 0)
			leg->ice->since_ns = worker->now_ns;
		return listener_add(worker, leg, to);
	}
	rc = listener_redirect(worker, leg, to);
	if (rc == 0 && leg->unresolved && !leg->ice->start_unresolved)
		listener_release(worker, leg, to->mac);
	return rc;
}

int path_update(struct worker *worker, struct worker_leg *leg)
{
	const struct ice_origin *to = leg->ice->lost ? NULL : ice_selected(leg->ice->state);

	if (leg->speaker == NULL)
		return listener_update(worker, leg);
	if (to != NULL)
		apply_speaker_path(worker, leg, to, !leg->ice->start_unresolved);
	else
		leg->speaker->mac_known = false;
	return 0;
}

static void lose(struct worker *worker, struct worker_leg *leg)
{
	leg->ice->lost = true;
	leg->ice->tell_lost = true;
	leg->ice->tell_moved = false;
	(void)path_update(worker, leg); /* takes it out, which cannot fail */
}

void path_follow(struct worker *worker, struct worker_leg *leg, enum ice_event event)
{
	paths_sync(worker, leg);
	if (event == ICE_EVENT_SELECTED) {
		/* Its Ethernet address came with an authenticated frame. */
		leg->ice->start_unresolved = false;
		leg->ice->tell_moved = true;
		/* No memory for its new place: better gone, and said so, than there and deaf. */
		if (path_update(worker, leg) < 0)
			lose(worker, leg);
	} else if (event == ICE_EVENT_LOST) {
		lose(worker, leg);
	}
	tell(worker, leg);
}

/* The path that an earlier process had validated. */
static int path_start(
	struct worker *worker, struct worker_leg *leg, const struct worker_message *message)
{
	struct ice_origin to = {.remote = leg->facts->remote, .port = message->port};

	if (to.remote.family == 0)
		return 0;
	memcpy(to.mac, message->mac, sizeof(to.mac));
	ice_start_with(leg->ice->state, &to, worker->now_ns);
	leg->ice->start_unresolved = !message->mac_known;
	leg->ice->tell_moved = true;
	paths_sync(worker, leg);
	tell(worker, leg);
	return path_update(worker, leg);
}

static int ice_add(struct worker *worker, struct worker_leg *leg)
{
	struct worker_ice *ice = calloc(1, sizeof(*ice));

	if (ice == NULL)
		return -ENOMEM;
	ice->state =
		ice_open(leg->facts->leg, (uint8_t)worker->config.index, &worker->config.ice_key);
	if (ice->state == NULL) {
		free(ice);
		return -ENOMEM;
	}
	ice->position = worker->ice_count;
	worker->ice[worker->ice_count++] = leg->facts->leg;
	leg->ice = ice;
	return 0;
}

static void ice_remove(struct worker *worker, struct worker_leg *leg)
{
	uint32_t last = worker->ice[--worker->ice_count];
	unsigned int i;

	for (i = 0; i < ICE_PATHS_MAX; i++)
		path_drop(worker, leg, i);
	worker->ice[leg->ice->position] = last;
	worker->leg[last].ice->position = leg->ice->position;
	ice_close(leg->ice->state);
	free(leg->ice);
	leg->ice = NULL;
}

int path_leg_add(
	struct worker *worker, struct worker_leg *leg, const struct worker_message *message)
{
	const struct leg_facts *facts = leg->facts;
	int rc;

	directory_add(&worker->directory, facts->leg);
	if (facts->worker != worker->config.index)
		return 0;
	rc = ice_add(worker, leg);
	if (rc == 0)
		report_open_room(worker->room[facts->room]);
	if (rc == 0 && facts->role == STN_ROLE_SPEAKER)
		rc = apply_speaker_add(worker, leg);
	if (rc == 0)
		rc = path_start(worker, leg, message);
	if (rc < 0)
		path_leg_remove(worker, leg);
	if (rc < 0 && leg->speaker != NULL)
		apply_speaker_remove(worker, leg);
	return rc;
}

void path_leg_remove(struct worker *worker, struct worker_leg *leg)
{
	directory_remove(&worker->directory, leg->facts->leg);
	if (leg->ice == NULL)
		return; /* another worker's */
	/* Its last words were posted before its removal. */
	while (punt_send(worker) != 0)
		;
	ice_remove(worker, leg);
}

void path_neighbour(struct worker *worker, struct worker_leg *leg, const uint8_t mac[6])
{
	const struct ice_origin *start;
	struct ice_origin to;

	if (leg->ice == NULL || !leg->ice->start_unresolved)
		return; /* authenticated frames have told */
	leg->ice->start_unresolved = false;
	start = ice_selected(leg->ice->state);
	if (start == NULL)
		return;
	to = *start;
	memcpy(to.mac, mac, sizeof(to.mac));
	ice_start_with(leg->ice->state, &to, worker->now_ns);
	if (path_update(worker, leg) < 0)
		lose(worker, leg);
	tell(worker, leg);
}

/* When there is no space, what comes from there is dropped, but for checks. */
void path_redirect_add(struct worker *worker, const struct command *command)
{
	if (command->path.worker != worker->config.index)
		(void)path_claim(worker, &command->path.address,
			worker_place(command->path.worker, command->handle));
}

void path_redirect_remove(struct worker *worker, const struct command *command)
{
	const struct stn_address *address = &command->path.address;

	if (command->path.worker != worker->config.index &&
		locator_find(&worker->locator, address) ==
			worker_place(command->path.worker, command->handle))
		locator_remove(&worker->locator, address);
}

void path_lost(struct worker *worker, const struct command *command)
{
	struct worker_leg *leg = &worker->leg[command->handle];

	if (leg->ice != NULL && leg->facts->leg_id == command->value)
		path_follow(worker, leg, ice_forget_path(leg->ice->state, &command->path.address));
}

void path_ticks(struct worker *worker, uint64_t tick_ns)
{
	uint64_t timeout_ns = worker->config.consent_timeout_ms * 1000000ull;
	struct worker_leg *leg;

	/* After a longer pause everybody has one turn, not several. */
	worker->ice_due_ns += worker->ice_count * RTE_MIN(tick_ns, SECOND_NS);
	for (; worker->ice_due_ns >= SECOND_NS; worker->ice_due_ns -= SECOND_NS) {
		if (worker->ice_next >= worker->ice_count)
			worker->ice_next = 0;
		leg = &worker->leg[worker->ice[worker->ice_next++]];
		path_follow(worker, leg, ice_tick(leg->ice->state, worker->now_ns, timeout_ns));
		report_tick(worker, leg);
	}
}
