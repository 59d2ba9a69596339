/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The resource of a session (RFC 9725 section 4.3): PATCH takes the peer's candidates, which change
 * nothing, as we answer checks wherever they come from, or restarts ICE; DELETE ends the session.
 * The token leads to the member, so it is checked on every method; the resource id is then compared
 * by its digest, in constant time.
 */
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/session_state.h"
#include "controlplane/webrtc/sdp.h"

/* An ICE restart on its way. */
struct restart {
	struct session_pending pending;
	struct conductor *c;
	struct http_exchange *exchange;
	uint64_t leg_id;
	struct stn_op_leg_ice before, after;
};

/* ---- which session ---- */

static bool is_resource(const struct member *member, const char *id)
{
	char digest[SECRET_DIGEST_SIZE];

	return member->peer != NULL && secret_text_digest(id, strlen(id), digest) == 0 &&
	       secret_equal(digest, member->peer->resource, sizeof(digest));
}

static void answer(struct http_exchange *exchange, unsigned int status, const char *why)
{
	http_problem(exchange, status, "%s", why);
	http_respond(exchange);
}

/* ---- ICE restart ---- */

static void write_restart(const struct restart *restart, const struct member *member)
{
	struct http_exchange *exchange = restart->exchange;
	char ufrag[SESSION_UFRAG_SIZE], pwd[SESSION_PWD_SIZE], tag[16];
	struct stn_address candidates[STN_MEDIA_MAX];
	const struct stn_op_leg_put *put = &member->put;
	struct sdp_answer sdp = {.ufrag = ufrag, .pwd = pwd, .candidates = candidates};
	/* The section of the bundle that carries the transport is all that a fragment names. */
	struct sdp_offer offer = {.bundle = true, .trickle = true, .section_count = 1};

	offer.section[0].audio = offer.section[0].usable = true;
	offer.section[0].opus_payload_type = member->room->put.profile[put->profile].payload_type;
	strcpy(offer.section[0].mid, member->peer->mid);
	sdp.payload_type = offer.section[0].opus_payload_type;
	sdp.candidate_count = session_candidates(restart->c, candidates);
	session_credentials(&restart->after, ufrag, pwd);
	session_tag(&restart->after, tag);
	if (sdp_write_fragment(&exchange->response, &offer, &sdp)) {
		exchange->status = 200;
		exchange->type = "application/trickle-ice-sdpfrag";
		http_header_set(exchange, "ETag", "%s", tag);
	} else {
		writer_reset(&exchange->response);
		http_problem(exchange, 503, "out of memory");
	}
	explicit_bzero(pwd, sizeof(pwd));
	http_respond(exchange);
}

/* Takes the new credentials back, unless they were replaced meanwhile. */
static void restart_failed(struct restart *restart, struct member *member)
{
	if (memcmp(&member->peer->ice, &restart->after, sizeof(restart->after)) == 0)
		member->peer->ice = restart->before;
	http_header_set(restart->exchange, "Retry-After", "1");
	answer(restart->exchange, 503, "the data plane did not take it; the session goes on");
}

static void restart_close(struct restart *restart)
{
	explicit_bzero(restart, sizeof(*restart));
	free(restart);
}

static void restarted(void *context, const struct link_result *result)
{
	struct restart *restart = context;
	struct conductor *c = restart->c;
	struct member *member = registry_member_by_leg(c->registry, restart->leg_id);

	session_pending_remove(&restart->pending);
	if (member == NULL || member->peer == NULL) {
		answer(restart->exchange, 404, "the session has ended");
	} else if (result->outcome == LINK_APPLIED) {
		c->sessions->stats.restarted++;
		write_restart(restart, member);
	} else if (result->outcome == LINK_REFUSED) {
		restart_failed(restart, member);
	} else {
		/* The resync to come names the new credentials: try again then. */
		http_header_set(restart->exchange, "Retry-After", "1");
		answer(restart->exchange, 503, "the data plane is away");
	}
	restart_close(restart);
}

static struct restart *make_restart(struct conductor *c, struct http_exchange *exchange,
	const struct member *member, const struct sdp_ice *ice)
{
	struct restart *restart = calloc(1, sizeof(*restart));

	if (restart == NULL)
		return NULL;
	restart->c = c;
	restart->exchange = exchange;
	restart->leg_id = member->put.leg_id;
	restart->before = member->peer->ice;
	restart->after.remote_ufrag_size = ice->ufrag_size;
	restart->after.remote_pwd_size = ice->pwd_size;
	memcpy(restart->after.remote_ufrag, ice->ufrag, ice->ufrag_size);
	memcpy(restart->after.remote_pwd, ice->pwd, ice->pwd_size);
	if (session_mint_ice(c->registry, restart->leg_id, &restart->after) == 0)
		return restart;
	restart_close(restart);
	return NULL;
}

