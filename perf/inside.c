// SPDX-License-Identifier: BSD-3-Clause
#include "perf/inside.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include "dataplane/ctl/server.h"
#include "dataplane/io/bus.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/pool.h"
#include "dataplane/io/port.h"
#include "dataplane/io/stage.h"

#define EPOCH 1u
#define PAYLOAD 100u
#define SLOT_SSRC 0x5354454eu
#define SAMPLE_COPIES 4096u /* between two looks at what a copy takes */
#define WAIT_NS 60000000000ull

struct inside {
	struct dataplane_config config;
	struct pool pool;
	struct port port;
	struct bus *bus;
	struct table_server *server;
	bool eal_started, launched;
	char folder[64], socket[80], index[80];
	int fd;
	uint32_t sequence;
	bool begun;
	size_t used; /* of message */
	uint64_t random;
	uint8_t message[STN_TABLE_MESSAGE_MAX] __attribute__((aligned(8)));
	/* The lane's. */
	struct worker *worker;
	uint64_t index_last, due_ns, seen_copies, seen_ns, ns_per_copy_256;
	uint64_t last_copy_ns, watched_copies, turns, no_buffer;
	struct inside_phase phase[INSIDE_PHASES];
	/* The caller's, read by the lane. */
	uint32_t load, phase_now;
	bool watched, stop;
	/* The lane adds, the caller takes. */
	uint64_t longest_ns;
};

uint64_t inside_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- the worker's lane ---- */

static uint16_t on_transmit(
	uint16_t port, uint16_t queue, struct rte_mbuf *mbufs[], uint16_t count, void *arg)
{
	struct inside *in = arg;

	__atomic_store_n(&in->last_copy_ns, inside_now_ns(), __ATOMIC_RELAXED);
	if (__atomic_load_n(&in->watched, __ATOMIC_ACQUIRE))
		__atomic_store_n(&in->watched_copies, in->watched_copies + count, __ATOMIC_RELAXED);
	return count;
}

/* The speaker's next slot packet, as the room's home worker would publish it. */
static void inject(struct inside *in)
{
	struct worker *worker = in->worker;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->config.pool);
	struct packet_meta *meta;
	uint8_t *payload;

	if (mbuf == NULL) {
		in->no_buffer++;
		return;
	}
	payload = (uint8_t *)rte_pktmbuf_append(mbuf, PAYLOAD);
	memset(payload, 0x5a, PAYLOAD);
	meta = packet_meta(mbuf);
	*meta = (struct packet_meta){.kind = PACKET_SLOT,
		.room_id = INSIDE_ROOM,
		.source = 0, /* the first leg's handle */
		.source_id = INSIDE_SPEAKER,
		.arrival_ns = inside_now_ns(),
		.slot = {.index = ++in->index_last,
			.ssrc = SLOT_SSRC,
			.timestamp = (uint32_t)in->index_last * 960,
			.csrc = 1,
			.payload = payload,
			.payload_size = PAYLOAD}};
	publish_local(worker, mbuf);
}

/* What a copy takes just now, commands aside, smoothed. */
static void learn(struct inside *in)
{
	const struct stn_worker_stats *stats = &in->worker->stats;
	uint64_t copies = stats->copies - in->seen_copies, ns;

	if (copies < SAMPLE_COPIES)
		return;
	ns = (stats->fanout_wait.sum_ns - in->seen_ns) * 256 / copies;
	in->ns_per_copy_256 = in->ns_per_copy_256 ? (7 * in->ns_per_copy_256 + ns) / 8 : ns;
	in->seen_copies = stats->copies;
	in->seen_ns = stats->fanout_wait.sum_ns;
}

static void feed(struct inside *in)
{
	uint32_t load = __atomic_load_n(&in->load, __ATOMIC_RELAXED);
	uint64_t now_ns;

	if (load == 0) {
		in->due_ns = 0;
	} else if (load >= 100) {
		if (in->worker->queue.job_count < 2)
			inject(in);
	} else {
		now_ns = inside_now_ns();
		learn(in);
		if (in->due_ns == 0)
			in->due_ns = now_ns;
		if (now_ns < in->due_ns)
			return;
		inject(in);
		/* The first one tells what a copy takes. */
		in->due_ns +=
			in->ns_per_copy_256 == 0
				? 10000000
				: in->worker->stats.legs * in->ns_per_copy_256 / 256 * 100 / load;
	}
}

