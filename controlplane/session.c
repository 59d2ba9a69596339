/* SPDX-License-Identifier: BSD-3-Clause */
/* POST to /whip/{room} and /whep/{room}: an offer becomes a leg and an answer. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/rooms/token.h"
#include "controlplane/session_state.h"
#include "controlplane/webrtc/sdp.h"
#include "dataplane/api/ufrag.h"

#define SECOND_NS 1000000000u
#define RETRY_AFTER_S 1
#define MEMBER_BURST_NS (5ULL * SECOND_NS) /* reloads; then one a second */

/* A POST under way: what the answer needs besides the member. */
struct opening {
	struct conductor *c;
	struct http_exchange *exchange;
	struct session_wish wish;
	struct sdp_offer offer;
};

int session_open(struct conductor *c, const struct session_config *config, struct dtls *dtls)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		return -ENOMEM;
	sessions->config = *config;
	sessions->dtls = dtls;
	c->sessions = sessions;
	return 0;
}

void session_close(struct conductor *c)
{
	struct session_pending *pending;

	if (c->sessions == NULL)
		return;
	while ((pending = c->sessions->pending) != NULL) {
		session_pending_remove(pending);
		free(pending);
	}
	free(c->sessions->over);
	free(c->sessions);
	c->sessions = NULL;
}

void session_fingerprint(struct conductor *c, const uint8_t *fingerprint)
{
	c->sessions->config.fingerprint = fingerprint;
}

void session_read_stats(const struct conductor *c, struct session_stats *out)
{
	*out = c->sessions->stats;
	out->sessions = c->registry->sessions;
	out->seats = 0;
	for (const struct member *m = c->registry->seats; m != NULL; m = m->seat_next)
		out->seats++;
}

void session_tag(const struct stn_op_leg_ice *ice, char tag[16])
{
	snprintf(tag, 16, "\"%02x%02x%02x%02x\"", ice->local_random[0], ice->local_random[1],
		ice->local_random[2], ice->local_random[3]);
}

void session_credentials(const struct stn_op_leg_ice *ice, char ufrag[SESSION_UFRAG_SIZE],
	char pwd[SESSION_PWD_SIZE])
{
	static_assert(SESSION_UFRAG_SIZE == STN_UFRAG_SIZE + 1, "with NUL");
	stn_ufrag_make(ice->leg_id, ice->local_random, ufrag);
	ufrag[STN_UFRAG_SIZE] = '\0';
	memcpy(pwd, ice->local_pwd, STN_ICE_LOCAL_PWD_SIZE);
	pwd[STN_ICE_LOCAL_PWD_SIZE] = '\0';
}

unsigned int session_candidates(const struct conductor *c, struct stn_address *out)
{
	const struct session_config *config = &c->sessions->config;
	unsigned int count = config->announced_count;

	if (count > 0) {
		memcpy(out, config->announced, count * sizeof(*out));
		return count;
	}
	count = c->hello.media_count > STN_MEDIA_MAX ? STN_MEDIA_MAX : c->hello.media_count;
	memcpy(out, c->hello.media, count * sizeof(*out));
	return count;
}

static void defer(struct conductor *c, struct http_exchange *exchange, const char *why)
{
	c->sessions->stats.deferred++;
	http_header_set(exchange, "Retry-After", "%d", RETRY_AFTER_S);
	http_problem(exchange, 503, "%s", why);
	http_respond(exchange);
}

static void refuse(
	struct conductor *c, struct http_exchange *exchange, unsigned int status, const char *why)
{
	c->sessions->stats.refused++;
	http_problem(exchange, status, "%s", why);
	http_respond(exchange);
}

void session_refuse(
	struct conductor *c, struct http_exchange *exchange, const struct call_result *result)
{
	static const unsigned int status[VERDICT_COUNT] = {
		[VERDICT_INVALID] = 400,
		[VERDICT_NOT_ALLOWED] = 403,
		[VERDICT_NO_SUCH_ROOM] = 404,
		[VERDICT_NO_SUCH_MEMBER] = 401,
		[VERDICT_ALREADY_EXISTS] = 409,
		[VERDICT_CONFLICT] = 409,
		[VERDICT_CAPACITY] = 409,
	};

	if (status[result->code] == 0)
		defer(c, exchange, result->message);
	else
		refuse(c, exchange, status[result->code], result->message);
}

bool session_can_program(struct conductor *c, struct http_exchange *exchange)
{
	if (c->sessions->dtls != NULL && link_state(c->link) == LINK_UP)
		return true;
	defer(c, exchange, "the data plane is away");
	return false;
}

static void challenge(struct conductor *c, struct http_exchange *exchange, const char *why)
{
	http_header_set(exchange, "WWW-Authenticate",
		exchange->token == NULL ? "Bearer" : "Bearer error=\"invalid_token\"");
	refuse(c, exchange, 401, why);
}

struct member *session_member(struct conductor *c, struct http_exchange *exchange)
{
	struct member *member = exchange->token == NULL
					? NULL
					: registry_member_by_token(c->registry, exchange->token);

