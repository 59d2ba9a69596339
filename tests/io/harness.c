// SPDX-License-Identifier: BSD-3-Clause
#include "tests/io/harness.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "configs/log.h"
#include "dataplane/io/packet.h"

#define RECEIVE_FRAMES 4096u
#define START_S 1700000000
#define LOOK_NS 1000u
#define TURN_NS 50000u
#define GATEWAY "02:00:00:00:00:02"

static const uint8_t gateway[6] = {2, 0, 0, 0, 0, 2};

/* 0: the machine's. Else as long as a look at it and a turn take, on any machine. */
static uint64_t scene_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

/* Linked in place of clock_gettime(); CLOCK_REALTIME is the same, START_S later. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	if (scene_ns == 0)
		return __real_clock_gettime(clock, time);
	scene_ns += LOOK_NS;
	time->tv_sec = (time_t)(scene_ns / 1000000000u) + (clock == CLOCK_REALTIME ? START_S : 0);
	time->tv_nsec = (long)(scene_ns % 1000000000u);
	return 0;
}

uint64_t harness_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

void harness_pass(uint64_t ns)
{
	scene_ns += ns;
}

static unsigned int either(unsigned int value, unsigned int fallback)
{
	return value ? value : fallback;
}

static void config_make(struct harness *h)
{
	const struct harness_options *o = &h->options;
	struct option_source source = {.name = "harness"};
	struct option_error error;
	char text[1024];

	source.text = text;
	source.size = (size_t)snprintf(text, sizeof(text),
		"dataplane = { workers = %u; legs_max = %u; rooms_max = %u; buffers = %u;\n"
		"huge_pages = \"never\"; slice_copies = %u; stale_ms = %u; preroll_ms = %d;\n"
		"pace_us = %u; pace_burst_copies = %u;\n"
		"ports = ( { driver = \"%s\"; device = \"%s\"; output = \"%s\"; vlan = %u; mtu = "
		"%u; %s\n"
		"addresses = [ \"192.0.2.1/24\", \"2001:db8::1/64\" ]; } ); };",
		either(o->workers, 1), either(o->legs_max, HARNESS_PEERS_MAX),
		either(o->rooms_max, HARNESS_ROOMS_MAX), either(o->buffers, 4096),
		either(o->slice_copies, 256), either(o->stale_ms, 200),
		o->preroll_ms == 0  ? 120
		: o->preroll_ms < 0 ? 0
				    : o->preroll_ms,
		either(o->pace_us, 10000), either(o->pace_burst_copies, 16384),
		o->driver ? o->driver : "ring", o->file_in ? o->file_in : "",
		o->file_out ? o->file_out : "", o->vlan, either(o->mtu, 1500),
		o->no_gateway ? "" : "gateway_mac = \"" GATEWAY "\";");
	if (option_read(&dataplane_options, &source, &h->config, &error) == 0)
		return;
	fprintf(stderr, "harness: %s\n", error.text);
	abort();
}

static void port_make(struct harness *h)
{
	struct port_environment environment = {.config = &h->config, .pool = h->pool.buffers};
	uint16_t frames = (uint16_t)either(h->options.transmit_frames, 32768), q;
	struct rte_eth_conf conf = {0};
	char name[32];
	int id;

	/* Addresses, next hop and MAC are the port's own work; only the rings are ours. */
	ck_assert_int_eq(port_open(&h->port, 0, &environment), 0);
	h->own_port = h->port.port_id;
	if (h->options.driver != NULL)
		return;
	for (q = 0; q < h->config.workers; q++) {
		snprintf(name, sizeof(name), "receive%u", q);
		h->receive[q] = rte_ring_create(name, RECEIVE_FRAMES, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "transmit%u", q);
		h->transmit[q] = rte_ring_create(name, frames, SOCKET_ID_ANY, 0);
		ck_assert(h->receive[q] != NULL && h->transmit[q] != NULL);
	}
	id = rte_eth_from_rings(
		"harness", h->receive, h->config.workers, h->transmit, h->config.workers, 0);
	ck_assert_int_ge(id, 0);
	h->ring_port = (uint16_t)id;
	ck_assert_int_eq(rte_eth_dev_configure(h->ring_port, (uint16_t)h->config.workers,
				 (uint16_t)h->config.workers, &conf),
		0);
	for (q = 0; q < h->config.workers; q++) {
		ck_assert_int_eq(rte_eth_rx_queue_setup(h->ring_port, q, 512, SOCKET_ID_ANY, NULL,
					 h->pool.buffers[q]),
			0);
		ck_assert_int_eq(
			rte_eth_tx_queue_setup(h->ring_port, q, 512, SOCKET_ID_ANY, NULL), 0);
	}
	ck_assert_int_eq(rte_eth_dev_start(h->ring_port), 0);
	h->port.port_id = h->ring_port;
}

