// SPDX-License-Identifier: BSD-3-Clause
#include "perf/director.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A request line may be 64 KiB; an entry is at most about 120 bytes. */
#define BATCH 450
#define JOIN_TIMEOUT_MS 60000
#define LEGS_TIMEOUT_NS 10000000000u

static const char *const suite_name[MEDIA_SUITE_COUNT] = {
	[MEDIA_SUITE_GCM128] = "AEAD_AES_128_GCM",
	[MEDIA_SUITE_GCM256] = "AEAD_AES_256_GCM",
	[MEDIA_SUITE_CM80] = "AES128_CM_HMAC_SHA1_80",
};

int director_open(struct director *director, const char *socket)
{
	int error = client_open(&director->client, socket);

	if (error)
		client_describe_failure(stderr, socket, error);
	return error;
}

void director_close(struct director *director)
{
	client_close(&director->client);
}

static json_t *write_down(struct director *director, json_t *request, int *error)
{
	bool written = json_dumpf(request, director->file, JSON_COMPACT) == 0 &&
		       fputc('\n', director->file) != EOF;

	json_decref(request);
	if (written)
		return json_pack("{s:b}", "ok", 1);
	*error = -EIO;
	return NULL;
}

/* Takes request over; the caller owns the answer. NULL after having said why. */
static json_t *ask(struct director *director, json_t *request, int *error)
{
	const char *type = json_string_value(json_object_get(request, "type"));
	char what[64];
	json_t *answer, *failure;

	if (director->file != NULL)
		return write_down(director, request, error);
	snprintf(what, sizeof(what), "%s", type ? type : "request");
	answer = client_ask(&director->client, request, director->timeout_ms, error);
	if (answer && json_is_true(json_object_get(answer, "ok")))
		return answer;
	failure = json_object_get(answer, "error");
	fprintf(stderr, "%s: %s\n", what,
		answer ? json_string_value(json_object_get(failure, "message"))
		       : strerror(-*error));
	if (answer)
		*error = -EPROTO;
	json_decref(answer);
	return NULL;
}

/* What was accepted must be in force before it is measured. */
static int ask_programmed(struct director *director, json_t *request)
{
	int error = 0;
	json_t *answer = ask(director, request, &error);

	if (!answer)
		return error;
	if (json_is_false(json_object_get(answer, "programmed"))) {
		fprintf(stderr, "accepted, but the data plane has not been programmed\n");
		error = -ENOTCONN;
	}
	json_decref(answer);
	return error;
}

int director_open_room(struct director *director, uint32_t capacity)
{
	int error = 0;
	json_t *answer = ask(director,
		json_pack("{s:s, s:s, s:s, s:s, s:I}", "type", "room.open", "actor", director->host,
			"room", director->room, "title", "measurement", "capacity",
			(json_int_t)capacity),
		&error);

	json_decref(answer);
	return answer ? 0 : error;
}

int director_close_room(struct director *director)
{
	int error, timeout_ms = director->timeout_ms;

	director->timeout_ms = JOIN_TIMEOUT_MS;
	error = ask_programmed(director, json_pack("{s:s, s:s, s:s}", "type", "room.close", "actor",
						 director->host, "room", director->room));
	director->timeout_ms = timeout_ms;
	return error;
}

int director_wait_legs(struct director *director, uint64_t legs)
{
	uint64_t deadline_ns = clock_monotonic_ns() + LEGS_TIMEOUT_NS;
	struct director_counters counters;
	int error;

	do
		error = director_read(director, &counters);
	while (error == 0 && counters.legs > legs && clock_monotonic_ns() < deadline_ns);
	if (error != 0 || counters.legs <= legs)
		return error;
	fprintf(stderr, "the data plane still has %lu legs, not %lu\n", counters.legs, legs);
	return -ETIMEDOUT;
}

static void address_text(uint32_t address, char *text)
{
	struct in_addr in = {.s_addr = htonl(address)};

	inet_ntop(AF_INET, &in, text, INET_ADDRSTRLEN);
}

int director_join_speaker(struct director *director, const struct sockaddr_storage *address,
	const struct media_key *key, uint32_t ssrc)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	char text[INET_ADDRSTRLEN], secret[80];

	if (address->ss_family != AF_INET)
		return -EINVAL;
	address_text(ntohl(four->sin_addr.s_addr), text);
	media_key_format(key, secret);
	return ask_programmed(
		director, json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:I}", "type",
				  "member.join", "actor", director->host, "room", director->room,
				  "role", "host", "address", text, "port", ntohs(four->sin_port),
				  "suite", suite_name[key->suite], "rx_key", secret, "payload_type",
				  111, "ssrc", (json_int_t)ssrc));
}

