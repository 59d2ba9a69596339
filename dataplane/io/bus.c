// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <rte_common.h>
#include <rte_mempool.h>
#include <rte_ring.h>

#define MEMORY_STEP (2ul << 20)
#define MEMORY_PAGE 4096ul
#define MEMORY_AHEAD (4ul << 20) /* thousands of legs */
#define MEMORY_LEGS_AHEAD (1ul << 20)
#define MEMORY_ADDS 64u /* joins between two looks at it */

_Static_assert(RTE_MBUF_DEFAULT_DATAROOM <= STN_DATAGRAM_MAX, "what was received fits");

/* What is remembered of a leg, to reach its worker when its next hop changes. */
struct bus_leg {
	uint32_t leg_id; /* the low half: enough to see that a handle is another's by now */
	uint16_t hop;    /* NEIGHBOUR_NO_HOP: its port's gateway */
	uint8_t worker;
	bool used;
};
_Static_assert(sizeof(struct bus_leg) == 8, "one for each leg there may be");

/* How many bytes of a worker's tables have memory. */
struct bus_memory {
	size_t arena, legs, locator;
};

struct bus {
	struct bus_config config;
	struct bus_leg *leg; /* by handle */
	uint8_t *changed;    /* by hop: its legs have to be told */
	bool scanning;       /* a scan over the legs is needed or under way */
	uint32_t scan_position;
	unsigned int poll_next; /* worker whose replies come first: none is starved */
	unsigned int punt_next; /* the same for its datagrams */
	unsigned int adds;
	struct bus_memory memory[STN_WORKERS_MAX];
};

struct destination {
	uint8_t port;
	uint16_t hop;
	bool known;
	uint8_t mac[6];
};

/* Through the first port with a fixed gateway, else where the kernel would send it. */
static int destination_find(
	struct bus *bus, const struct stn_address *remote, struct destination *out)
{
	unsigned int i, family = remote->family == 4 ? 0 : 1;
	const struct neighbour_hop *hop;
	int rc;

	for (i = 0; i < bus->config.port_count; i++) {
		const struct port *port = &bus->config.port[i];

		if (!port->gateway_known || port->local[family].family == 0)
			continue;
		*out = (struct destination){
			.port = (uint8_t)i, .hop = NEIGHBOUR_NO_HOP, .known = true};
		memcpy(out->mac, port->gateway_mac, sizeof(out->mac));
		return 0;
	}
	if (bus->config.neighbour == NULL)
		return -ENETUNREACH;
	rc = neighbour_resolve(bus->config.neighbour, remote, &out->hop);
	if (rc < 0)
		return rc;
	hop = neighbour_hop(bus->config.neighbour, out->hop);
	for (i = 0; i < bus->config.port_count; i++) {
		const struct port *port = &bus->config.port[i];

		if (port->ifindex != hop->ifindex || port->local[family].family == 0)
			continue;
		out->port = (uint8_t)i;
		out->known = hop->known;
		memcpy(out->mac, hop->mac, sizeof(out->mac));
		return 0;
	}
	return -ENETUNREACH;
}

/* No way there, but a port whose own address the leg's frames can have. */
static struct destination destination_none(const struct bus *bus, const struct stn_address *remote)
{
	struct destination none = {.hop = NEIGHBOUR_NO_HOP};
	unsigned int i, family = remote->family == 4 ? 0 : 1;

	for (i = 0; i < bus->config.port_count; i++)
		if (bus->config.port[i].local[family].family != 0) {
			none.port = (uint8_t)i;
			break;
		}
	return none;
}

static int bus_route(void *impl, const struct stn_address *remote)
{
	struct destination destination;

	return destination_find(impl, remote, &destination);
}

static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int enqueue(struct bus *bus, unsigned int worker, struct worker_message *message)
{
	struct rte_ring *ring = bus->config.worker[worker]->config.commands;

	return rte_ring_sp_enqueue_elem(ring, message, sizeof(*message)) < 0 ? -EAGAIN : 0;
}