static void count_wait(struct inside *in, uint64_t ns)
{
	struct inside_phase *phase = &in->phase[__atomic_load_n(&in->phase_now, __ATOMIC_ACQUIRE)];
	uint64_t us = ns / 1000;

	phase->wait[us < INSIDE_WAITS ? us : INSIDE_WAITS - 1]++;
	if (ns > phase->longest_ns)
		phase->longest_ns = ns;
	if (ns > __atomic_load_n(&in->longest_ns, __ATOMIC_RELAXED))
		__atomic_store_n(&in->longest_ns, ns, __ATOMIC_RELAXED);
}

static int lane_run(void *arg)
{
	struct inside *in = arg;
	uint64_t before = inside_now_ns(), now_ns;

	while (!__atomic_load_n(&in->stop, __ATOMIC_RELAXED)) {
		feed(in);
		worker_turn(in->worker);
		now_ns = inside_now_ns();
		count_wait(in, now_ns - before);
		before = now_ns;
		__atomic_store_n(&in->turns, in->turns + 1, __ATOMIC_RELEASE);
	}
	return 0;
}

/* ---- what the caller asks ---- */

void inside_load(struct inside *in, uint32_t percent)
{
	__atomic_store_n(&in->load, percent, __ATOMIC_RELAXED);
}

const struct inside_phase *inside_phase(struct inside *in, unsigned int phase)
{
	__atomic_store_n(&in->phase_now, phase, __ATOMIC_RELEASE);
	return &in->phase[phase];
}

uint64_t inside_longest_ns(struct inside *in)
{
	return __atomic_exchange_n(&in->longest_ns, 0, __ATOMIC_RELAXED);
}

uint64_t inside_lost(const struct inside *in)
{
	const volatile uint64_t *drop = in->worker->stats.drop;
	uint64_t packets = drop[STN_DROP_FANOUT_STALE] + drop[STN_DROP_PUBLISH_FULL] +
			   *(const volatile uint64_t *)&in->no_buffer;

	return drop[STN_DROP_TX_REFUSED] + drop[STN_DROP_TX_NO_BUFFER] + drop[STN_DROP_TX_STALE] +
	       packets * in->worker->stats.legs;
}

const struct stn_worker_stats *inside_stats(const struct inside *in)
{
	return &in->worker->stats;
}

uint64_t inside_last_copy_ns(const struct inside *in)
{
	return __atomic_load_n(&in->last_copy_ns, __ATOMIC_RELAXED);
}

void inside_watch(struct inside *in, bool watched)
{
	__atomic_store_n(&in->watched, watched, __ATOMIC_RELEASE);
}

uint64_t inside_watched(const struct inside *in)
{
	return __atomic_load_n(&in->watched_copies, __ATOMIC_RELAXED);
}

uint64_t inside_turns(const struct inside *in)
{
	return __atomic_load_n(&in->turns, __ATOMIC_ACQUIRE);
}

/* ---- the writer ---- */

