/* SPDX-License-Identifier: BSD-3-Clause */
/* The link's callbacks: what a restart of either plane means for rooms, members and keys. */
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/conductor.h"
#include "controlplane/session.h"

/* Sent to a data plane, and nobody knows whether it ever protected a packet under these keys. */
static bool is_doubtful(const struct conductor *c, const struct member *member)
{
	return member->tried && !member->programmed && member_keyed(member);
}

static bool is_of_other_store(const struct conductor *c, const struct member *member)
{
	return member->put.leg_id != 0 && member->put.key_store_id != 0 &&
	       member->put.key_store_id != c->hello.index_store_id;
}

/* A handshake that was under way cannot go on here: it is begun anew with another session. */
static bool is_without_keys(const struct conductor *c, const struct member *member)
{
	return !member->keys_known;
}

static void forget_live(struct conductor *c)
{
	struct member *member;
	struct room *room;
	uint64_t id = 0;

	while ((member = roster_next(&c->registry->members, &id)) != NULL)
		member->connected = false;
	id = 0;
	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL)
		memset(room->holder, 0, sizeof(room->holder));
}

static bool end_rooms_of_other_store(struct conductor *c)
{
	struct room *room;
	uint64_t id = 0;
	bool done = true;

	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL) {
		if (room->put.group_key.suite != STN_SUITE_NONE &&
			room->put.group_key_store_id != 0 &&
			room->put.group_key_store_id != c->hello.index_store_id)
			done = ending_room(c, room, "rekey_required") && done;
	}
	return done;
}

/* Whose keys are in no data plane. */
static bool end_without_keys(struct conductor *c)
{
	static const struct ending lost = {"keys_lost", true, is_without_keys};
	struct room *room;
	uint64_t id = 0;
	bool done = true;

	while ((room = roster_next(&c->registry->room_roster, &id)) != NULL) {
		if (room->put.group_key.suite != STN_SUITE_NONE && !room->group_key_known)
			done = ending_room(c, room, "keys_lost") && done;
	}
	return ending_members(c, &lost) && done;
}

static void connected(void *context, const struct stn_hello_reply *hello)
{
	static const struct ending doubtful = {"rekey_required", true, is_doubtful};
	static const struct ending other_store = {"rekey_required", true, is_of_other_store};
	struct conductor *c = context;

	log_info("dataplane_connected",
		"version=%.24s engine=%.16s workers=%u legs=%u restarted=%d", hello->version,
		hello->engine, hello->worker_count, hello->legs,
		c->greeted && c->hello.instance_id != hello->instance_id);
	if (!c->greeted || c->hello.instance_id != hello->instance_id)
		forget_live(c);
	c->hello = *hello;
	c->greeted = true;
	c->unreconciled = !ending_members(c, &doubtful);
	c->unreconciled |= !ending_members(c, &other_store);
	c->unreconciled |= !end_rooms_of_other_store(c);
	if (c->dumped)
		c->unreconciled |= !end_without_keys(c);
	ending_expired(c);
}

static void dump_room(void *context, const struct stn_op_room_put *put)
{
	struct conductor *c = context;
	struct room *room = registry_room_by_id(c->registry, put->room_id);

	if (room == NULL || room->rules.state != ROOM_LIVE)
		return;
	room->put.end_ns = put->end_ns;
	if (put->group_key.suite == STN_SUITE_NONE ||
		put->group_key.suite != room->put.group_key.suite || room->group_key_known)
		return;
	room->put.group_key = put->group_key;
	room->put.group_key_store_id = c->hello.index_store_id;
	room->group_key_known = true;
}

/* A leg is taken back only if it is the one the database means, in everything that never changes.
 */
static bool is_same_leg(const struct stn_op_leg_put *a, const struct stn_op_leg_put *b)
{
	if (a->leg_id != b->leg_id || a->room_id != b->room_id || a->protection != b->protection ||
		a->transport != b->transport || a->profile != b->profile)
		return false;
	/* Of a WebRTC leg the address is where it is now, and the suite was agreed by DTLS. */
	return a->transport == STN_TRANSPORT_WEBRTC ||
	       (a->tx.suite == b->tx.suite && a->rx.suite == b->rx.suite &&
		       memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0);
}

static bool is_keyed(const struct stn_op_leg_put *put)
{
	return put->transport != STN_TRANSPORT_WEBRTC || put->tx.suite != STN_SUITE_NONE;
}

static void dump_leg(void *context, const struct stn_op_leg_put *put)
{
	struct conductor *c = context;
	struct member *member = registry_member_by_id(c->registry, put->member_id);

	if (member == NULL || member->programmed || !is_same_leg(put, &member->put) ||
		!is_keyed(put))
		return;
	member->put.remote = put->remote;
	member->put.tx = put->tx;
	member->put.rx = put->rx;
	memcpy(member->put.origin, put->origin, sizeof(put->origin));
	member->put.flags |= STN_LEG_ORIGIN_KNOWN;
	member->put.key_store_id = c->hello.index_store_id;
	/* The same boot: this clock has not been set meanwhile, the wall clock may have been. */
	member->put.end_ns = put->end_ns;
	member->keys_known = !member_webrtc(member); /* else its credentials are still to come */
	member->programmed = true;
}

static void dump_leg_ice(void *context, const struct stn_op_leg_ice *ice)
{
	struct conductor *c = context;
	struct member *member = registry_member_by_leg(c->registry, ice->leg_id);

	if (member == NULL || member->peer == NULL || member->keys_known || !member->programmed)
		return;
	member->peer->ice = *ice;
	member->peer->ice.op = (struct stn_op){STN_OP_LEG_ICE, sizeof(*ice), 0};
	member->keys_known = true;
}