/* From ready on, up to the end of a step of the address space. Returns what is ready then. */
static size_t populate(void *memory, size_t size, size_t ready)
{
	uintptr_t base = (uintptr_t)memory, end = RTE_MIN(base + size, base + ready + MEMORY_STEP);
	uintptr_t from = RTE_ALIGN_CEIL(base + ready, MEMORY_PAGE);

	if (end - base < size)
		end = RTE_ALIGN_FLOOR(end, MEMORY_STEP);
	/* Where the kernel cannot, the worker faults, as it would have. */
	if (RTE_ALIGN_FLOOR(end, MEMORY_PAGE) > from) {
		size_t length = RTE_ALIGN_FLOOR(end, MEMORY_PAGE) - from;

		(void)madvise((void *)from, length, MADV_HUGEPAGE);
		(void)madvise((void *)from, length, MADV_POPULATE_WRITE);
	}
	return end - base;
}

/*
 * Memory for what joins are about to take: the kernel zeroes a huge page in a tenth to a fifth of a
 * millisecond, which is ours to spend and not the worker's. Blocks and legs are taken from front to
 * back. The locator's cells are not: all of them, a step at a time, and for writing, as a page that
 * was read first is faulted twice, and the second time another core is interrupted.
 */
static void prepare_memory(struct bus *bus, unsigned int worker, uint32_t leg)
{
	const struct worker *to = bus->config.worker[worker];
	size_t used = __atomic_load_n(&to->arena.used, __ATOMIC_RELAXED);
	size_t legs = to->config.legs_max * sizeof(*to->leg);
	size_t cells = to->locator.cells * sizeof(*to->locator.cell);
	struct bus_memory *ready = &bus->memory[worker];

	if (ready->arena < used)
		ready->arena = RTE_ALIGN_FLOOR(used, MEMORY_STEP);
	while (ready->arena < used + MEMORY_AHEAD &&
		ready->arena + MEMORY_STEP <= to->config.arena_size)
		ready->arena = populate(to->arena_memory, to->config.arena_size, ready->arena);
	while (ready->legs < legs && ready->legs < leg * sizeof(*to->leg) + MEMORY_LEGS_AHEAD)
		ready->legs = populate(to->leg, legs, ready->legs);
	if (ready->locator < cells)
		ready->locator = populate(to->locator.cell, cells, ready->locator);
}

/* Behind the command: the worker may be ahead of the count for a moment, which hurries nobody. */
static void hurry(uint64_t *count)
{
	__atomic_store_n(count, *count + 1, __ATOMIC_RELEASE);
}

static int bus_post(void *impl, unsigned int worker, const struct command *command)
{
	struct worker_message message = {.command = *command};
	struct destination destination;
	struct bus *bus = impl;
	int rc;

	if (command->type == COMMAND_LEG_ADD) {
		const struct leg_facts *facts = command->leg;

		if (bus->adds++ % MEMORY_ADDS == 0)
			prepare_memory(bus, worker, facts->leg);
		/* A browser's first check will tell, or its route went away: then it is held back.
		 */
		if (facts->remote.family == 0 ||
			destination_find(bus, &facts->remote, &destination) < 0)
			destination = destination_none(bus, &facts->remote);
		message.port = destination.port;
		message.mac_known = destination.known;
		memcpy(message.mac, destination.mac, sizeof(message.mac));
		rc = enqueue(bus, worker, &message);
		if (rc == 0)
			bus->leg[facts->leg] = (struct bus_leg){.used = true,
				.leg_id = (uint32_t)facts->leg_id,
				.hop = destination.hop,
				.worker = (uint8_t)facts->worker};
		return rc;
	}
	if (command->type == COMMAND_LEG_MUTE)
		message.posted_ns = clock_ns();
	rc = enqueue(bus, worker, &message);
	if (rc < 0)
		return rc;
	if (command->type == COMMAND_LEG_REMOVE) {
		bus->leg[command->handle].used = false;
		hurry(&bus->config.worker[worker]->urgent.removals);
	} else if (command->type == COMMAND_LEG_MUTE) {
		hurry(&bus->config.worker[worker]->urgent.mutes);
	}
	return 0;
}

static bool bus_poll_reply(void *impl, struct reply *reply)
{
	struct bus *bus = impl;
	unsigned int i, worker;

	for (i = 0; i < bus->config.worker_count; i++) {
		worker = (bus->poll_next + i) % bus->config.worker_count;
		if (rte_ring_sc_dequeue_elem(bus->config.worker[worker]->config.replies, reply,
			    sizeof(*reply)) == 0) {
			bus->poll_next = worker + 1;
			return true;
		}
	}
	return false;
}

