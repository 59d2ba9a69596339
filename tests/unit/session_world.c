// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/session_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/events/parse.h"
#include "controlplane/rooms/token.h"
#include "tests/support/random.h"

struct world world;

static const uint8_t fingerprint[32] = {0xaa, 0xbb};
static char asked[16384];

/* ---- in place of link ---- */

enum link_state __wrap_link_state(const struct link *link);
int __wrap_link_submit(struct link *link, struct link_ops *ops,
	void (*done)(void *context, const struct link_result *result), void *context);
int __wrap_link_resync(struct link *link);
int __wrap_link_query(struct link *link, const struct stn_header *request, size_t size,
	void (*answer)(void *context, const struct stn_header *message, bool last), void *context);
int __wrap_link_datagram(struct link *link, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size);

enum link_state __wrap_link_state(const struct link *link)
{
	return world.link;
}

int __wrap_link_submit(struct link *link, struct link_ops *ops,
	void (*done)(void *context, const struct link_result *result), void *context)
{
	struct world_submit *submit = &world.submits[world.submit_count];

	if (world.link != LINK_UP)
		return -ENOTCONN;
	ck_assert_uint_lt(world.submit_count, WORLD_SUBMITS_MAX);
	ck_assert_uint_le(ops->size, sizeof(submit->bytes));
	*submit = (struct world_submit){.size = ops->size, .done = done, .context = context};
	memcpy(submit->bytes, ops->bytes, ops->size);
	world.submit_count++;
	link_ops_clear(ops);
	return 0;
}

int __wrap_link_resync(struct link *link)
{
	return world.link == LINK_UP ? 0 : -ENOTCONN;
}

int __wrap_link_query(struct link *link, const struct stn_header *request, size_t size,
	void (*answer)(void *context, const struct stn_header *message, bool last), void *context)
{
	return -ENOTCONN;
}

int __wrap_link_datagram(struct link *link, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	return 0;
}

/* ---- in place of a disk ---- */

int __real_store_commit(struct store *store, uint64_t next_id);
int __wrap_store_commit(struct store *store, uint64_t next_id);

int __wrap_store_commit(struct store *store, uint64_t next_id)
{
	return world.store_fails ? -ENOSPC : __real_store_commit(store, next_id);
}

void world_fail_store(bool fails)
{
	world.store_fails = fails;
}

/* ---- in place of DTLS ---- */

int __wrap_dtls_expect(struct dtls *dtls, uint64_t leg_id, const uint8_t print[32]);
void __wrap_dtls_forget(struct dtls *dtls, uint64_t leg_id);

int __wrap_dtls_expect(struct dtls *dtls, uint64_t leg_id, const uint8_t print[32])
{
	memcpy(world.fingerprint, print, 32);
	world.expected[world.expected_count++] = leg_id;
	return 0;
}

void __wrap_dtls_forget(struct dtls *dtls, uint64_t leg_id)
{
	world.forgotten[world.forgotten_count++] = leg_id;
}

/* ---- in place of the HTTP server ---- */

void __wrap_http_respond(struct http_exchange *exchange);

