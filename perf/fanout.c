// SPDX-License-Identifier: BSD-3-Clause
#include "perf/fanout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include "dataplane/io/bus.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/pool.h"
#include "dataplane/io/port.h"
#include "dataplane/io/stage.h"

#define SLOT_SSRC 0x5354454eu
#define SLOT_INDEX_FIRST 1000u
#define CSRC 0x11223344u
#define CONNECT_LIMIT_S 30

enum phase { PHASE_SETUP, PHASE_MEASURE, PHASE_DONE };

/* What one worker lcore runs and finds out. */
struct lane {
	struct bench *bench;
	struct worker *worker;
	uint64_t index; /* of the slot's last packet */
	uint64_t until_sample;
	struct fanout_sample *sample;
	uint64_t samples;
	double round_ns[FANOUT_ROUNDS_MAX];
	double round_reference_ns[FANOUT_ROUNDS_MAX];
};

struct bench {
	const struct fanout_options *options;
	struct dataplane_config config;
	struct pool pool;
	struct port port;
	struct bus *bus;
	struct worker_bus interface;
	struct room_facts room;
	struct index_cell cell[2 * STN_SLOTS_MAX];
	struct leg_facts *leg;
	struct fanout_listener *listener;
	struct reference *reference;
	struct lane lane[STN_WORKERS_MAX];
	uint8_t payload[FANOUT_PAYLOAD_MAX];
	enum phase phase; /* the main lcore writes */
	bool eal_started;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int random_fill(void *out, size_t size)
{
	uint8_t *p = out;

	while (size > 0) {
		ssize_t n = getrandom(p, size < 65536 ? size : 65536, 0);

		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

static int listeners_make(struct bench *b)
{
	uint32_t i, count = b->options->listeners;
	const struct suite_facts *facts;
	enum suite suite = b->options->suite;

	if (suite == SUITE_NONE)
		suite = SUITE_AEAD_AES_128_GCM;
	facts = suite_facts(suite);
	b->listener = calloc(count, sizeof(*b->listener));
	b->leg = calloc(count, sizeof(*b->leg));
	if (b->listener == NULL || b->leg == NULL)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		struct fanout_listener *l = &b->listener[i];
		uint32_t host = 1 + i / 32768;

		l->remote = (struct stn_address){.family = 4,
			.port_be = rte_cpu_to_be_16((uint16_t)(1024 + i % 32768)),
			.address = {
				10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host}};
		l->key.suite = (uint8_t)suite;
		if (random_fill(l->key.key, facts->key_size) < 0 ||
			random_fill(l->key.salt, facts->salt_size) < 0)
			return -EIO;
	}
	return 0;
}

static void facts_make(struct bench *b)
{
	bool group = b->options->suite == SUITE_NONE;
	uint32_t i;

	b->room = (struct room_facts){.room_id = 1,
		.slot_count = 1,
		.profile_count = 1,
		.slot_ssrc = {SLOT_SSRC},
		.profile = {{.payload_type = 111}}};
	for (i = 0; i < STN_SLOTS_MAX; i++) {
		b->room.slot_index[i] = &b->cell[i];
		b->room.slot_clock[i] = &b->cell[STN_SLOTS_MAX + i];
	}
	b->cell[0].value = SLOT_INDEX_FIRST;
	if (group)
		b->room.group_key = b->listener[0].key;
	for (i = 0; i < b->options->listeners; i++)
		b->leg[i] = (struct leg_facts){.leg_id = i + 1,
			.leg = i,
			.worker = (uint8_t)worker_owner(&b->pool.worker[0]->config.hash_key,
				&b->listener[i].remote, b->pool.count),
			.remote = b->listener[i].remote,
			.role = STN_ROLE_LISTENER,
			.protection = group ? STN_PROTECTION_GROUP : STN_PROTECTION_LEG,
			.transport = STN_TRANSPORT_KEYED,
			.tx = b->listener[i].key};
}

/* Keeps one copy in FANOUT_SAMPLE_EVERY, as the port sees it. */
static uint16_t on_transmit(
	uint16_t port, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t count, void *arg)
{
	struct lane *lane = arg;
	struct fanout_sample *sample;

	if (count < lane->until_sample) {
		lane->until_sample -= count;
		return count;
	}
	if (lane->samples < FANOUT_SAMPLES_MAX && lane->until_sample > 0) {
		const struct rte_mbuf *mbuf = mbufs[lane->until_sample - 1];

		sample = &lane->sample[lane->samples++];
		sample->index = lane->worker->room[0]->fan->fanout.packet->index;
		sample->size = mbuf->data_len;
		memcpy(sample->bytes, rte_pktmbuf_mtod(mbuf, const uint8_t *),
			mbuf->data_len < FANOUT_SAMPLE_SIZE ? mbuf->data_len : FANOUT_SAMPLE_SIZE);
	}
	lane->until_sample += FANOUT_SAMPLE_EVERY - count;
	return count;
}

/* The next slot packet, as the room's home worker would publish it. */
static void inject(struct lane *lane)
{
	struct bench *b = lane->bench;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(lane->worker->config.pool);
	struct packet_meta *meta;
	uint8_t *payload;

	if (mbuf == NULL)
		return;
	payload = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)b->options->payload);
	memcpy(payload, b->payload, b->options->payload);
	lane->index++;
	meta = packet_meta(mbuf);
	*meta = (struct packet_meta){.kind = PACKET_SLOT,
		.room_id = 1,
		.source = SELECTOR_NOBODY,
		.arrival_ns = lane->worker->now_ns,
		.slot = {.index = lane->index,
			.ssrc = SLOT_SSRC,
			.timestamp = (uint32_t)lane->index * 960,
			.csrc = CSRC,
			.payload = payload,
			.payload_size = (uint16_t)b->options->payload}};
	publish_local(lane->worker, mbuf);
}

