// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/ice_state.h"

#include <string.h>

#include "dataplane/api/ufrag.h"
#include "dataplane/core/bytes.h"
#include "dataplane/core/frame.h"

/* Long enough for every answer that may still come from the address before. */
#define CHALLENGE_AGAIN_NS (100 * ICE_MS)

/* Checks answered: 50 a second after a burst of 100. */
#define CHECK_NS (ICE_SECOND / 50)
#define CHECK_BURST_NS (100 * CHECK_NS)

/*
 * The role of ours is fixed, and 0 loses every comparison: a peer that believes to be controlled as
 * well takes the other role when our challenge reaches it (RFC 8445 section 7.3.1.1), so nobody
 * needs a 487.
 */
#define TIE_BREAKER 0
/* Peer-reflexive, as the path is to the peer (RFC 8445 section 5.1.2). */
#define PRIORITY (110u << 24 | 65535u << 8 | 255u)

_Static_assert(STUN_CHECK_SIZE + STN_ICE_UFRAG_MAX + 1 + STN_UFRAG_SIZE + 3 <= ICE_MESSAGE_MAX,
	"a challenge fits");
_Static_assert(STUN_SUCCESS_SIZE_IPV6 <= ICE_MESSAGE_MAX, "a response fits");

static void challenge_transaction(
	const struct ice_leg *ice, const struct ice_path *path, uint8_t out[STUN_TRANSACTION_SIZE])
{
	struct {
		struct stn_address remote;
		uint32_t leg;
		uint32_t number;
	} seed = {path->origin.remote, ice->leg, path->number};
	uint64_t hash;

	_Static_assert(sizeof(seed) == 28, "no padding is hashed");
	seed.remote.reserved = 0;
	hash = siphash(ice->secret, &seed, sizeof(seed));
	bytes_store64(out + 4, hash);
	bytes_store32(out + 1, ice->leg);
	out[0] = ice->worker;
}

enum ice_addressee ice_addressee(const struct stun *stun, uint64_t *leg_id, uint8_t *worker,
	uint32_t *leg, enum stn_drop *drop)
{
	uint8_t random[STN_UFRAG_RANDOM_SIZE];

	if (stun->class == STUN_SUCCESS) {
		*worker = stun->transaction[0];
		*leg = bytes_load32(stun->transaction + 1);
		return ICE_ADDRESSEE_TRANSACTION;
	}
	*drop = STN_DROP_STUN_STRAY;
	if (stun->class != STUN_REQUEST)
		return ICE_ADDRESSEE_NOBODY;
	*drop = STN_DROP_STUN_UFRAG;
	if (stun->username_size <= STN_UFRAG_SIZE || stun->username[STN_UFRAG_SIZE] != ':')
		return ICE_ADDRESSEE_NOBODY;
	if (stn_ufrag_parse(stun->username, STN_UFRAG_SIZE, leg_id, random) != 0)
		return ICE_ADDRESSEE_NOBODY;
	return ICE_ADDRESSEE_UFRAG;
}

/*
 * Cheap things first; none of them tells more than the ufrag, which every check shows anyway. An
 * attribute that we would have to understand is a reason only for somebody who has proved to be the
 * peer; it is dropped as well, not answered with 420: nobody's ICE needs such an attribute, and an
 * error response is one more thing that a stranger could try to get out of us (TRAPS 3).
 */
static enum stn_drop check_request(
	const struct ice_leg *ice, const struct stun *stun, const uint8_t *data)
{
	const struct ice_facts *facts = ice->facts;
	unsigned int size = stun->username_size;

	if (facts == NULL || ice->lost)
		return STN_DROP_STUN_UFRAG;
	if (size <= STN_UFRAG_SIZE || stun->username[STN_UFRAG_SIZE] != ':' ||
		memcmp(stun->username, ice_facts_local_ufrag(facts), STN_UFRAG_SIZE) != 0)
		return STN_DROP_STUN_UFRAG;
	if (size - STN_UFRAG_SIZE - 1 != facts->remote_ufrag_size ||
		memcmp(stun->username + STN_UFRAG_SIZE + 1, facts->text,
			facts->remote_ufrag_size) != 0)
		return STN_DROP_STUN_INTEGRITY;
	if (!stun_verify(stun, data, &facts->local))
		return STN_DROP_STUN_INTEGRITY;
	return stun->unknown != 0 ? STN_DROP_STUN_MALFORMED : STN_DROP_COUNT;
}

/* A check that has authenticated, and all that is decided of it before anything changes. */
struct check {
	const struct stun *stun;
	const struct ice_origin *from;
	uint64_t now_ns;
	struct ice_seen seen;
	bool again; /* a retransmission, or a replay with the source address of the first */
	int path;   /* ICE_PATH_NONE: a new one, in `room` */
	int room;
};