	if (member == NULL)
		challenge(c, exchange,
			exchange->token == NULL ? "a bearer token is needed"
						: "this token is not, or no longer, valid");
	return member;
}

/* ---- admission ---- */

/* At most one every cost_ns, and for burst_ns as fast as they come. */
static bool take_turn(uint64_t *until_ns, uint64_t cost_ns, uint64_t burst_ns)
{
	uint64_t now_ns = loop_now_ns();

	if (*until_ns < now_ns)
		*until_ns = now_ns;
	if (*until_ns - now_ns >= burst_ns)
		return false;
	*until_ns += cost_ns;
	return true;
}

/* The member, NULL for a guest; false with the exchange answered when it is neither. */
static bool find_member(struct conductor *c, struct http_exchange *exchange, struct member **member)
{
	bool speaks = exchange->route == HTTP_ROUTE_WHIP;
	bool guests = c->sessions->config.open_listening || exchange->share != NULL;

	*member = NULL;
	if (exchange->token == NULL && !speaks && guests) {
		if (registry_room(c->registry, exchange->segment) != NULL)
			return true;
		refuse(c, exchange, 404, "no such room is open");
		return false;
	}
	*member = session_member(c, exchange);
	if (*member == NULL)
		return false;
	if (strcmp((*member)->room->name.text, exchange->segment) != 0) {
		refuse(c, exchange, 403, "this token is for another room");
		return false;
	}
	if (speaks && (*member)->role == ROLE_LISTENER) {
		refuse(c, exchange, 403, "this token is of a listener: ask for the floor first");
		return false;
	}
	return true;
}

/*
 * A storm is spread by telling who comes too early to come again (TRAPS 52). One member alone may
 * not use up what is there for all, nor may guests, of whom there are as many as somebody likes.
 */
static bool admit(struct conductor *c, struct http_exchange *exchange, struct member *member)
{
	struct sessions *s = c->sessions;
	uint64_t burst_ns = member == NULL ? SECOND_NS / 2 : SECOND_NS;

	if ((member == NULL || member->peer == NULL) &&
		c->registry->sessions >= s->config.sessions_max) {
		defer(c, exchange, "sessions_max: there is no place for another session");
		return false;
	}
	if (member != NULL && !take_turn(&member->join_ns, SECOND_NS, MEMBER_BURST_NS)) {
		http_header_set(exchange, "Retry-After", "%d", RETRY_AFTER_S);
		refuse(c, exchange, 429, "this member opens sessions too fast");
		return false;
	}
	if (!take_turn(&s->join_ns, SECOND_NS / s->config.joins_per_second, burst_ns)) {
		defer(c, exchange, "too many join at this moment");
		return false;
	}
	return true;
}

/* ---- the offer ---- */

static bool can_send(const struct sdp_section *section)
{
	return section->direction == SDP_SENDRECV || section->direction == SDP_SENDONLY;
}

static bool can_receive(const struct sdp_section *section)
{
	return section->direction == SDP_SENDRECV || section->direction == SDP_RECVONLY;
}

/* The sections that count: the first that can send for a speaker, the first that receives. */
static bool read_offer(struct opening *opening, bool speaks)
{
	const struct sdp_offer *offer = &opening->offer;
	struct session_wish *wish = &opening->wish;
	const struct sdp_section *source = NULL, *sink = NULL, *first = NULL;

	for (unsigned int i = 0; i < offer->section_count; i++) {
		const struct sdp_section *section = &offer->section[i];

		if (!section->usable)
			continue;
		first = first == NULL ? section : first;
		if (speaks && source == NULL && can_send(section))
			source = section;
		if (sink == NULL && can_receive(section))
			sink = section;
	}
	wish->speaks = source != NULL;
	wish->receives = sink != NULL;
	wish->mid = first == NULL ? "" : first->mid;
	if (source != NULL) {
		wish->payload_type = source->opus_payload_type;
		wish->audio_level_id = source->audio_level_id;
		wish->red_payload_type = source->red_payload_type;
		wish->ssrc = source->ssrc;
	}
	if (sink == NULL)
		sink = source;
	if (sink == NULL || (speaks && source == NULL))
		return false;
	wish->profile = (struct stn_profile){.payload_type = sink->opus_payload_type,
		.audio_level_id = sink->audio_level_id,
		.red_payload_type = sink->red_payload_type};
	return true;
}

static struct opening *make_opening(struct conductor *c, struct http_exchange *exchange)
{
	struct opening *opening = calloc(1, sizeof(*opening));
	struct sdp_error error;
	bool speaks = exchange->route == HTTP_ROUTE_WHIP;
	struct session_wish *wish;

