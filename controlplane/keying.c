/* SPDX-License-Identifier: BSD-3-Clause */
/* A session's leg from its handshake to its end: DTLS, keys, paths, consent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/session_state.h"

/* Keys on their way to the data plane. */
struct keying {
	struct session_pending pending;
	struct conductor *c;
	uint64_t leg_id;
};

void session_pending_add(struct sessions *sessions, struct session_pending *pending)
{
	pending->next = sessions->pending;
	pending->link = &sessions->pending;
	if (pending->next != NULL)
		pending->next->link = &pending->next;
	sessions->pending = pending;
}

void session_pending_remove(struct session_pending *pending)
{
	*pending->link = pending->next;
	if (pending->next != NULL)
		pending->next->link = pending->link;
}

/* ---- endings ---- */

void session_over(struct conductor *c, uint64_t leg_id, enum seat seat)
{
	struct sessions *s = c->sessions;

	if (leg_id == 0)
		return;
	if (s->over_count == s->over_capacity) {
		size_t capacity = s->over_capacity == 0 ? 16 : s->over_capacity * 2;
		struct session_over *over = realloc(s->over, capacity * sizeof(*over));

		if (over == NULL) {
			log_error("session_kept", "leg=%llu reason=\"out of memory\"",
				(unsigned long long)leg_id);
			return;
		}
		s->over = over;
		s->over_capacity = capacity;
	}
	s->over[s->over_count++] = (struct session_over){leg_id, seat};
}

static void ended(void *context, const struct call_result *result)
{
	if (result->code != VERDICT_OK)
		log_warn("session_not_ended", "reason=\"%s\"", result->message);
}

void session_end_leg(struct conductor *c, uint64_t leg_id, enum seat seat,
	void (*done)(void *context, const struct call_result *result), void *context)
{
	struct event event = {.type = &session_end_type};

	*(struct session_end *)event.body = (struct session_end){leg_id, seat};
	conductor_event(c, &event, done, context);
}

void session_settle(struct conductor *c)
{
	struct sessions *s = c->sessions;
	struct session_over *over;
	size_t count;

	if (s == NULL || s->over_count == 0)
		return;
	over = s->over;
	count = s->over_count;
	s->over = NULL;
	s->over_count = s->over_capacity = 0;
	for (size_t i = 0; i < count; i++) {
		if (registry_member_by_leg(c->registry, over[i].leg_id) != NULL)
			session_end_leg(c, over[i].leg_id, over[i].seat, ended, NULL);
	}
	free(over);
}

void session_gone(struct conductor *c, uint64_t leg_id)
{
	if (c->sessions == NULL)
		return;
	c->sessions->stats.ended++;
	dtls_forget(c->sessions->dtls, leg_id);
}

/* ---- DTLS ---- */

void session_datagram(
	struct conductor *c, const struct stn_datagram *datagram, const uint8_t *bytes)
{
	if (c->sessions != NULL)
		dtls_receive(c->sessions->dtls, datagram->leg_id, &datagram->remote, bytes,
			datagram->size);
}

/* Lost like any datagram when the link does not take it: DTLS sends again. */
static void send_datagram(void *context, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct conductor *c = context;

	link_datagram(c->link, leg_id, remote, bytes, (uint32_t)size);
}

static void keyed(void *context, const struct link_result *result)
{
	struct keying keying = *(struct keying *)context;
	struct conductor *c = keying.c;
	struct member *member = registry_member_by_leg(c->registry, keying.leg_id);

	session_pending_remove(context);
	free(context);
	if (member == NULL)
		return;
	switch (result->outcome) {
	case LINK_APPLIED:
		c->sessions->stats.keyed++;
		submit_programmed(c, member, result);
		break;
	case LINK_REFUSED:
		log_warn("keys_refused", "leg=%llu status=%s reason=\"%s\"",
			(unsigned long long)keying.leg_id, stn_status_name(result->status),
			result->reason);
		session_over(c, keying.leg_id, SEAT_LOST);
		break;
	case LINK_NOT_APPLIED:
		member->tried = false;
		break;
	default:
		break; /* doubtful: whether it goes on is decided at the next connect */
	}
}

static void program_keys(struct conductor *c, struct member *member)
{
	struct keying *keying = malloc(sizeof(*keying));
	struct link_ops ops = {0};
	int rc = -ENOMEM;

	if (keying != NULL) {
		*keying = (struct keying){.c = c, .leg_id = member->put.leg_id};
		link_ops_leg_put(&ops, &member->put);
		rc = link_submit(c->link, &ops, keyed, keying);
		link_ops_clear(&ops);
	}
	if (rc == 0) {
		session_pending_add(c->sessions, &keying->pending);
		member->tried = true;
		return;
	}
	free(keying);
	/* Without a data plane the resync brings them; anything else does not get better. */
	if (rc != -ENOTCONN)
		session_over(c, member->put.leg_id, SEAT_LOST);
}

/*
 * The keys are facts of the leg from here on. A resync that is under way has named it without them:
 * its origins are not those of this leg, so it must not count as named there (round).
 */
static void connected(void *context, uint64_t leg_id, const struct dtls_keys *keys)
{
	struct conductor *c = context;
	struct member *member = registry_member_by_leg(c->registry, leg_id);

	if (member == NULL || member->peer == NULL || member_keyed(member))
		return;
	member->put.tx = keys->tx;
	member->put.rx = keys->rx;
	member->put.key_store_id = 0;
	member->programmed = member->tried = false;
	member->round = 0;
	program_keys(c, member);
}

static void failed(void *context, uint64_t leg_id, enum dtls_failure failure, const char *reason)
{
	static struct log_limit limit;

	log_limited(&limit, LOG_LEVEL_WARN, "handshake_failed", "leg=%llu failure=%s reason=\"%s\"",
		(unsigned long long)leg_id, dtls_failure_name(failure), reason);
}

static void closed(void *context, uint64_t leg_id)
{
	session_over(context, leg_id, SEAT_LEFT);
}

const struct dtls_callbacks session_dtls_callbacks = {
	.send = send_datagram,
	.connected = connected,
	.failed = failed,
	.closed = closed,
};

/* ---- notices ---- */

void session_notice(struct conductor *c, const struct stn_notice *notice)
{
	struct member *member = registry_member_by_leg(c->registry, notice->leg_id);

	if (c->sessions == NULL || member == NULL || !member_webrtc(member))
		return;
	if (notice->type == STN_NOTICE_LEG_MOVED) {
		/* Where a restarted data plane begins. */
		member->put.remote = notice->remote;
	} else if (notice->type == STN_NOTICE_LEG_LOST) {
		c->sessions->stats.lost++;
		session_over(c, notice->leg_id, SEAT_LOST);
	}
}