/* Whether the same transaction was answered; false when that was to another address. */
static bool recognise(const struct ice_leg *ice, struct check *check)
{
	check->seen.transaction =
		(uint32_t)siphash(ice->secret, check->stun->transaction, STUN_TRANSACTION_SIZE);
	check->seen.remote = (uint32_t)frame_address_hash(ice->secret, &check->from->remote);
	for (unsigned int i = 0; i < ICE_SEEN_COUNT; i++) {
		if (ice->seen[i].transaction != check->seen.transaction)
			continue;
		check->again = true;
		/* Its path is gone: nothing that could be had only once is had twice. */
		return ice->seen[i].remote == check->seen.remote && check->path != ICE_PATH_NONE;
	}
	return true;
}

/* Repetitions have half of the burst, so that they cannot silence the leg that is repeated. */
static bool within_rate(const struct ice_leg *ice, const struct check *check)
{
	uint64_t burst = check->again ? CHECK_BURST_NS / 2 : CHECK_BURST_NS;

	return ice->checks_ns + CHECK_NS <= check->now_ns + burst;
}

/* What the nomination of a path is after this check. */
static enum ice_nomination nomination_after(
	const struct ice_path *path, bool use_candidate, uint64_t now_ns)
{
	if (!use_candidate)
		return ICE_NOMINATION_NONE;
	if (path->nomination == ICE_NOMINATION_TAKEN && !ice_path_silent(path, now_ns))
		return ICE_NOMINATION_TAKEN;
	return ICE_NOMINATION_ASKED;
}

static unsigned int headers_size(const struct ice_path *path)
{
	return FRAME_UDP_SIZE +
	       (path->origin.remote.family == 4 ? FRAME_IPV4_SIZE : FRAME_IPV6_SIZE);
}

static void write_response(const struct ice_leg *ice, const struct ice_path *path,
	const uint8_t transaction[STUN_TRANSACTION_SIZE], struct ice_output *out)
{
	out->size[out->count] = (uint16_t)stun_build_success(
		out->message[out->count], transaction, &path->origin.remote, &ice->facts->local);
	out->count++;
}

static void write_challenge(
	const struct ice_leg *ice, const struct ice_path *path, struct ice_output *out)
{
	struct stun_check check = {
		.username = ice->facts->text,
		.username_size = ice->facts->username_size,
		.priority = PRIORITY,
		.tie_breaker = TIE_BREAKER,
	};

	challenge_transaction(ice, path, check.transaction);
	out->size[out->count] =
		(uint16_t)stun_build_check(out->message[out->count], &check, &ice->facts->remote);
	out->count++;
}

/*
 * Within what has come from there, headers and all: two datagrams for one have them twice. A check
 * of a full agent has USERNAME, PRIORITY, its role, MESSAGE-INTEGRITY and FINGERPRINT, and so has
 * our challenge with a username of the same length: it always fits. The response has to wait for
 * the next check or, nearly always, for the answer to the challenge: the path is validated a round
 * trip after the first check, and not when Chromium sends another one, which is 2.5 s later on a
 * path it believes to be good. While a challenge is due and does not fit, nothing else is sent, or
 * it never would.
 */
static void answer_unvalidated(struct ice_leg *ice, struct ice_path *path,
	const struct check *check, struct ice_output *out)
{
	unsigned int challenge = headers_size(path) + stun_check_size(ice->facts->username_size);
	unsigned int response =
		headers_size(path) +
		(path->origin.remote.family == 4 ? STUN_SUCCESS_SIZE_IPV4 : STUN_SUCCESS_SIZE_IPV6);
	bool due = path->challenged_ns == 0 ||
		   check->now_ns - path->challenged_ns >= CHALLENGE_AGAIN_NS;

	path->owes = true;
	memcpy(path->owed, check->stun->transaction, sizeof(path->owed));
	if (due && path->credit < challenge)
		return;
	if (due) {
		write_challenge(ice, path, out);
		path->credit -= challenge;
		path->challenged_ns = check->now_ns;
	}
	if (path->credit >= response) {
		write_response(ice, path, path->owed, out);
		path->credit -= response;
		path->owes = false;
	}
}

