// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/ice_state.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/core/frame.h"

/*
 * A path is safe from newer ones while its challenge may still be answered, or for as long after
 * its last sign of life; the selected one always. Somebody whose address changes every second, as
 * behind a NAT that has gone mad, leaves as many validated paths behind.
 */
#define SAFE_NS (1 * ICE_SECOND)
/* An unvalidated path without a check is forgotten. */
#define UNVALIDATED_NS (10 * ICE_SECOND)

struct ice_leg *ice_open(uint32_t leg, uint8_t worker, const struct siphash_key *secret)
{
	struct ice_leg *ice = calloc(1, sizeof(*ice));

	if (ice == NULL)
		return NULL;
	ice->secret = secret;
	ice->leg = leg;
	ice->worker = worker;
	ice->selected = ICE_PATH_NONE;
	return ice;
}

void ice_close(struct ice_leg *ice)
{
	free(ice);
}

/*
 * A challenge of before is not waited for any more, the next check brings a new one. The same
 * credentials again (a resync) change nothing.
 */
void ice_set_facts(struct ice_leg *ice, const struct ice_facts *facts)
{
	const struct ice_facts *before = ice->facts;

	ice->facts = facts;
	if (before != NULL && facts->size == before->size &&
		memcmp(facts, before, facts->size) == 0)
		return;
	for (unsigned int i = 0; i < ICE_PATHS_MAX; i++) {
		ice->path[i].challenged_ns = 0;
		ice->path[i].nomination = ICE_NOMINATION_NONE;
	}
}

int ice_path_find(const struct ice_leg *ice, const struct stn_address *remote)
{
	for (int i = 0; i < ICE_PATHS_MAX; i++)
		if (ice->path[i].state != ICE_PATH_FREE &&
			frame_address_equal(&ice->path[i].origin.remote, remote))
			return i;
	return ICE_PATH_NONE;
}

static void free_path(struct ice_path *path)
{
	memset(path, 0, sizeof(*path));
}

void ice_path_begin(
	struct ice_leg *ice, int index, const struct ice_origin *origin, uint64_t now_ns)
{
	struct ice_path *path = &ice->path[index];

	free_path(path);
	path->origin = *origin;
	path->number = ++ice->number;
	path->opened_ns = now_ns;
	path->state = ICE_PATH_UNVALIDATED;
}

void ice_start_with(struct ice_leg *ice, const struct ice_origin *origin, uint64_t now_ns)
{
	struct ice_path *path = &ice->path[0];

	ice_path_begin(ice, 0, origin, now_ns);
	path->alive_ns = now_ns;
	path->state = ICE_PATH_VALIDATED;
	ice->selected = 0;
}

int ice_path_room(const struct ice_leg *ice, uint64_t now_ns)
{
	int oldest = ICE_PATH_NONE;

	for (int i = 0; i < ICE_PATHS_MAX; i++) {
		const struct ice_path *path = &ice->path[i];
		uint64_t since =
			path->state == ICE_PATH_VALIDATED ? path->alive_ns : path->opened_ns;

		if (path->state == ICE_PATH_FREE)
			return i;
		if (i == ice->selected || now_ns - since < SAFE_NS)
			continue;
		if (oldest == ICE_PATH_NONE || path->alive_ns < ice->path[oldest].alive_ns)
			oldest = i;
	}
	return oldest;
}

bool ice_path_silent(const struct ice_path *path, uint64_t now_ns)
{
	return now_ns - path->alive_ns >= ICE_SILENT_NS;
}

/* Some agents do not nominate again after a rebinding (TRAPS 31), hence the silence. */
bool ice_path_wanted(
	const struct ice_leg *ice, int path, enum ice_nomination nomination, uint64_t now_ns)
{
	if (ice->path[path].state != ICE_PATH_VALIDATED || path == ice->selected)
		return false;
	return ice->selected == ICE_PATH_NONE || nomination == ICE_NOMINATION_ASKED ||
	       ice_path_silent(&ice->path[ice->selected], now_ns);
}

bool ice_path_movable(const struct ice_leg *ice, uint64_t now_ns)
{
	uint64_t first = ice->moved_ns[0];

	return ice->selected == ICE_PATH_NONE || first == 0 || now_ns - first >= ICE_SECOND;
}

enum ice_event ice_path_select(struct ice_leg *ice, int path, uint64_t now_ns)
{
	struct ice_path *old = ice->selected == ICE_PATH_NONE ? NULL : &ice->path[ice->selected];

