// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/pool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_mbuf_pool_ops.h>

#include "configs/log.h"
#include "dataplane/io/eal.h"

/*
 * Memory reserved for leg blocks, touched only as legs come: 1.3 KiB a leg with the widest keys,
 * and a block that is not full for each kind of leg in each room: suites, families, profiles.
 */
/* An eighth of the buffers may wait to be asked for again. */
#define HISTORY_SHARE 8
/* What waits for its fan-out holds buffers too, and copies need some. */
#define JOBS_SHARE 4
#define ARENA_BYTES_PER_LEG 1408ull
#define ARENA_BYTES_PER_BLOCK (ARENA_BYTES_PER_LEG * ENGINE_BLOCK_LEGS)
#define ARENA_KINDS_PER_ROOM 8ull
#define BUFFER_CACHE 256u
#define HUGE_PAGE (2ul << 20)
#define COMMANDS_SIZE 8192u
#define REPLIES_SIZE 8192u

static void memory_free(struct rte_mempool_memhdr *memory, void *size)
{
	munmap(memory->addr, (size_t)(uintptr_t)size);
}

/*
 * Without reserved huge pages EAL's memory is a file, which the kernel does not back with
 * transparent ones; anonymous memory it does. Worth the trouble: the buffers of one run lie on a
 * hundred small pages, more than the first-level TLB holds, which doubles the time of a group copy
 * (33 against 15 ns in stentor-bench fanout --suite group).
 */
static int buffers_populate(struct rte_mempool *buffers, unsigned int count)
{
	size_t chunk, align, size;
	void *memory;
	int rc;

	if (rte_eal_has_hugepages())
		return rte_mempool_populate_default(buffers);
	size = (size_t)rte_mempool_op_calc_mem_size_default(buffers, count, 0, &chunk, &align);
	size = RTE_ALIGN_CEIL(size, HUGE_PAGE);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	(void)madvise(memory, size, MADV_HUGEPAGE);
	rc = rte_mempool_populate_virt(buffers, memory, size, (size_t)sysconf(_SC_PAGESIZE),
		memory_free, (void *)(uintptr_t)size);
	if (rc < 0)
		munmap(memory, size);
	else if ((unsigned int)rc < count)
		rc = -ENOMEM;
	return rc;
}

static struct rte_mempool *buffers_make(const char *name, unsigned int count, bool card)
{
	struct rte_pktmbuf_pool_private facts = {.mbuf_data_room_size = RTE_MBUF_DEFAULT_BUF_SIZE,
		.mbuf_priv_size = PACKET_PRIVATE_SIZE};
	unsigned int size =
		sizeof(struct rte_mbuf) + PACKET_PRIVATE_SIZE + RTE_MBUF_DEFAULT_BUF_SIZE;
	/*
	 * AF_XDP registers a pool as one packed area and loses what lies outside of it, and with
	 * small pages DPDK would put one buffer on each: so buffers may cross pages. Only a card
	 * needs them physically contiguous.
	 */
	unsigned int flags = card ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
	struct rte_mempool *buffers = rte_mempool_create_empty(
		name, count, size, BUFFER_CACHE, sizeof(facts), SOCKET_ID_ANY, flags);

	if (buffers == NULL)
		return NULL;
	rte_mempool_set_ops_byname(buffers, rte_mbuf_best_mempool_ops(), NULL);
	rte_pktmbuf_pool_init(buffers, &facts);
	if (buffers_populate(buffers, count) < 0) {
		rte_mempool_free(buffers);
		return NULL;
	}
	rte_mempool_obj_iter(buffers, rte_pktmbuf_init, NULL);
	return buffers;
}

int pool_buffers_open(struct pool *pool, const struct dataplane_config *config)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	unsigned int i;

	for (i = 0; i < config->workers; i++) {
		snprintf(name, sizeof(name), "buffers%u", i);
		pool->buffers[i] = buffers_make(name, config->buffers - 1, config_has_card(config));
		if (pool->buffers[i] == NULL) {
			log_error("buffers_open", "worker=%u buffers=%u error=\"%s\"", i,
				config->buffers, rte_strerror(rte_errno));
			return -ENOMEM;
		}
		pool->count = i + 1;
	}
	return 0;
}