static unsigned int bus_worker_of(void *impl, const struct stn_address *remote)
{
	const struct bus *bus = impl;

	return worker_owner(
		&bus->config.worker[0]->config.hash_key, remote, bus->config.worker_count);
}

static unsigned int bus_worker_of_leg(void *impl, uint64_t leg_id)
{
	const struct bus *bus = impl;

	return worker_owner_leg(
		&bus->config.worker[0]->config.hash_key, leg_id, bus->config.worker_count);
}

static struct rte_mbuf *punt_take(struct bus *bus)
{
	struct rte_mbuf *mbuf;
	unsigned int i, worker;

	for (i = 0; i < bus->config.worker_count; i++) {
		worker = (bus->punt_next + i) % bus->config.worker_count;
		if (rte_ring_sc_dequeue(bus->config.worker[worker]->config.punts, (void **)&mbuf) ==
			0) {
			bus->punt_next = worker + 1;
			return mbuf;
		}
	}
	return NULL;
}

static bool bus_datagram_poll(void *impl, struct bus_datagram *out)
{
	struct rte_mbuf *mbuf = punt_take(impl);
	const struct packet_meta *meta;

	if (mbuf == NULL)
		return false;
	meta = packet_meta(mbuf);
	out->leg = meta->source;
	out->leg_id = meta->source_id;
	out->remote = meta->datagram.remote;
	/* A buffer is no larger, headers included. */
	out->size = meta->datagram.payload_size;
	memcpy(out->bytes, rte_pktmbuf_mtod_offset(mbuf, uint8_t *, meta->datagram.payload_offset),
		out->size);
	rte_pktmbuf_free(mbuf);
	return true;
}

static int bus_datagram_send(void *impl, unsigned int worker, const struct bus_datagram *datagram)
{
	struct bus *bus = impl;
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(bus->config.pool[worker]);
	struct packet_meta *meta;
	char *bytes;

	if (mbuf == NULL)
		return -EAGAIN;
	bytes = rte_pktmbuf_append(mbuf, (uint16_t)datagram->size);
	if (bytes == NULL) {
		rte_pktmbuf_free(mbuf);
		return -EMSGSIZE;
	}
	memcpy(bytes, datagram->bytes, datagram->size);
	meta = packet_meta(mbuf);
	meta->kind = PACKET_DTLS;
	meta->source = datagram->leg;
	meta->source_id = datagram->leg_id;
	meta->datagram.remote = datagram->remote;
	if (rte_ring_sp_enqueue(bus->config.worker[worker]->config.datagrams, mbuf) == 0)
		return 0;
	rte_pktmbuf_free(mbuf);
	return -EAGAIN;
}

static bool bus_reachable(void *impl, uint32_t leg)
{
	const struct bus *bus = impl;
	uint16_t hop = bus->leg[leg].hop;

	return hop == NEIGHBOUR_NO_HOP || neighbour_hop(bus->config.neighbour, hop)->known;
}

/* What the kernel dropped for us is nobody's work; it stands with the first worker. */
static void steer_stats(const struct bus *bus, struct stn_worker_stats *out)
{
	static const enum stn_drop reasons[STEER_COUNTER_COUNT] = {
		[STEER_DROP_NO_SOCKET] = STN_DROP_STEER_NO_SOCKET,
		[STEER_DROP_FRAGMENT] = STN_DROP_STEER_FRAGMENT,
		[STEER_DROP_EXTENSION] = STN_DROP_STEER_EXTENSION,
		[STEER_DROP_BAD_LENGTH] = STN_DROP_STEER_BAD_LENGTH,
		[STEER_DROP_RATE] = STN_DROP_STEER_RATE,
	};
	uint64_t counters[STEER_COUNTER_COUNT];
	unsigned int i, c;

	for (i = 0; i < bus->config.port_count; i++) {
		const struct steer *steer = bus->config.port[i].steer;

		if (steer == NULL || steer_counters(steer, counters) < 0)
			continue;
		for (c = STEER_DROP_NO_SOCKET; c < STEER_COUNTER_COUNT; c++)
			out->drop[reasons[c]] += counters[c];
	}
}