static bool same_way(const struct ice_origin *a, const struct ice_origin *b)
{
	return a->port == b->port && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

static void remember(struct ice_leg *ice, const struct check *check)
{
	ice->seen[ice->seen_next] = check->seen;
	ice->seen_next = (uint8_t)((ice->seen_next + 1) % ICE_SEEN_COUNT);
}

/* What only the first of its kind may do: a repetition is no sign of life and no nomination. */
static void take_fresh(struct ice_leg *ice, const struct check *check,
	enum ice_nomination nomination, struct ice_output *out)
{
	struct ice_path *path = &ice->path[check->path];

	remember(ice, check);
	path->nomination = (uint8_t)nomination;
	if (ice_path_wanted(ice, check->path, nomination, check->now_ns))
		out->event = ice_path_select(ice, check->path, check->now_ns);
	if (check->path == ice->selected) {
		if (!same_way(&path->origin, check->from))
			out->event = ICE_EVENT_SELECTED;
		if (nomination == ICE_NOMINATION_ASKED)
			path->nomination = ICE_NOMINATION_TAKEN;
	}
	path->origin = *check->from;
	path->alive_ns = check->now_ns;
}

static void commit_check(struct ice_leg *ice, struct check *check, enum ice_nomination nomination,
	struct ice_output *out)
{
	uint64_t floor = check->now_ns;
	struct ice_path *path;

	if (check->path == ICE_PATH_NONE) {
		check->path = check->room;
		ice_path_begin(ice, check->path, check->from, check->now_ns);
	}
	path = &ice->path[check->path];
	ice->checks_ns = (ice->checks_ns > floor ? ice->checks_ns : floor) + CHECK_NS;
	if (!check->again)
		take_fresh(ice, check, nomination, out);
	out->to = path->origin;
	if (path->state == ICE_PATH_VALIDATED) {
		write_response(ice, path, check->stun->transaction, out);
		return;
	}
	path->credit += headers_size(path) + check->stun->size;
	answer_unvalidated(ice, path, check, out);
}

static void receive_check(struct ice_leg *ice, struct check *check, struct ice_output *out)
{
	enum ice_nomination nomination =
		check->stun->use_candidate ? ICE_NOMINATION_ASKED : ICE_NOMINATION_NONE;

	check->path = ice_path_find(ice, &check->from->remote);
	if (!recognise(ice, check)) {
		out->drop = STN_DROP_STUN_REPLAY;
		return;
	}
	out->drop = STN_DROP_STUN_LIMITED;
	if (!within_rate(ice, check))
		return;
	if (check->path == ICE_PATH_NONE) {
		check->room = ice_path_room(ice, check->now_ns);
		if (check->room == ICE_PATH_NONE)
			return;
	} else if (!check->again) {
		nomination = nomination_after(
			&ice->path[check->path], check->stun->use_candidate, check->now_ns);
		if (ice_path_wanted(ice, check->path, nomination, check->now_ns) &&
			!ice_path_movable(ice, check->now_ns))
			return;
	}
	out->drop = STN_DROP_COUNT;
	commit_check(ice, check, nomination, out);
}

/* The peer is there: it knows its password, and what we sent to that address. */
static void validate(struct ice_leg *ice, int index, const struct ice_origin *from, uint64_t now_ns,
	struct ice_output *out)
{
	struct ice_path *path = &ice->path[index];

	path->state = ICE_PATH_VALIDATED;
	path->origin = *from;
	path->alive_ns = now_ns;
	path->credit = 0;
	if (ice_path_wanted(ice, index, path->nomination, now_ns) &&
		ice_path_movable(ice, now_ns)) {
		out->event = ice_path_select(ice, index, now_ns);
		if (path->nomination == ICE_NOMINATION_ASKED)
			path->nomination = ICE_NOMINATION_TAKEN;
	}
	out->to = path->origin;
	if (path->owes)
		write_response(ice, path, path->owed, out);
	path->owes = false;
}

static enum stn_drop check_response(
	const struct ice_leg *ice, int path, const struct stun *stun, const uint8_t *data)
{
	uint8_t expected[STUN_TRANSACTION_SIZE];

	if (ice->facts == NULL || path == ICE_PATH_NONE ||
		ice->path[path].state != ICE_PATH_UNVALIDATED || ice->path[path].challenged_ns == 0)
		return STN_DROP_STUN_STRAY;
	challenge_transaction(ice, &ice->path[path], expected);
	if (!digest_equal(expected, stun->transaction, sizeof(expected)))
		return STN_DROP_STUN_STRAY;
	if (!stun_verify(stun, data, &ice->facts->remote))
		return STN_DROP_STUN_INTEGRITY;
	return stun->unknown != 0 ? STN_DROP_STUN_MALFORMED : STN_DROP_COUNT;
}

void ice_receive(struct ice_leg *ice, const struct stun *stun, const uint8_t *data,
	const struct ice_origin *from, uint64_t now_ns, struct ice_output *out)
{
	int path;

	out->event = ICE_EVENT_NONE;
	out->count = 0;
	if (stun->class == STUN_REQUEST) {
		struct check check = {.stun = stun, .from = from, .now_ns = now_ns};

		out->drop = check_request(ice, stun, data);
		if (out->drop == STN_DROP_COUNT)
			receive_check(ice, &check, out);
		return;
	}
	out->drop = STN_DROP_STUN_STRAY;
	if (stun->class != STUN_SUCCESS)
		return;
	path = ice_path_find(ice, &from->remote);
	out->drop = check_response(ice, path, stun, data);
	if (out->drop == STN_DROP_COUNT)
		validate(ice, path, from, now_ns, out);
}