static void keep(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

void __wrap_http_respond(struct http_exchange *exchange)
{
	struct world_response *r = &world.response;

	*r = (struct world_response){.status = exchange->status};
	keep(r->type, sizeof(r->type), exchange->type == NULL ? "" : exchange->type);
	snprintf(r->body, sizeof(r->body), "%.*s", (int)exchange->response.size,
		exchange->response.size == 0 ? "" : exchange->response.text);
	for (unsigned int i = 0; i < exchange->header_count; i++) {
		const struct http_header *h = &exchange->header[i];

		if (strcmp(h->name, "Location") == 0)
			keep(r->location, sizeof(r->location), h->value);
		else if (strcmp(h->name, "ETag") == 0)
			keep(r->tag, sizeof(r->tag), h->value);
		else if (strcmp(h->name, "Stentor-Token") == 0)
			keep(r->token, sizeof(r->token), h->value);
		else if (strcmp(h->name, "WWW-Authenticate") == 0)
			keep(r->challenge, sizeof(r->challenge), h->value);
		else if (strcmp(h->name, "Retry-After") == 0)
			keep(r->retry, sizeof(r->retry), h->value);
		free(h->value);
	}
	world.responses++;
	writer_clear(&exchange->response);
	free((char *)exchange->body);
	free((char *)exchange->token);
	free(exchange);
}

/* ---- the world ---- */

static int fill_random(void *bytes, size_t size)
{
	static uint64_t next = 1;
	struct random_state state = {next++};

	random_fill(&state, bytes, size);
	return 0;
}

static int read_log(
	void *context, uint64_t room_id, uint64_t *after, unsigned int limit, struct writer *text)
{
	return store_log_read(context, room_id, after, limit, text);
}

static int no_timeout(void *context, uint64_t now_ns)
{
	return 0;
}

static void no_turn(void *context, uint64_t now_ns)
{
}

static void open_conductor(const struct session_config *config)
{
	static const struct store_limits store_limits = {100000, 100000};
	static const struct registry_limits limits = {.rooms_max = 100,
		.members_max = 1000,
		.room_members_max = 1000,
		.reconnect_grace_ms = 60000,
		.public_url = "https://rooms.example"};
	struct conductor *c = &world.conductor;
	struct loop_hooks hooks = {no_timeout, no_turn, NULL};
	struct moment now = conductor_now();
	struct server_callbacks callbacks = {conductor_line, conductor_too_long, conductor_drained,
		conductor_stalled, conductor_closed};
	struct server_config server = {
		.uid = -1, .gid = -1, .connections_max = 4, .stall_timeout_ns = UINT64_MAX / 2};
	struct feed_config feed = {4, 4, read_log, NULL};
	char reason[256] = "", events[160];

	*c = (struct conductor){
		.config = {1000000000u, 100}, .registry = &world.registry, .dumped = true};
	registry_init(&world.registry, &limits, fill_random);
	world.registry.next_id = 1000;
	ck_assert_msg(store_open(&c->store, world.path, &store_limits, reason) == 0, "%s", reason);
	ck_assert_int_eq(store_load(c->store, &world.registry, &now), 0);
	ck_assert_int_eq(loop_open(&c->loop, &hooks), 0);
	snprintf(events, sizeof(events), "%s/events", world.folder);
	server.path = events;
	ck_assert_int_eq(server_open(&c->server, c->loop, &server, &callbacks, c), 0);
	feed.context = c->store;
	ck_assert_int_eq(feed_open(&c->feed, c->server, &feed, world.registry.sequence), 0);
	ck_assert_int_eq(session_open(c, config, (struct dtls *)&world), 0);
	c->hello =
		(struct stn_hello_reply){.instance_id = 7, .index_store_id = 77, .media_count = 1};
	c->hello.media[0] =
		(struct stn_address){.family = 4, .port_be = 0x409c, .address = {10, 1}};
	c->greeted = true;
	world.link = LINK_UP;
}

static struct session_config kept;

void world_open(const struct session_config *config)
{
	world = (struct world){0};
	strcpy(world.folder, "/tmp/stentor-session-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world.folder));
	snprintf(world.path, sizeof(world.path), "%s/db", world.folder);
	kept = *config;
	kept.fingerprint = fingerprint;
	open_conductor(&kept);
	world_ask("{\"id\":\"open\",\"type\":\"room.open\",\"actor\":\"ann\",\"room\":\"tea\"}");
}

static void close_conductor(void)
{
	struct conductor *c = &world.conductor;

	conductor_close(c);
	session_close(c);
	server_close(c->server);
	feed_close(c->feed);
	loop_close(c->loop);
	store_close(c->store);
	registry_clear(&world.registry);
}

void world_restart(void)
{
	close_conductor();
	world.submit_count = world.forgotten_count = world.expected_count = 0;
	open_conductor(&kept);
}

void world_close(void)
{
	static const char *const names[] = {"db", "db-wal", "db-shm", "db-journal", "events"};
	char name[160];

	close_conductor();
	for (size_t i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "%s/%s", world.folder, names[i]);
		unlink(name);
	}
	rmdir(world.folder);
}

void world_turn(void)
{
	struct conductor *c = &world.conductor;

	turn_commit(c);
	submit_settle_refused(c);
	turn_commit(c);
	session_settle(c);
	turn_commit(c);
}

static void take_answer(void *context, const struct call_result *result)
{
	snprintf(asked, sizeof(asked), "%.*s", (int)result->size,
		result->text == NULL ? "" : result->text);
}

/* As conductor_line(), with the answer in hand. */
const char *world_ask(const char *line)
{
	struct parsed parsed;
	struct verdict verdict = {0};
	unsigned int before = world.submit_count;

	asked[0] = '\0';
	ck_assert_msg(parse_line(line, strlen(line), &parsed, &verdict), "%s", verdict.message);
	conductor_event(&world.conductor, &parsed.event, take_answer, NULL);
	world_turn();
	for (unsigned int i = before; i < world.submit_count && asked[0] == '\0'; i++)
		world_answer(i, LINK_APPLIED);
	parse_clear(&parsed); /* no list in it: those would be the request's by now */
	return asked;
}

const char *world_join(const char *member, const char *role)
{
	char line[512];
	struct member *joined;

	snprintf(line, sizeof(line),
		"{\"id\":\"join-%s\",\"type\":\"member.join\",\"actor\":\"ann\",\"room\":\"tea\","
		"\"member\":\"%s\",\"role\":\"%s\",\"transport\":\"webrtc\"}",
		member, member, role);
	world_ask(line);
	joined = world_member(member);
	ck_assert_msg(joined != NULL, "%s", asked);
	return joined->token->text;
}

struct member *world_member(const char *user)
{
	return registry_member(registry_room(&world.registry, WORLD_ROOM), user);
}

void world_http(const struct world_request *request)
{
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));

	exchange->route = request->route;
	exchange->method = request->method;
	snprintf(exchange->segment, sizeof(exchange->segment), "%s", request->segment);
	exchange->token = request->token == NULL ? NULL : strdup(request->token);
	exchange->content_type = request->content_type;
	exchange->if_match = request->if_match;
	exchange->body = strdup(request->body == NULL ? "" : request->body);
	exchange->body_size = strlen(exchange->body);
	session_exchange(&world.conductor, exchange);
	world_turn();
}