static void waits_fold(const struct worker *worker, struct stn_worker_stats *out)
{
	unsigned int i;

	histogram_fold(
		&worker->first_copy, stn_wait_bounds_us, STN_BUCKETS_MAX - 1, out->first_copy);
	out->first_copy_sum_ns = worker->first_copy.sum_ns;
	for (i = 0; i < STN_ROOM_SIZES; i++) {
		histogram_fold(&worker->last_copy[i], stn_wait_bounds_us, STN_BUCKETS_MAX - 1,
			out->last_copy[i]);
		out->last_copy_sum_ns[i] = worker->last_copy[i].sum_ns;
	}
}

static void bus_stats(void *impl, unsigned int worker, struct stn_worker_stats *out)
{
	const struct bus *bus = impl;
	const uint64_t *from = (const uint64_t *)&bus->config.worker[worker]->stats;
	uint64_t *to = (uint64_t *)out;
	size_t i;

	_Static_assert(sizeof(*out) % sizeof(uint64_t) == 0, "copied word by word");
	for (i = 0; i < sizeof(*out) / sizeof(uint64_t); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	waits_fold(bus->config.worker[worker], out);
	out->mbufs_in_use = rte_mempool_in_use_count(bus->config.pool[worker]);
	if (worker == 0)
		steer_stats(bus, out);
}

static void hop_changed(void *arg, uint16_t hop, const struct neighbour_hop *facts)
{
	struct bus *bus = arg;

	bus->changed[hop] = 1;
	bus->scanning = true;
	bus->scan_position = 0;
}

static int leg_tell(struct bus *bus, uint32_t handle)
{
	const struct bus_leg *leg = &bus->leg[handle];
	const struct neighbour_hop *hop = neighbour_hop(bus->config.neighbour, leg->hop);
	struct worker_message message = {
		.command = {.type = COMMAND_NEIGHBOUR, .handle = handle, .value = leg->leg_id}};

	message.command.neighbour.known = true;
	memcpy(message.command.neighbour.mac, hop->mac, sizeof(hop->mac));
	return enqueue(bus, leg->worker, &message);
}

/* Tells every leg behind a changed hop; goes on at the next poll when a ring is full. */
static void scan(struct bus *bus)
{
	for (; bus->scan_position < bus->config.legs_max; bus->scan_position++) {
		const struct bus_leg *leg = &bus->leg[bus->scan_position];

		if (!leg->used || leg->hop == NEIGHBOUR_NO_HOP || !bus->changed[leg->hop])
			continue;
		if (leg_tell(bus, bus->scan_position) < 0)
			return;
	}
	memset(bus->changed, 0, NEIGHBOUR_HOPS_MAX);
	bus->scanning = false;
}

void bus_poll(struct bus *bus)
{
	if (bus->config.neighbour == NULL)
		return;
	neighbour_poll(bus->config.neighbour, hop_changed, bus);
	if (bus->scanning)
		scan(bus);
}

int bus_open(struct bus **out, const struct bus_config *config)
{
	struct bus *bus = calloc(1, sizeof(*bus));

	if (bus == NULL)
		return -ENOMEM;
	bus->config = *config;
	bus->leg = calloc(config->legs_max, sizeof(*bus->leg));
	bus->changed = calloc(NEIGHBOUR_HOPS_MAX, 1);
	if (bus->leg == NULL || bus->changed == NULL) {
		bus_close(bus);
		return -ENOMEM;
	}
	*out = bus;
	return 0;
}

void bus_close(struct bus *bus)
{
	if (bus == NULL)
		return;
	free(bus->leg);
	free(bus->changed);
	free(bus);
}

struct worker_bus bus_interface(struct bus *bus)
{
	return (struct worker_bus){
		.impl = bus,
		.worker_count = bus->config.worker_count,
		.post = bus_post,
		.poll = bus_poll_reply,
		.worker_of = bus_worker_of,
		.worker_of_leg = bus_worker_of_leg,
		.route = bus_route,
		.reachable = bus_reachable,
		.datagram_poll = bus_datagram_poll,
		.datagram_send = bus_datagram_send,
		.stats = bus_stats,
	};
}