static const struct engine *engine_of(const struct harness_options *options)
{
	return options->engine != NULL ? options->engine : engine_find("auto");
}

struct harness *harness_open(const struct harness_options *options)
{
	struct harness *h = calloc(1, sizeof(*h));
	struct bus_config bus = {.port_count = 1};

	ck_assert_ptr_nonnull(h);
	h->options = *options;
	h->engine = engine_of(options);
	random_seed(&h->random);
	scene_ns = harness_now_ns();
	config_make(h);
	ck_assert_int_eq(eal_start(&h->config), 0);
	/* libsrtp is initialised once a process, by whoever comes first. */
	ck_assert(engine_libsrtp.available());
	ck_assert_int_eq(pool_buffers_open(&h->pool, &h->config), 0);
	port_make(h);
	ck_assert_int_eq(pool_open(&h->pool, &h->config, h->engine, &h->port), 0);
	bus.worker = h->pool.worker;
	bus.worker_count = h->pool.count;
	bus.port = &h->port;
	bus.pool = h->pool.buffers;
	bus.legs_max = h->config.legs_max;
	ck_assert_int_eq(bus_open(&h->bus, &bus), 0);
	h->interface = bus_interface(h->bus);
	return h;
}

static void deliver(struct harness *h, const uint8_t *frame, unsigned int size)
{
	struct wire wire;
	const char *wrong = wire_parse(frame, size, &wire);
	unsigned int i;

	ck_assert_msg(wrong == NULL, "%s", wrong);
	ck_assert_mem_eq(wire.source_mac, h->port.mac, 6);
	ck_assert_uint_eq(wire.vlan, h->options.vlan);
	ck_assert_uint_eq(wire.dscp, 46);
	ck_assert_mem_eq(
		&wire.source, &h->port.local[wire.source.family == 4 ? 0 : 1], sizeof(wire.source));
	ck_assert_uint_eq(wire.source.port_be, htons(40000));
	if (harness_browser_take(h, &wire, size))
		return;
	ck_assert_mem_eq(wire.destination_mac, gateway, sizeof(gateway));
	for (i = 0; i < h->peer_count; i++) {
		struct peer *peer = h->peer[i];

		if (peer->browser != NULL || memcmp(&peer->facts.remote, &wire.destination,
						     sizeof(wire.destination)) != 0)
			continue;
		peer_take(peer, wire.payload, wire.payload_size);
		return;
	}
	h->lost++;
}

static void take(struct harness *h, unsigned int queue)
{
	struct rte_mbuf *mbuf;

	while (!h->closed_port && h->transmit[queue] != NULL &&
		rte_ring_dequeue(h->transmit[queue], (void **)&mbuf) == 0) {
		ck_assert_uint_eq(mbuf->nb_segs, 1);
		ck_assert_uint_eq(mbuf->pkt_len, mbuf->data_len);
		h->taken++;
		deliver(h, rte_pktmbuf_mtod(mbuf, const uint8_t *), mbuf->data_len);
		rte_pktmbuf_free(mbuf);
	}
}

static void replies_read(struct harness *h)
{
	struct bus_datagram datagram;
	struct reply reply;

	while (!h->closed_punts && h->interface.datagram_poll(h->interface.impl, &datagram))
		harness_punted(h, &datagram);
	while (!h->closed_replies && h->interface.poll(h->interface.impl, &reply)) {
		if (reply.type == REPLY_FENCE) {
			h->fences += reply.value == h->token;
			continue;
		}
		harness_moved(h, &reply);
		ck_assert_uint_lt(h->reply_count, HARNESS_REPLIES_MAX);
		h->reply[h->reply_count++] = reply;
	}
}

unsigned int harness_turn_one(struct harness *h, unsigned int worker)
{
	unsigned int done = worker_turn(h->pool.worker[worker]);

	harness_pass(TURN_NS);
	take(h, worker);
	replies_read(h);
	return done;
}

unsigned int harness_turn(struct harness *h)
{
	unsigned int i, done = 0;

	for (i = 0; i < h->pool.count; i++)
		done += harness_turn_one(h, i);
	return done;
}

void harness_settle(struct harness *h)
{
	uint64_t deadline = harness_now_ns() + 40000000000ull;

	while (harness_turn(h) != 0)
		ck_assert_msg(harness_now_ns() < deadline, "the workers do not come to rest");
}