static uint64_t next_random(struct inside *in)
{
	uint64_t z = in->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Blocks; the table server runs meanwhile. */
static int send_message(struct inside *in, uint16_t type, size_t size)
{
	struct stn_header *header = (struct stn_header *)in->message;

	*header = (struct stn_header){
		STN_TABLE_MAGIC, STN_TABLE_VERSION, type, (uint32_t)size, in->sequence, EPOCH};
	while (send(in->fd, in->message, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		table_server_poll(in->server, 0);
	}
	return 0;
}

static int flush(struct inside *in)
{
	size_t size = in->used;

	in->used = sizeof(struct stn_header);
	return size > in->used ? send_message(in, STN_MESSAGE_OPS, size) : 0;
}

static int add(struct inside *in, const void *op, size_t size)
{
	int error = 0;

	if (!in->begun) {
		in->sequence++;
		in->begun = true;
		in->used = sizeof(struct stn_header);
		error = send_message(in, STN_MESSAGE_BEGIN, sizeof(struct stn_header));
	}
	if (!error && in->used + size > sizeof(in->message))
		error = flush(in);
	if (error)
		return error;
	memcpy(in->message + in->used, op, size);
	in->used += size;
	return 0;
}

static void key_make(struct inside *in, struct stn_master_key *key)
{
	uint64_t words[4] = {next_random(in), next_random(in), next_random(in), next_random(in)};

	key->suite = STN_SUITE_AEAD_AES_128_GCM;
	memcpy(key->key, words, 16);
	memcpy(key->salt, words + 2, 12);
}

int inside_join(struct inside *in, uint32_t first, uint32_t count)
{
	int error = 0;

	for (uint32_t i = first; !error && i < first + count; i++) {
		uint32_t host = 1 + i / 32768;
		struct stn_op_leg_put op = {.op = {STN_OP_LEG_PUT, sizeof(op), 0},
			.leg_id = INSIDE_LISTENER + i,
			.room_id = INSIDE_ROOM,
			.role = STN_ROLE_LISTENER,
			.protection = STN_PROTECTION_LEG,
			.transport = STN_TRANSPORT_KEYED,
			.remote = {.family = 4,
				.port_be = rte_cpu_to_be_16((uint16_t)(1024 + i % 32768)),
				.address = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
					(uint8_t)host}}};

		key_make(in, &op.tx);
		error = add(in, &op, sizeof(op));
	}
	return error;
}

int inside_leave(struct inside *in, uint32_t first, uint32_t count)
{
	int error = 0;

	for (uint32_t i = first; !error && i < first + count; i++) {
		struct stn_op_leg_remove op = {
			{STN_OP_LEG_REMOVE, sizeof(op), 0}, INSIDE_LISTENER + i};

		error = add(in, &op, sizeof(op));
	}
	return error;
}

int inside_mute(struct inside *in, bool muted)
{
	struct stn_op_leg_mute op = {
		.op = {STN_OP_LEG_MUTE, sizeof(op), 0}, .leg_id = INSIDE_SPEAKER, .muted = muted};

	return add(in, &op, sizeof(op));
}

int inside_commit(struct inside *in, uint32_t *sequence)
{
	int error = flush(in);

	if (!error)
		error = send_message(in, STN_MESSAGE_COMMIT, sizeof(struct stn_header));
	in->begun = false;
	*sequence = in->sequence;
	return error;
}

int inside_poll(struct inside *in, struct inside_result *result)
{
	struct {
		struct stn_result result;
		uint8_t rest[4096];
	} message;
	ssize_t size;

	table_server_poll(in->server, 0);
	size = recv(in->fd, &message, sizeof(message), MSG_DONTWAIT);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (size == 0)
		return -ECONNRESET;
	if (message.result.header.type != STN_MESSAGE_RESULT)
		return 0;
	*result = (struct inside_result){
		message.result.header.sequence, message.result.status, inside_now_ns()};
	if (result->status == STN_STATUS_OK)
		return 1;
	fprintf(stderr, "stentor-bench: refused: %.128s\n", message.result.reason);
	return -EPROTO;
}

int inside_wait(struct inside *in, uint32_t sequence)
{
	uint64_t until_ns = inside_now_ns() + WAIT_NS;
	struct inside_result result;

	while (inside_now_ns() < until_ns) {
		int got = inside_poll(in, &result);

		if (got < 0 || (got > 0 && result.sequence == sequence))
			return got < 0 ? got : 0;
	}
	return -ETIMEDOUT;
}

static int connect_writer(struct inside *in)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stn_hello hello = {.header = {STN_TABLE_MAGIC, STN_TABLE_VERSION, STN_MESSAGE_HELLO,
					  sizeof(hello), 0, EPOCH},
		.role = STN_CLIENT_WRITER};

	in->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, in->socket);
	if (in->fd < 0 || connect(in->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(in->fd, &hello, sizeof(hello), MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static int program_room(struct inside *in)
{
	struct stn_op_room_put room = {.op = {STN_OP_ROOM_PUT, sizeof(room), 0},
		.room_id = INSIDE_ROOM,
		.slot_ssrc = {SLOT_SSRC},
		.slot_count = 1,
		.profile_count = 1,
		.profile = {{.payload_type = 111}}};
	struct stn_op_leg_put speaker = {.op = {STN_OP_LEG_PUT, sizeof(speaker), 0},
		.leg_id = INSIDE_SPEAKER,
		.room_id = INSIDE_ROOM,
		.role = STN_ROLE_SPEAKER,
		.protection = STN_PROTECTION_LEG,
		.transport = STN_TRANSPORT_KEYED,
		.payload_type = 111,
		.remote = {.family = 4, .port_be = 4242, .address = {11, 0, 0, 1}}};
	uint32_t sequence;
	int error;

	key_make(in, &speaker.tx);
	key_make(in, &speaker.rx);
	error = add(in, &room, sizeof(room));
	if (!error)
		error = add(in, &speaker, sizeof(speaker));
	if (!error)
		error = inside_commit(in, &sequence);
	return error ? error : inside_wait(in, sequence);
}

/* ---- opening ---- */

/* The same text an operator would write. Packets come as fast as they can be sent: no pace. */
static int config_make(struct inside *in, uint32_t listeners_max)
{
	struct option_source source = {.name = "stentor-bench"};
	struct option_error error;
	char text[512];
	int rc;

	source.text = text;
	source.size = (size_t)snprintf(text, sizeof(text),
		"dataplane = { legs_max = %u; rooms_max = 1; buffers = 8192; pace_us = 0;\n"
		"ports = ( { driver = \"null\"; addresses = [ \"192.0.2.1/24\" ];\n"
		"gateway_mac = \"02:00:00:00:00:02\"; } ); };",
		listeners_max + 16);
	rc = option_read(&dataplane_options, &source, &in->config, &error);
	if (rc < 0)
		fprintf(stderr, "stentor-bench: %s\n", error.text);
	return rc;
}

static int server_start(struct inside *in)
{
	struct worker_bus interface = bus_interface(in->bus);
	struct table_server_config config = {.path = in->socket,
		.allowed_uid = (uid_t)-1,
		.allowed_gid = (gid_t)-1,
		.index_path = in->index,
		.rooms_max = in->config.rooms_max,
		.legs_max = in->config.legs_max,
		.engine = in->worker->config.engine->name};

	strcpy(in->folder, "/tmp/stentor-bench-XXXXXX");
	if (mkdtemp(in->folder) == NULL)
		return -errno;
	snprintf(in->socket, sizeof(in->socket), "%s/table.sock", in->folder);
	snprintf(in->index, sizeof(in->index), "%s/index", in->folder);
	return table_server_open(&in->server, &config, &interface);
}

static int dataplane_start(struct inside *in)
{
	struct port_environment environment = {.config = &in->config, .pool = in->pool.buffers};
	const struct engine *engine = engine_find("auto");
	struct bus_config bus = {.port = &in->port, .port_count = 1};
	int rc = eal_start(&in->config);

	in->eal_started = rc == 0;
	if (rc == 0)
		rc = pool_buffers_open(&in->pool, &in->config);
	if (rc == 0)
		rc = port_open(&in->port, 0, &environment);
	if (rc == 0)
		rc = pool_open(&in->pool, &in->config, engine, &in->port);
	if (rc < 0)
		return rc;
	in->worker = in->pool.worker[0];
	bus.worker = in->pool.worker;
	bus.worker_count = in->pool.count;
	bus.pool = in->pool.buffers;
	bus.legs_max = in->config.legs_max;
	rc = bus_open(&in->bus, &bus);
	if (rc == 0 && rte_eth_add_tx_callback(in->port.port_id, 0, on_transmit, in) == NULL)
		rc = -ENOMEM;
	return rc == 0 ? server_start(in) : rc;
}

int inside_open(struct inside **out, uint32_t listeners_max)
{
	struct inside *in = calloc(1, sizeof(*in));
	int rc;

	if (in == NULL)
		return -ENOMEM;
	/* As the data plane's own main() has it. */
	(void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 128 << 20);
	in->fd = -1;
	in->random = inside_now_ns();
	in->index_last = 1000;
	rc = config_make(in, listeners_max);
	if (rc == 0)
		rc = dataplane_start(in);
	if (rc == 0) {
		rte_eal_remote_launch(lane_run, in, EAL_WORKER_LCORE(0));
		in->launched = true;
		rc = connect_writer(in);
	}
	if (rc == 0)
		rc = program_room(in);
	if (rc < 0) {
		inside_close(in);
		return rc;
	}
	*out = in;
	return 0;
}

void inside_close(struct inside *in)
{
	if (in == NULL)
		return;
	__atomic_store_n(&in->stop, true, __ATOMIC_RELAXED);
	if (in->launched)
		rte_eal_wait_lcore(EAL_WORKER_LCORE(0));
	if (in->fd >= 0)
		close(in->fd);
	pool_close(&in->pool);
	table_server_close(in->server);
	bus_close(in->bus);
	port_close(&in->port);
	pool_buffers_close(&in->pool);
	if (in->folder[0] != '\0') {
		unlink(in->index);
		rmdir(in->folder);
	}
	if (in->eal_started)
		eal_stop();
	free(in);
}