static struct rte_ring *elements_ring(
	const char *name, unsigned int i, unsigned int element_size, unsigned int count)
{
	char full[RTE_RING_NAMESIZE];

	snprintf(full, sizeof(full), "%s%u", name, i);
	return rte_ring_create_elem(
		full, element_size, count, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static struct rte_ring *mbuf_ring(
	const char *name, unsigned int from, unsigned int to, unsigned int count)
{
	char full[RTE_RING_NAMESIZE];

	snprintf(full, sizeof(full), "%s%uto%u", name, from, to);
	return rte_ring_create(full, count, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int rings_open(struct pool *pool)
{
	unsigned int i, j;

	for (i = 0; i < pool->count; i++) {
		pool->commands[i] =
			elements_ring("commands", i, sizeof(struct worker_message), COMMANDS_SIZE);
		pool->replies[i] = elements_ring("replies", i, sizeof(struct reply), REPLIES_SIZE);
		pool->punts[i] = mbuf_ring("punts", i, i, WORKER_PUNTS_MAX);
		pool->datagrams[i] = mbuf_ring("datagrams", i, i, WORKER_PUNTS_MAX);
		if (pool->commands[i] == NULL || pool->replies[i] == NULL ||
			pool->punts[i] == NULL || pool->datagrams[i] == NULL)
			return -ENOMEM;
		for (j = 0; j < pool->count; j++) {
			if (i == j)
				continue;
			pool->between[i][j] = mbuf_ring("from", i, j, WORKER_RING_SIZE);
			if (pool->between[i][j] == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

static uint64_t arena_size(const struct dataplane_config *config)
{
	uint64_t blocks = config->rooms_max * ARENA_KINDS_PER_ROOM;

	/* A block that is begun has a leg in it. */
	if (blocks > config->legs_max)
		blocks = config->legs_max;
	return config->legs_max * ARENA_BYTES_PER_LEG + blocks * ARENA_BYTES_PER_BLOCK;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void describe(const struct pool *pool, unsigned int index,
	const struct dataplane_config *config, struct worker_config *out)
{
	unsigned int i;

	out->index = index;
	out->count = pool->count;
	out->pool = pool->buffers[index];
	out->media_port_count = config->media_port_count;
	memcpy(out->media_port, config->media_port, sizeof(out->media_port));
	out->rooms_max = config->rooms_max;
	out->legs_max = config->legs_max;
	out->arena_size = arena_size(config);
	out->slice_copies = config->slice_copies;
	out->jobs_max = RTE_MIN(WORKER_JOBS_MAX, config->buffers / JOBS_SHARE);
	out->idle_sleep_us = config->idle_sleep_us;
	out->stale_ms = config->stale_ms;
	out->pace_us = config->pace_us;
	out->pace_burst_copies = config->pace_burst_copies;
	out->preroll_ms = config->preroll_ms;
	out->dscp = (uint8_t)config->dscp;
	out->consent_timeout_ms = config->consent_timeout_ms;
	out->history_max = config->buffers / HISTORY_SHARE;
	out->commands = pool->commands[index];
	out->replies = pool->replies[index];
	out->punts = pool->punts[index];
	out->datagrams = pool->datagrams[index];
	for (i = 0; i < pool->count; i++) {
		out->in[i] = pool->between[i][index];
		out->out[i] = pool->between[index][i];
	}
}

int pool_open(struct pool *pool, const struct dataplane_config *config, const struct engine *engine,
	const struct port ports[])
{
	struct worker_config worker = {.engine = engine, .port_count = config->port_count};
	unsigned int i, p;
	int rc;

	if (getrandom(&worker.hash_key, sizeof(worker.hash_key), 0) !=
			(ssize_t)sizeof(worker.hash_key) ||
		getrandom(&worker.ice_key, sizeof(worker.ice_key), 0) !=
			(ssize_t)sizeof(worker.ice_key))
		return -EIO;
	worker.unix_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	rc = rings_open(pool);
	if (rc < 0) {
		log_error("rings_open", "workers=%u error=\"%s\"", pool->count,
			rte_strerror(rte_errno));
		return rc;
	}
	for (i = 0; rc == 0 && i < pool->count; i++) {
		describe(pool, i, config, &worker);
		for (p = 0; p < config->port_count; p++)
			port_describe(&ports[p], i, pool->count, &worker.port[p]);
		rc = worker_open(&pool->worker[i], &worker);
	}
	return rc;
}

void pool_launch(struct pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->count; i++)
		rte_eal_remote_launch(worker_loop, pool->worker[i], EAL_WORKER_LCORE(i));
	pool->launched = true;
}

void pool_stop(struct pool *pool)
{
	unsigned int i;

	if (!pool->launched)
		return;
	for (i = 0; i < pool->count; i++)
		__atomic_store_n(&pool->worker[i]->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < pool->count; i++)
		rte_eal_wait_lcore(EAL_WORKER_LCORE(i));
	pool->launched = false;
}

void pool_close(struct pool *pool)
{
	unsigned int i, j;

	for (i = 0; i < pool->count; i++) {
		worker_close(pool->worker[i]);
		pool->worker[i] = NULL;
	}
	for (i = 0; i < pool->count; i++) {
		rte_ring_free(pool->commands[i]);
		rte_ring_free(pool->replies[i]);
		rte_ring_free(pool->punts[i]);
		rte_ring_free(pool->datagrams[i]);
		for (j = 0; j < pool->count; j++)
			rte_ring_free(pool->between[i][j]);
	}
}

unsigned int pool_buffers_in_use(const struct pool *pool)
{
	unsigned int i, total = 0;

	for (i = 0; i < pool->count; i++)
		total += rte_mempool_in_use_count(pool->buffers[i]);
	return total;
}

void pool_buffers_close(struct pool *pool)
{
	unsigned int i;

	for (i = 0; i < pool->count; i++)
		rte_mempool_free(pool->buffers[i]);
	pool->count = 0;
}