void harness_post(struct harness *h, unsigned int worker, const struct command *command)
{
	uint64_t deadline = harness_now_ns() + 5000000000ull;

	while (h->interface.post(h->interface.impl, worker, command) < 0) {
		ck_assert_msg(harness_now_ns() < deadline, "the command ring stays full");
		harness_turn_one(h, worker);
	}
}

void harness_post_all(struct harness *h, const struct command *command)
{
	unsigned int i;

	for (i = 0; i < h->pool.count; i++)
		harness_post(h, i, command);
}

void harness_fence(struct harness *h)
{
	struct command command = {.type = COMMAND_FENCE, .value = ++h->token};

	h->fences = 0;
	harness_post_all(h, &command);
	harness_until(h, h->fences == h->pool.count);
}

unsigned int harness_refusals(const struct harness *h)
{
	unsigned int i, count = 0;

	for (i = 0; i < h->reply_count; i++)
		count += h->reply[i].type == REPLY_REFUSED;
	return count;
}

void harness_frame(struct harness *h, unsigned int worker, const uint8_t *frame, unsigned int size)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(h->pool.buffers[worker]);
	char *data;

	ck_assert_ptr_nonnull(mbuf);
	data = rte_pktmbuf_append(mbuf, (uint16_t)size);
	ck_assert_ptr_nonnull(data);
	memcpy(data, frame, size);
	ck_assert_int_eq(rte_ring_enqueue(h->receive[worker], mbuf), 0);
	h->sent++;
}

struct wire harness_wire(const struct harness *h, const struct stn_address *from,
	const uint8_t *datagram, unsigned int size)
{
	struct wire wire = {.vlan = (uint16_t)h->options.vlan,
		.source = *from,
		.destination = h->port.local[from->family == 4 ? 0 : 1],
		.payload = datagram,
		.payload_size = size};

	memcpy(wire.source_mac, gateway, 6);
	memcpy(wire.destination_mac, h->port.mac, 6);
	return wire;
}

void harness_datagram(struct harness *h, const struct peer *peer, unsigned int worker,
	const uint8_t *datagram, unsigned int size)
{
	struct browser_place *place =
		peer->browser != NULL ? &peer->browser->place[peer->browser->at] : NULL;
	struct wire wire = harness_wire(
		h, place != NULL ? &place->address : &peer->facts.remote, datagram, size);
	uint8_t frame[WIRE_MAX];
	unsigned int frame_size;

	if (place != NULL)
		memcpy(wire.source_mac, place->mac, sizeof(wire.source_mac));
	frame_size = wire_build(&wire, frame);
	if (place != NULL && !place->proven)
		place->sent += frame_size - 14;
	harness_frame(h, worker, frame, frame_size);
}

void harness_speak(struct harness *h, struct peer *speaker, const char *payload)
{
	uint8_t packet[PACKET_MAX];
	unsigned int size =
		peer_packet(speaker, 0x80 | 20, payload, (unsigned int)strlen(payload), packet);

	harness_datagram(h, speaker, speaker->facts.worker, packet, size);
}

struct stn_worker_stats harness_stats(const struct harness *h)
{
	struct stn_worker_stats total = {0};
	unsigned int i, reason;

	for (i = 0; i < h->pool.count; i++) {
		struct stn_worker_stats stats;

		h->interface.stats(h->interface.impl, i, &stats);
		total.rx_packets += stats.rx_packets;
		total.forwarded += stats.forwarded;
		total.answered += stats.answered;
		total.punted += stats.punted;
		total.stun_sent += stats.stun_sent;
		total.dtls_sent += stats.dtls_sent;
		total.rtcp_sent += stats.rtcp_sent;
		total.retransmitted += stats.retransmitted;
		total.control_refused += stats.control_refused;
		total.slot_packets += stats.slot_packets;
		total.copies += stats.copies;
		total.tx_packets += stats.tx_packets;
		total.legs += stats.legs;
		total.rooms += stats.rooms;
		for (reason = 0; reason < STN_DROPS_MAX; reason++)
			total.drop[reason] += stats.drop[reason];
	}
	return total;
}

uint64_t harness_drops(const struct harness *h, enum stn_drop reason)
{
	return harness_stats(h).drop[reason];
}

bool harness_possible(void)
{
	struct harness_options options = {0};
	struct harness h = {.options = options};
	int status;
	pid_t child = fork();

	if (child == 0) {
		config_make(&h);
		_exit(eal_start(&h.config) == 0 ? 0 : 1);
	}
	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int harness_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!harness_possible()) {
		fprintf(stderr, "skipped: DPDK does not start here\n");
		srunner_free(runner);
		return HARNESS_SKIPPED;
	}
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