static double fan_for(struct lane *lane, double seconds)
{
	struct worker *worker = lane->worker;
	uint64_t before = worker->stats.tx_packets;
	double begin = now(), end;
	unsigned int i;

	do {
		for (i = 0; i < 64; i++) {
			if (worker->queue.job_count < 2)
				inject(lane);
			worker_turn(worker);
		}
		end = now();
	} while (end - begin < seconds);
	return (end - begin) * 1e9 / (double)(worker->stats.tx_packets - before);
}

/* Let the fan-out under way end, so that every copy of it is on record. */
static void drain(struct lane *lane)
{
	while (lane->worker->queue.job_count != 0)
		worker_turn(lane->worker);
}

static int lane_run(void *arg)
{
	struct lane *lane = arg;
	struct bench *b = lane->bench;
	unsigned int turns = b->options->rounds * (b->options->no_reference ? 1 : 2) + 1;
	double slice = b->options->seconds / turns;
	unsigned int i;

	while (__atomic_load_n(&b->phase, __ATOMIC_ACQUIRE) == PHASE_SETUP)
		worker_turn(lane->worker);
	fan_for(lane, slice); /* warm up */
	for (i = 0; i < b->options->rounds; i++) {
		lane->round_ns[i] = fan_for(lane, slice);
		if (lane->worker->config.index == 0 && !b->options->no_reference)
			lane->round_reference_ns[i] =
				reference_run(b->reference, b->options->payload, slice);
	}
	drain(lane);
	return 0;
}

static int post(struct bench *b, unsigned int worker, const struct command *command)
{
	double deadline = now() + 10;

	while (b->interface.post(b->interface.impl, worker, command) < 0)
		if (now() > deadline)
			return -ETIMEDOUT;
	return 0;
}

/* Waits until every worker has applied what was posted; refusals are errors. */
static int fence(struct bench *b)
{
	struct command command = {.type = COMMAND_FENCE, .value = 1};
	double deadline = now() + 60;
	unsigned int i, answers = 0;
	struct reply reply;
	int rc = 0;

	for (i = 0; i < b->pool.count && rc == 0; i++)
		rc = post(b, i, &command);
	while (rc == 0 && answers < b->pool.count) {
		if (now() > deadline)
			return -ETIMEDOUT;
		if (!b->interface.poll(b->interface.impl, &reply))
			continue;
		if (reply.type == REPLY_REFUSED)
			return -ENOSPC;
		answers += reply.type == REPLY_FENCE;
	}
	return rc;
}