	if (old != NULL) {
		memmove(ice->moved_ns, ice->moved_ns + 1,
			sizeof(ice->moved_ns[0]) * (ICE_MOVES_MAX - 1));
		ice->moved_ns[ICE_MOVES_MAX - 1] = now_ns;
		/* It may be nominated again as soon as it is back. */
		if (ice_path_silent(old, now_ns))
			old->nomination = ICE_NOMINATION_NONE;
	}
	ice->selected = (int8_t)path;
	return ICE_EVENT_SELECTED;
}

static int find_validated(const struct ice_leg *ice, const struct stn_address *remote)
{
	int path = ice_path_find(ice, remote);

	return path != ICE_PATH_NONE && ice->path[path].state == ICE_PATH_VALIDATED ? path
										    : ICE_PATH_NONE;
}

bool ice_path_validated(const struct ice_leg *ice, const struct stn_address *remote)
{
	return find_validated(ice, remote) != ICE_PATH_NONE;
}

void ice_alive(struct ice_leg *ice, const struct stn_address *remote, uint64_t now_ns)
{
	int path = find_validated(ice, remote);

	if (path != ICE_PATH_NONE)
		ice->path[path].alive_ns = now_ns;
}

/* RFC 7675 section 5.1: without consent there is no way back but a new session. A path that has
 * been silent for as long is validated no more, though another one is selected. */
static enum ice_event lose(struct ice_leg *ice)
{
	for (unsigned int i = 0; i < ICE_PATHS_MAX; i++)
		free_path(&ice->path[i]);
	ice->selected = ICE_PATH_NONE;
	ice->lost = true;
	return ICE_EVENT_LOST;
}

enum ice_event ice_forget_path(struct ice_leg *ice, const struct stn_address *remote)
{
	int path = ice_path_find(ice, remote);

	if (path == ICE_PATH_NONE)
		return ICE_EVENT_NONE;
	if (path == ice->selected)
		return lose(ice);
	free_path(&ice->path[path]);
	return ICE_EVENT_NONE;
}

enum ice_event ice_tick(struct ice_leg *ice, uint64_t now_ns, uint64_t consent_timeout_ns)
{
	for (int i = 0; i < ICE_PATHS_MAX; i++) {
		struct ice_path *path = &ice->path[i];
		uint64_t limit =
			path->state == ICE_PATH_VALIDATED ? consent_timeout_ns : UNVALIDATED_NS;

		if (path->state == ICE_PATH_FREE || now_ns - path->alive_ns < limit)
			continue;
		if (i == ice->selected)
			return lose(ice);
		free_path(path);
	}
	return ICE_EVENT_NONE;
}

const struct ice_origin *ice_selected(const struct ice_leg *ice)
{
	return ice->selected == ICE_PATH_NONE ? NULL : &ice->path[ice->selected].origin;
}

const struct ice_origin *ice_path_at(const struct ice_leg *ice, unsigned int i)
{
	return ice->path[i].state == ICE_PATH_VALIDATED ? &ice->path[i].origin : NULL;
}

const struct ice_origin *ice_path(const struct ice_leg *ice, const struct stn_address *remote)
{
	int path = find_validated(ice, remote);

	return path == ICE_PATH_NONE ? NULL : &ice->path[path].origin;
}

/* FNV-1a: the digest tells whether something changed, it need not resist an attacker. */
static uint64_t fold(uint64_t digest, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
	return digest;
}

uint64_t ice_digest(const struct ice_leg *ice, uint64_t digest)
{
	digest = fold(digest, &ice->selected, sizeof(ice->selected));
	digest = fold(digest, &ice->lost, sizeof(ice->lost));
	digest = fold(digest, &ice->seen_next, sizeof(ice->seen_next));
	digest = fold(digest, &ice->number, sizeof(ice->number));
	digest = fold(digest, ice->seen, sizeof(ice->seen));
	for (unsigned int i = 0; i < ICE_PATHS_MAX; i++) {
		const struct ice_path *path = &ice->path[i];

		digest = fold(digest, &path->origin, sizeof(path->origin));
		digest = fold(digest, &path->number, sizeof(path->number));
		digest = fold(digest, &path->credit, sizeof(path->credit));
		digest = fold(digest, &path->state, sizeof(path->state));
		digest = fold(digest, &path->nomination, sizeof(path->nomination));
		digest = fold(digest, &path->owes, sizeof(path->owes));
		digest = fold(digest, path->owed, sizeof(path->owed));
	}
	return digest;
}
