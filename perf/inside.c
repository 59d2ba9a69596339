// SPDX-License-Identifier: BSD-3-Clause
#include "perf/inside.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include "dataplane/ctl/server.h"
#include "dataplane/io/bus.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/pool.h"
#include "dataplane/io/port.h"
#include "perf/lane.h"

#define EPOCH 1u
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
	struct lane lane[STN_WORKERS_MAX];
	bool shared; /* a lane has this thread's CPU as well */
};

/* With as many lanes as CPUs one of them waits for this thread, and this thread for it. */
static void yield_cpu(const struct inside *in)
{
	if (in->shared)
		sched_yield();
}

/* ---- what the caller asks ---- */

uint64_t inside_now_ns(void)
{
	return lane_now_ns();
}

void inside_load(struct inside *in, uint32_t percent)
{
	for (unsigned int i = 0; i < in->pool.count; i++)
		__atomic_store_n(&in->lane[i].load, percent, __ATOMIC_RELAXED);
}

/* The turn under way is still counted where it began, so two are waited for. */
static void turn_over(const struct inside *in, const struct lane *lane)
{
	uint64_t until = __atomic_load_n(&lane->turns, __ATOMIC_ACQUIRE) + 2;

	while (__atomic_load_n(&lane->turns, __ATOMIC_ACQUIRE) < until)
		yield_cpu(in);
}

void inside_phase(struct inside *in, unsigned int phase)
{
	for (unsigned int i = 0; i < in->pool.count; i++)
		__atomic_store_n(&in->lane[i].phase_now, phase, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < in->pool.count; i++)
		turn_over(in, &in->lane[i]);
}

const struct wait_phase *inside_counted(const struct inside *in, unsigned int phase)
{
	return &in->lane[0].phase[phase];
}

void inside_rest(struct inside *in, bool rests)
{
	for (unsigned int i = 0; i < in->pool.count; i++)
		__atomic_store_n(&in->lane[i].rests, rests, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < in->pool.count; i++)
		turn_over(in, &in->lane[i]);
}

uint64_t inside_longest_ns(struct inside *in)
{
	return __atomic_exchange_n(&in->lane[0].longest_ns, 0, __ATOMIC_RELAXED);
}

static uint64_t lost(const struct lane *lane)
{
	const volatile uint64_t *drop = lane->worker->stats.drop;
	uint64_t packets = drop[STN_DROP_FANOUT_STALE] + drop[STN_DROP_PUBLISH_FULL] +
			   *(const volatile uint64_t *)&lane->no_buffer;

	return drop[STN_DROP_TX_REFUSED] + drop[STN_DROP_TX_NO_BUFFER] + drop[STN_DROP_TX_STALE] +
	       packets * lane->worker->stats.legs;
}

uint64_t inside_lost(const struct inside *in)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < in->pool.count; i++)
		sum += lost(&in->lane[i]);
	return sum;
}

struct inside_totals inside_totals(const struct inside *in)
{
	struct inside_totals totals = {0};

	for (unsigned int i = 0; i < in->pool.count; i++) {
		const struct stn_worker_stats *stats = &in->lane[i].worker->stats;

		totals.copies += stats->tx_packets;
		totals.commands += stats->commands;
		totals.command_ns += stats->command_wait.sum_ns;
		if (stats->command_wait.max_ns > totals.command_max_ns)
			totals.command_max_ns = stats->command_wait.max_ns;
	}
	return totals;
}

const struct stn_worker_stats *inside_stats(const struct inside *in)
{
	return &in->lane[0].worker->stats;
}

bool inside_is_alone(const struct inside *in)
{
	return !in->lane[0].yields;
}