/* What the registry has is what a resync names, so it changes first. */
static void restart_ice(struct conductor *c, struct http_exchange *exchange, struct member *member,
	const struct sdp_ice *ice)
{
	struct link_ops ops = {0};
	struct restart *restart = make_restart(c, exchange, member, ice);

	if (restart == NULL) {
		answer(exchange, 503, "out of memory");
		return;
	}
	link_ops_leg_ice(&ops, &restart->after);
	member->peer->ice = restart->after;
	if (link_submit(c->link, &ops, restarted, restart) == 0) {
		session_pending_add(c->sessions, &restart->pending);
	} else {
		restart_failed(restart, member);
		restart_close(restart);
	}
	link_ops_clear(&ops);
}

/* ---- PATCH ---- */

static bool same_ice(const struct peer *peer, const struct sdp_ice *ice)
{
	const struct stn_op_leg_ice *known = &peer->ice;

	return known->remote_ufrag_size == ice->ufrag_size &&
	       known->remote_pwd_size == ice->pwd_size &&
	       memcmp(known->remote_ufrag, ice->ufrag, ice->ufrag_size) == 0 &&
	       secret_equal(known->remote_pwd, ice->pwd, ice->pwd_size);
}

/* RFC 9725 section 4.3.1 and RFC 9110 section 13.1.1. */
static bool matches(struct http_exchange *exchange, const struct member *member)
{
	char tag[16];

	if (exchange->if_match == NULL) {
		answer(exchange, 428, "If-Match is needed: the ETag, or * to restart ICE");
		return false;
	}
	session_tag(&member->peer->ice, tag);
	if (strcmp(exchange->if_match, "*") == 0 || strcmp(exchange->if_match, tag) == 0)
		return true;
	answer(exchange, 412, "If-Match: ICE was restarted since");
	return false;
}

static void patch(struct conductor *c, struct http_exchange *exchange, struct member *member)
{
	struct sdp_fragment fragment;
	struct sdp_error error;

	if (exchange->content_type == NULL ||
		strcmp(exchange->content_type, "application/trickle-ice-sdpfrag") != 0) {
		http_header_set(exchange, "Accept-Patch", "application/trickle-ice-sdpfrag");
		answer(exchange, 415, "the body must be application/trickle-ice-sdpfrag");
		return;
	}
	if (!matches(exchange, member))
		return;
	if (sdp_parse_fragment(exchange->body, exchange->body_size, &fragment, &error) != 0) {
		answer(exchange, 400, error.reason);
	} else if (fragment.ice_known && !same_ice(member->peer, &fragment.ice)) {
		if (session_can_program(c, exchange))
			restart_ice(c, exchange, member, &fragment.ice);
	} else {
		exchange->status = 204;
		http_respond(exchange);
	}
	explicit_bzero(&fragment, sizeof(fragment));
}

/* ---- DELETE ---- */

struct deletion {
	struct conductor *c;
	struct http_exchange *exchange;
};

static void deleted(void *context, const struct call_result *result)
{
	struct deletion *deletion = context;

	/* Without a data plane it is over as well: the resync does not name it. */
	if (result->code == VERDICT_OK) {
		deletion->exchange->status = 200;
		http_respond(deletion->exchange);
	} else {
		session_refuse(deletion->c, deletion->exchange, result);
	}
	free(deletion);
}

static void delete (
	struct conductor *c, struct http_exchange *exchange, const struct member *member)
{
	struct deletion *deletion = malloc(sizeof(*deletion));

	if (deletion == NULL) {
		answer(exchange, 503, "out of memory");
		return;
	}
	*deletion = (struct deletion){c, exchange};
	session_end_leg(c, member->put.leg_id, SEAT_LEFT, deleted, deletion);
}

void resource_exchange(struct conductor *c, struct http_exchange *exchange)
{
	struct member *member = session_member(c, exchange);

	if (member == NULL)
		return;
	if (!is_resource(member, exchange->segment))
		answer(exchange, 404, "there is no such session");
	else if (exchange->method == HTTP_PATCH && member->peer->ice.op.size == 0)
		answer(exchange, 503, "the data plane is away");
	else if (exchange->method == HTTP_PATCH)
		patch(c, exchange, member);
	else if (exchange->method == HTTP_DELETE)
		delete (c, exchange, member);
	else
		answer(exchange, 405, "PATCH or DELETE");
}