static int program(struct bench *b)
{
	struct command command = {.type = COMMAND_ROOM_ADD, .room = &b->room};
	uint32_t i;
	int rc = 0;

	for (i = 0; i < b->pool.count && rc == 0; i++)
		rc = post(b, i, &command);
	for (i = 0; i < b->options->listeners && rc == 0; i++) {
		command = (struct command){.type = COMMAND_LEG_ADD, .handle = i, .leg = &b->leg[i]};
		rc = post(b, b->leg[i].worker, &command);
		/* Replies are drained by fence(); 4,096 legs at a time cannot fill the ring. */
		if (rc == 0 && i % 4096 == 4095)
			rc = fence(b);
	}
	return rc == 0 ? fence(b) : rc;
}

/* The same text an operator would write, so the same defaults and checks hold. */
static int config_make(struct bench *b)
{
	const struct fanout_options *o = b->options;
	struct option_source source = {.name = "stentor-bench"};
	struct option_error error;
	char text[1024];
	int rc;

	source.text = text;
	source.size = (size_t)snprintf(text, sizeof(text),
		"dataplane = { workers = %u; legs_max = %u; rooms_max = 1; buffers = 8192;\n"
		"pace_us = 0;\n"
		"ports = ( { driver = \"%s\"; device = \"/tmp/stentor-bench-%d.sock\";\n"
		"addresses = [ \"192.0.2.1/24\" ]; gateway_mac = \"02:00:00:00:00:02\"; } ); };",
		o->workers, o->listeners < 16 ? 16 : o->listeners, o->memif ? "memif" : "null",
		(int)getpid());
	rc = option_read(&dataplane_options, &source, &b->config, &error);
	if (rc < 0)
		fprintf(stderr, "stentor-bench: %s\n", error.text);
	return rc;
}