uint64_t inside_faults(const struct inside *in)
{
	int thread = __atomic_load_n(&in->lane[0].thread, __ATOMIC_ACQUIRE);
	char path[64], text[512], *rest;
	unsigned long long minor = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	rest = strrchr(text, ')');
	if (rest == NULL || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %llu", &minor) != 1)
		return 0;
	return minor;
}

uint64_t inside_last_copy_ns(const struct inside *in)
{
	return __atomic_load_n(&in->lane[0].last_copy_ns, __ATOMIC_RELAXED);
}

void inside_watch(struct inside *in, bool watched)
{
	__atomic_store_n(&in->lane[0].watched, watched, __ATOMIC_RELEASE);
}

uint64_t inside_watched(const struct inside *in)
{
	return __atomic_load_n(&in->lane[0].watched_copies, __ATOMIC_RELAXED);
}

uint64_t inside_turns(const struct inside *in)
{
	return __atomic_load_n(&in->lane[0].turns, __ATOMIC_ACQUIRE);
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
		yield_cpu(in);
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

	yield_cpu(in);
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
		.slot_ssrc = {LANE_SLOT_SSRC},
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
static int config_make(struct inside *in, const struct inside_size *size)
{
	struct option_source source = {.name = "stentor-bench"};
	struct option_error error;
	char text[512];
	int rc;

	source.text = text;
	source.size = (size_t)snprintf(text, sizeof(text),
		"dataplane = { workers = %u; legs_max = %u; rooms_max = 1; buffers = 8192; pace_us "
		"= 0;\n"
		"ports = ( { driver = \"null\"; addresses = [ \"192.0.2.1/24\" ];\n"
		"gateway_mac = \"02:00:00:00:00:02\"; } ); };",
		size->workers, size->listeners_max + 16);
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
		.engine = in->lane[0].worker->config.engine->name};

	strcpy(in->folder, "/tmp/stentor-bench-XXXXXX");
	if (mkdtemp(in->folder) == NULL)
		return -errno;
	snprintf(in->socket, sizeof(in->socket), "%s/table.sock", in->folder);
	snprintf(in->index, sizeof(in->index), "%s/index", in->folder);
	return table_server_open(&in->server, &config, &interface);
}

/* Touched, so that the lane does not fault in what it notes in. */
static int lanes_make(struct inside *in)
{
	const size_t size = INSIDE_PHASES * sizeof(struct wait_phase);

	for (unsigned int i = 0; i < in->pool.count; i++) {
		struct worker *worker = in->pool.worker[i];
		rte_cpuset_t lane = rte_lcore_cpuset(EAL_WORKER_LCORE(i));
		rte_cpuset_t main = rte_lcore_cpuset(EAL_MAIN_LCORE);

		in->lane[i] = (struct lane){.worker = worker,
			.phase = malloc(size),
			.yields = CPU_EQUAL(&lane, &main),
			.room_id = INSIDE_ROOM,
			.source_id = INSIDE_SPEAKER,
			.index_last = 1000};
		in->shared |= in->lane[i].yields;
		if (in->lane[i].phase == NULL)
			return -ENOMEM;
		memset(in->lane[i].phase, 0, size);
		if (rte_eth_add_tx_callback(in->port.port_id, worker->config.port[0].tx_queue,
			    lane_on_transmit, &in->lane[i]) == NULL)
			return -ENOMEM;
	}
	return 0;
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
	rc = lanes_make(in);
	if (rc < 0)
		return rc;
	bus.worker = in->pool.worker;
	bus.worker_count = in->pool.count;
	bus.pool = in->pool.buffers;
	bus.legs_max = in->config.legs_max;
	rc = bus_open(&in->bus, &bus);
	return rc == 0 ? server_start(in) : rc;
}

int inside_open(struct inside **out, const struct inside_size *size)
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
	rc = config_make(in, size);
	if (rc == 0)
		rc = dataplane_start(in);
	if (rc == 0) {
		for (unsigned int i = 0; i < in->pool.count; i++)
			rte_eal_remote_launch(lane_run, &in->lane[i], EAL_WORKER_LCORE(i));
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
	for (unsigned int i = 0; i < in->pool.count; i++)
		__atomic_store_n(&in->lane[i].stop, true, __ATOMIC_RELAXED);
	for (unsigned int i = 0; in->launched && i < in->pool.count; i++) {
		/* Waiting by spinning would keep a lane that shares this CPU from ending. */
		while (rte_eal_get_lcore_state(EAL_WORKER_LCORE(i)) == RUNNING)
			usleep(100);
		rte_eal_wait_lcore(EAL_WORKER_LCORE(i));
	}
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
	for (unsigned int i = 0; i < STN_WORKERS_MAX; i++)
		free(in->lane[i].phase);
	free(in);
}