static json_t *crowd_batch(const struct director_crowd *crowd, uint32_t first, uint32_t count)
{
	json_t *members = json_array();

	for (uint32_t i = first; i < first + count; i++) {
		char name[16], text[INET_ADDRSTRLEN];

		snprintf(name, sizeof(name), "l%u", i);
		address_text(crowd->address + i / crowd->ports_per_address, text);
		json_array_append_new(
			members, json_pack("{s:s, s:s, s:i, s:s}", "member", name, "address", text,
					 "port", crowd->port + i % crowd->ports_per_address,
					 "suite", suite_name[crowd->suite]));
	}
	return members;
}

int director_join_crowd(
	struct director *director, const struct director_crowd *crowd, double *seconds)
{
	uint64_t start_ns = clock_monotonic_ns();
	int error = 0, timeout_ms = director->timeout_ms;

	director->timeout_ms = JOIN_TIMEOUT_MS;
	for (uint32_t at = 0; !error && at < crowd->count; at += BATCH) {
		uint32_t count = crowd->count - at < BATCH ? crowd->count - at : BATCH;

		error = ask_programmed(
			director, json_pack("{s:s, s:s, s:s, s:s, s:o}", "type", "member.join",
					  "actor", director->host, "room", director->room, "role",
					  "listener", "members", crowd_batch(crowd, at, count)));
	}
	director->timeout_ms = timeout_ms;
	*seconds = (double)(clock_monotonic_ns() - start_ns) / 1e9;
	return error;
}

static json_t *browser_batch(uint32_t first, uint32_t count)
{
	json_t *members = json_array();

	for (uint32_t i = first; i < first + count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "b%u", i);
		json_array_append_new(members, json_pack("{s:s}", "member", name));
	}
	return members;
}

static int take_tokens(const json_t *answer, uint32_t count, char **token)
{
	const json_t *members = json_object_get(answer, "members");

	if (json_array_size(members) != count)
		return -EPROTO;
	for (uint32_t i = 0; i < count; i++) {
		const char *text =
			json_string_value(json_object_get(json_array_get(members, i), "token"));

		token[i] = text ? strdup(text) : NULL;
		if (!token[i])
			return -EPROTO;
	}
	return 0;
}

int director_join_browsers(struct director *director, uint32_t count, char **token)
{
	int error = 0, timeout_ms = director->timeout_ms;

	memset(token, 0, count * sizeof(token[0]));
	director->timeout_ms = JOIN_TIMEOUT_MS;
	for (uint32_t at = 0; !error && at < count; at += BATCH) {
		uint32_t batch = count - at < BATCH ? count - at : BATCH;
		json_t *answer = ask(director,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "type", "member.join", "actor",
				director->host, "room", director->room, "role", "listener",
				"transport", "webrtc", "members", browser_batch(at, batch)),
			&error);

		if (answer)
			error = take_tokens(answer, batch, token + at);
		json_decref(answer);
	}
	director->timeout_ms = timeout_ms;
	return error;
}

static uint64_t counter(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

int director_read(struct director *director, struct director_counters *counters)
{
	int error = 0;
	json_t *answer = ask(director, json_pack("{s:s}", "type", "status"), &error);
	json_t *plane = json_object_get(answer, "dataplane"), *worker, *drop;
	struct director_counters c = {.at_ns = clock_monotonic_ns()};
	const char *engine = json_string_value(json_object_get(plane, "engine")), *reason;
	size_t i;

	if (!answer)
		return error;
	if (!json_is_true(json_object_get(plane, "connected")))
		error = -ENOTCONN;
	c.legs = counter(plane, "legs");
	snprintf(c.engine, sizeof(c.engine), "%s", engine ? engine : "unknown");
	json_array_foreach(json_object_get(plane, "workers"), i, worker)
	{
		if (i == DIRECTOR_WORKERS_MAX)
			break;
		c.worker_count = (unsigned int)i + 1;
		c.copies += counter(worker, "copies");
		c.tx_packets += counter(worker, "tx_packets");
		c.slot_packets += counter(worker, "slot_packets");
		c.rx_packets += counter(worker, "rx_packets");
		c.busy_ns[i] = counter(worker, "busy_ns");
		c.idle_ns[i] = counter(worker, "idle_ns");
		json_object_foreach(json_object_get(worker, "drops"), reason, drop) c.drops +=
			(uint64_t)json_integer_value(drop);
	}
	json_decref(answer);
	if (!error)
		*counters = c;
	return error;
}

int director_mute(
	struct director *director, bool muted, uint64_t *written_ns, uint64_t *answered_ns)
{
	json_t *request = json_pack("{s:s, s:s, s:s, s:s}", "type",
		muted ? "moderation.mute" : "moderation.unmute", "actor", director->host, "room",
		director->room, "member", director->host);
	int error;

	*written_ns = clock_monotonic_ns();
	error = ask_programmed(director, request);
	*answered_ns = clock_monotonic_ns();
	return error;
}