static const char *read_offer(const char *name)
{
	static char text[16384];
	char path[256];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s.sdp", SDP_DATA, name);
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	return text;
}

void world_post(enum http_route route, const char *token, const char *offer)
{
	struct world_request request = {.route = route,
		.method = HTTP_POST,
		.segment = WORLD_ROOM,
		.token = token,
		.content_type = "application/sdp",
		.body = read_offer(offer)};

	world_http(&request);
}

void world_answer(unsigned int submit, enum link_outcome outcome)
{
	struct world_submit *s = &world.submits[submit];
	struct link_result result = {.outcome = outcome,
		.failed_op = UINT32_MAX,
		.status = outcome == LINK_REFUSED ? STN_STATUS_NO_SPACE : STN_STATUS_OK,
		.reason = outcome == LINK_REFUSED ? "full" : ""};

	ck_assert_uint_lt(submit, world.submit_count);
	ck_assert(!s->answered);
	s->answered = true;
	if (world.origin_given) {
		world.origin.room_id = registry_room(&world.registry, WORLD_ROOM)->put.room_id;
		result.origins = &world.origin;
		result.origin_count = 1;
	}
	s->done(s->context, &result);
	world_turn();
}

const void *world_op(unsigned int submit, enum stn_op_type type, unsigned int what)
{
	const struct world_submit *s = &world.submits[submit];

	ck_assert_uint_lt(submit, world.submit_count);
	for (size_t at = 0; at < s->size;) {
		const struct stn_op *op = (const struct stn_op *)(s->bytes + at);

		if (op->type == type && what-- == 0)
			return op;
		at += op->size;
	}
	return NULL;
}

const char *world_session(const char *user, const char *role, const char *offer)
{
	static char token[64];
	bool speaks = strcmp(role, "listener") != 0;

	snprintf(token, sizeof(token), "%s", world_join(user, role));
	world_post(speaks ? HTTP_ROUTE_WHIP : HTTP_ROUTE_WHEP, token, offer);
	world_answer(world.submit_count - 1, LINK_APPLIED);
	ck_assert_msg(
		world.response.status == 201, "%u %s", world.response.status, world.response.body);
	return token;
}

void world_keys(uint64_t leg_id, uint8_t byte)
{
	struct dtls_keys keys = {
		.tx.suite = STN_SUITE_AEAD_AES_128_GCM, .rx.suite = STN_SUITE_AEAD_AES_128_GCM};

	memset(keys.tx.key, byte, 16);
	memset(keys.rx.key, byte + 1, 16);
	turn_commit(&world.conductor);
	session_dtls_callbacks.connected(&world.conductor, leg_id, &keys);
	world_turn();
}