static int environment_start(struct bench *b)
{
	struct port_environment environment = {.config = &b->config, .pool = b->pool.buffers};
	const struct engine *engine = engine_find(b->options->engine);
	struct bus_config bus = {.port = &b->port, .port_count = 1};
	unsigned int i;
	int rc;

	if (engine == NULL || !engine->available())
		return -ENOTSUP;
	rc = eal_start(&b->config);
	b->eal_started = rc == 0;
	if (rc == 0)
		rc = pool_buffers_open(&b->pool, &b->config);
	if (rc == 0)
		rc = port_open(&b->port, 0, &environment);
	if (rc == 0)
		rc = pool_open(&b->pool, &b->config, engine, &b->port);
	if (rc < 0)
		return rc;
	bus.worker = b->pool.worker;
	bus.worker_count = b->pool.count;
	bus.pool = b->pool.buffers;
	bus.legs_max = b->config.legs_max;
	rc = bus_open(&b->bus, &bus);
	if (rc < 0)
		return rc;
	b->interface = bus_interface(b->bus);
	for (i = 0; i < b->pool.count; i++) {
		struct lane *lane = &b->lane[i];

		*lane = (struct lane){.bench = b,
			.worker = b->pool.worker[i],
			.index = SLOT_INDEX_FIRST,
			.until_sample = 1};
		lane->sample = calloc(FANOUT_SAMPLES_MAX, sizeof(*lane->sample));
		if (lane->sample == NULL || rte_eth_add_tx_callback(b->port.port_id, (uint16_t)i,
						    on_transmit, lane) == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void collect(struct bench *b, struct fanout_result *result)
{
	struct fanout_verify verify = {.listener = b->listener,
		.listeners = b->options->listeners,
		.group_key = b->options->suite == SUITE_NONE ? &b->listener[0].key : NULL,
		.ssrc = SLOT_SSRC,
		.payload = b->payload,
		.payload_size = b->options->payload};
	const struct engine *engine = b->pool.worker[0]->config.engine;
	unsigned int i, round;

	result->engine = engine->name;
	for (i = 0; i < b->pool.count; i++) {
		struct lane *lane = &b->lane[i];

		for (round = 0; round < b->options->rounds; round++) {
			result->round_ns[round] += lane->round_ns[round] / b->pool.count;
			result->round_mpps[round] += 1e3 / lane->round_ns[round];
		}
		result->copies += lane->worker->stats.tx_packets;
		result->verified += lane->samples;
		result->verify_failures += fanout_verify(&verify, lane->sample, lane->samples);
	}
	memcpy(result->round_reference_ns, b->lane[0].round_reference_ns,
		sizeof(result->round_reference_ns));
	/* Its part of the headers, an origin, and what the engine reads of its keys. */
	result->hot_bytes = 16 + sizeof(uint32_t);
	if (b->options->suite != SUITE_NONE)
		result->hot_bytes += engine->hot_bytes(b->options->suite, b->options->payload);
}

/* Over memif nothing is sent before the reading process has connected, so what was would be none.
 */
static int wait_for_link(const struct bench *b)
{
	double deadline = now() + CONNECT_LIMIT_S;
	struct rte_eth_link link;

	do {
		if (rte_eth_link_get_nowait(b->port.port_id, &link) == 0 &&
			link.link_status == RTE_ETH_LINK_UP)
			return 0;
		usleep(1000);
	} while (now() < deadline);
	fprintf(stderr, "stentor-bench: nobody has connected to the memif port\n");
	return -ENOTCONN;
}

static int measure(struct bench *b, struct fanout_result *result)
{
	unsigned int i;
	int rc;

	facts_make(b);
	for (i = 0; i < b->pool.count; i++)
		rte_eal_remote_launch(lane_run, &b->lane[i], EAL_WORKER_LCORE(i));
	rc = program(b);
	/* The lanes must end whatever happened. */
	__atomic_store_n(&b->phase, PHASE_MEASURE, __ATOMIC_RELEASE);
	for (i = 0; i < b->pool.count; i++) {
		/* rte_eal_wait_lcore() spins, and would take the CPU of a reading sink. */
		while (rte_eal_get_lcore_state(EAL_WORKER_LCORE(i)) == RUNNING)
			usleep(1000);
		rte_eal_wait_lcore(EAL_WORKER_LCORE(i));
	}
	if (rc == 0)
		collect(b, result);
	return rc;
}

static void stop(struct bench *b)
{
	unsigned int i;

	if (b->pool.worker[0] != NULL)
		pool_close(&b->pool);
	bus_close(b->bus);
	port_close(&b->port);
	pool_buffers_close(&b->pool);
	for (i = 0; i < STN_WORKERS_MAX; i++)
		free(b->lane[i].sample);
	reference_close(b->reference);
	free(b->listener);
	free(b->leg);
	if (b->eal_started)
		eal_stop();
}

int fanout_measure(const struct fanout_options *options, struct fanout_result *result)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct memif_sink *sink = NULL;
	uint64_t read = 0;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	*result = (struct fanout_result){0};
	b->options = options;
	rc = config_make(b);
	if (rc == 0)
		rc = random_fill(b->payload, sizeof(b->payload));
	if (rc == 0)
		rc = listeners_make(b);
	if (rc == 0 && options->memif)
		rc = memif_sink_start(&sink, b->config.port[0].device);
	if (rc == 0)
		rc = environment_start(b);
	if (rc == 0)
		rc = reference_open(&b->reference, options->suite, b->listener, options->listeners);
	if (rc == 0 && options->memif)
		rc = wait_for_link(b);
	if (rc == 0)
		rc = measure(b, result);
	if (sink != NULL) {
		int stopped = memif_sink_stop(sink, &read);

		rc = rc == 0 ? stopped : rc;
		result->sink_read = read;
		result->sink_lost = result->copies - read;
	}
	stop(b);
	free(b);
	return rc;
}