static void dump_end(void *context, uint32_t status)
{
	struct conductor *c = context;

	if (status != STN_STATUS_OK)
		log_error("dump_failed", "status=%s", stn_status_name(status));
	c->dumped = true;
	ending_expired(c); /* who is not there any more, and should not be */
	c->unreconciled |= !end_without_keys(c);
}

static void enumerate(void *context, struct link_ops *ops)
{
	struct conductor *c = context;
	const struct registry *registry = c->registry;
	size_t most = registry->room_roster.count + 2 * registry->members.count;
	uint64_t *named = malloc((most + 1) * sizeof(*named)), id = 0;
	struct member *member;
	struct room *room;

	free(c->named);
	c->named = named;
	c->named_count = 0;
	c->round++;
	/* Then the connection ends, and the next one tries again. */
	if (named == NULL || c->unreconciled) {
		ops->failed = true;
		return;
	}
	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		if (room->rules.state != ROOM_LIVE)
			continue;
		link_ops_room_put(ops, &room->put);
		named[c->named_count++] = id;
	}
	id = 0;
	while ((member = roster_next(&registry->members, &id)) != NULL) {
		if (member->put.leg_id == 0)
			continue;
		link_ops_leg_put(ops, &member->put);
		member->round = c->round;
		member->tried = member_keyed(member);
		named[c->named_count++] = id;
		if (member->peer != NULL) {
			link_ops_leg_ice(ops, &member->peer->ice);
			named[c->named_count++] = id;
		}
	}
}

static bool is_programmed_once(const struct conductor *c, const struct member *member)
{
	return member->put.key_store_id != 0;
}

/* Takes out of the wish what the data plane cannot do, so that the rest is done. */
static void correct_wish(struct conductor *c, const struct link_result *result)
{
	static const struct ending stale = {"rekey_required", true, is_programmed_once};
	const char *reason = result->status == STN_STATUS_STALE_KEY ? "rekey_required" : "refused";
	size_t first = result->failed_op, last;

	if (c->named_count == 0)
		return;
	if (first >= c->named_count)
		first = c->named_count - 1;
	last = result->status == STN_STATUS_NO_SPACE ? c->named_count - 1 : first;
	for (size_t i = first; i <= last; i++) {
		struct room *room = registry_room_by_id(c->registry, c->named[i]);
		struct member *member = registry_member_by_id(c->registry, c->named[i]);

		if (room != NULL)
			ending_room(c, room, reason);
		else if (member != NULL && result->status == STN_STATUS_STALE_KEY)
			ending_in_room(c, member->room, &stale);
		else if (member != NULL)
			ending_leg(c, member, reason);
	}
}

static void resync_applied(struct conductor *c, const struct link_result *result)
{
	struct member *member;
	struct room *room;
	size_t count = c->waiting.count;
	uint64_t id = 0;

	while ((member = roster_next(&c->registry->members, &id)) != NULL) {
		if (member->round == c->round)
			submit_programmed(c, member, result);
	}
	for (size_t i = 0; i < c->named_count; i++) {
		room = registry_room_by_id(c->registry, c->named[i]);
		if (room != NULL) {
			room->put.group_key_store_id = c->hello.index_store_id;
			room->profiles_known = room->put.profile_count;
		}
	}
	while (count-- > 0) {
		struct request *request = conductor_pop(&c->waiting);

		if (request->round <= c->round)
			conductor_answer(c, request, true);
		else
			conductor_push(&c->waiting, request);
	}
	log_info("resync_applied", "rooms=%u legs=%u", result->rooms, result->legs);
}

static void resync_done(void *context, const struct link_result *result)
{
	struct conductor *c = context;
	struct member *member;
	uint64_t id = 0;

	switch (result->outcome) {
	case LINK_APPLIED:
		resync_applied(c, result);
		break;
	case LINK_REFUSED:
		log_warn("resync_refused", "status=%s op=%u of=%zu reason=\"%s\"",
			stn_status_name(result->status), result->failed_op, c->named_count,
			result->reason);
		correct_wish(c, result);
		/* fall through: nothing of it was applied */
	case LINK_NOT_APPLIED:
		while ((member = roster_next(&c->registry->members, &id)) != NULL) {
			if (member->round == c->round && !member->programmed)
				member->tried = false;
		}
		if (result->outcome == LINK_REFUSED)
			link_resync(c->link);
		break;
	default:
		break;
	}
}

static void notice(void *context, const struct stn_notice *what)
{
	notice_take(context, what);
}

static void datagram(void *context, const struct stn_datagram *what, const uint8_t *bytes)
{
	session_datagram(context, what, bytes);
}

static void fenced(void *context, uint64_t epoch)
{
	struct conductor *c = context;

	log_error("fenced", "epoch=%llu reason=\"another control plane took over\"",
		(unsigned long long)epoch);
	c->fenced = true;
}

static void lost(void *context, int error)
{
	log_warn("dataplane_lost", "errno=%d reason=\"%s\"", -error, strerror(-error));
}

const struct link_callbacks reconcile_callbacks = {
	.connected = connected,
	.dump_room = dump_room,
	.dump_leg = dump_leg,
	.dump_leg_ice = dump_leg_ice,
	.dump_end = dump_end,
	.resync = enumerate,
	.resync_done = resync_done,
	.notice = notice,
	.datagram = datagram,
	.fenced = fenced,
	.lost = lost,
};