	if (opening == NULL) {
		defer(c, exchange, "out of memory");
		return NULL;
	}
	opening->c = c;
	opening->exchange = exchange;
	if (sdp_parse_offer(exchange->body, exchange->body_size, &opening->offer, &error) != 0) {
		refuse(c, exchange, 400, error.reason);
		goto fail;
	}
	if (!read_offer(opening, speaks)) {
		refuse(c, exchange, 400,
			speaks ? "no audio section that sends Opus"
			       : "no audio section that receives Opus");
		goto fail;
	}
	wish = &opening->wish;
	wish->remote_ufrag = opening->offer.ice.ufrag;
	wish->remote_ufrag_size = opening->offer.ice.ufrag_size;
	wish->remote_pwd = opening->offer.ice.pwd;
	wish->remote_pwd_size = opening->offer.ice.pwd_size;
	return opening;
fail:
	free(opening);
	return NULL;
}

static void close_opening(struct opening *opening)
{
	explicit_bzero(opening, sizeof(*opening)); /* ICE passwords */
	free(opening);
}

/* ---- the answer ---- */

static bool write_answer(const struct opening *opening, const struct room *room)
{
	const struct sessions *s = opening->c->sessions;
	const struct session_wish *wish = &opening->wish;
	char ufrag[SESSION_UFRAG_SIZE], pwd[SESSION_PWD_SIZE];
	struct stn_address candidates[STN_MEDIA_MAX];
	struct sdp_answer answer = {.session_id = wish->leg_id,
		.ufrag = ufrag,
		.pwd = pwd,
		.fingerprint = s->config.fingerprint,
		.candidates = candidates,
		.payload_type = wish->agreed.payload_type,
		.audio_level_id = wish->agreed.audio_level_id,
		.red_payload_type = wish->agreed.red_payload_type,
		.receive = wish->speaks,
		.slot_ssrc = room->put.slot_ssrc,
		.slot_count = room->put.slot_count,
		.spread_unsignalled = s->config.unsignalled_slots};
	bool written;

	session_credentials(&wish->ice, ufrag, pwd);
	answer.candidate_count = session_candidates(opening->c, candidates);
	written = sdp_write_answer(&opening->exchange->response, &opening->offer, &answer);
	explicit_bzero(pwd, sizeof(pwd));
	return written;
}

static void write_headers(const struct opening *opening, const struct member *member)
{
	struct http_exchange *exchange = opening->exchange;
	char tag[16];

	session_tag(&opening->wish.ice, tag);
	http_header_set(exchange, "Location", "/session/%s", opening->wish.resource);
	http_header_set(exchange, "ETag", "%s", tag);
	http_header_set(exchange, "Accept-Patch", "application/trickle-ice-sdpfrag");
	http_header_set(exchange, "Link", "</events/%s>; rel=\"urn:stentor:events\"",
		member->room->name.text);
	/* A guest has not joined before: this is the only time that they are told. */
	if (exchange->token == NULL)
		http_header_set(exchange, "Stentor-Token", "%s", member->token->text);
	exchange->status = 201;
	exchange->type = "application/sdp";
}

static bool expect(const struct opening *opening)
{
	struct dtls *dtls = opening->c->sessions->dtls;

	return dtls_expect(dtls, opening->wish.leg_id, opening->offer.fingerprint) == 0;
}

/* The leg is in the data plane, or not: then the session is ended at the end of the turn. */
static void opened(void *context, const struct call_result *result)
{
	struct opening *opening = context;
	struct conductor *c = opening->c;
	struct member *member = registry_member_by_leg(c->registry, opening->wish.leg_id);

	if (result->code == VERDICT_OK && result->programmed && member != NULL && expect(opening) &&
		write_answer(opening, member->room)) {
		write_headers(opening, member);
		c->sessions->stats.opened++;
		http_respond(opening->exchange);
	} else {
		session_over(c, opening->wish.leg_id, SEAT_LOST);
		writer_reset(&opening->exchange->response);
		if (result->code != VERDICT_OK)
			session_refuse(c, opening->exchange, result);
		else
			defer(c, opening->exchange, "the data plane went away meanwhile");
	}
	close_opening(opening);
}

static void post(struct conductor *c, struct http_exchange *exchange)
{
	struct event event = {.type = &session_put_type, .room = exchange->segment};
	struct opening *opening;
	struct member *member;

	if (!find_member(c, exchange, &member))
		return;
	if (exchange->content_type == NULL ||
		strcmp(exchange->content_type, "application/sdp") != 0) {
		http_header_set(exchange, "Accept-Post", "application/sdp");
		refuse(c, exchange, 415, "the body must be application/sdp");
		return;
	}
	if (!session_can_program(c, exchange) || !admit(c, exchange, member))
		return;
	opening = make_opening(c, exchange);
	if (opening == NULL)
		return;
	if (member != NULL) {
		opening->wish.member_id = member_id(member);
		c->sessions->stats.replaced += member->peer != NULL;
	} else {
		opening->wish.share = exchange->share;
		opening->wish.uninvited = !c->sessions->config.open_listening;
	}
	*(struct session_put *)event.body = (struct session_put){&opening->wish};
	conductor_event(c, &event, opened, opening);
}

void session_exchange(struct conductor *c, struct http_exchange *exchange)
{
	if (exchange->route == HTTP_ROUTE_SESSION)
		resource_exchange(c, exchange);
	else
		post(c, exchange);
}
