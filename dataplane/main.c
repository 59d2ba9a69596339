// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentor-dataplane: starts everything in order and stops it in reverse. The main lcore then runs
 * the table server; the workers poll.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "bpf/reserve.h"
#include "configs/log.h"
#include "configs/notify.h"
#include "dataplane/config.h"
#include "dataplane/ctl/server.h"
#include "dataplane/io/bus.h"
#include "dataplane/io/eal.h"
#include "dataplane/io/neighbour.h"
#include "dataplane/io/pool.h"
#include "dataplane/io/port.h"

#define POLL_MS 10

struct dataplane {
	struct dataplane_config config;
	const struct engine *engine;
	struct pool pool;
	struct port port[CONFIG_PORTS_MAX];
	unsigned int port_count; /* opened */
	struct reserve *reserve; /* media ports, held in the kernel */
	struct neighbour_table *neighbour;
	struct bus *bus;
	struct table_server *server;
	bool eal_started;
};

static const char *const engine_by_option[] = {"auto", "vaes", "ipsec_mb", "libsrtp"};

/* Written by the signal handler only. */
static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	stopping = number;
}

static void signals_set(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

static bool needs_kernel(const struct dataplane_config *config)
{
	unsigned int i;

	for (i = 0; i < config->port_count; i++)
		if (config->port[i].gateway_mac[0] == '\0')
			return true;
	return false;
}

/* Ports that share their interface with the kernel: it must neither use nor answer our ports. */
static int ports_reserve(struct dataplane *dp)
{
	struct steer_port_range ranges[CONFIG_MEDIA_PORTS_MAX];
	const struct dataplane_config *config = &dp->config;
	char error[256];
	bool shared = false;
	unsigned int i;
	int rc;

	for (i = 0; i < config->port_count; i++)
		shared |= config->port[i].driver == PORT_AF_XDP ||
			  config->port[i].driver == PORT_AF_PACKET;
	if (!shared)
		return 0;
	for (i = 0; i < config->media_port_count; i++)
		ranges[i] = (struct steer_port_range){config->media_port[i], config->media_port[i]};
	rc = reserve_open(&dp->reserve, ranges, config->media_port_count, error, sizeof(error));
	if (rc < 0)
		log_error("ports_reserve", "error=\"%s\"", error);
	return rc;
}

static int ports_start(struct dataplane *dp)
{
	struct port_environment environment = {.config = &dp->config, .pool = dp->pool.buffers};
	int rc;

	for (; dp->port_count < dp->config.port_count; dp->port_count++) {
		rc = port_open(&dp->port[dp->port_count], dp->port_count, &environment);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int bus_start(struct dataplane *dp)
{
	struct bus_config config = {
		.worker = dp->pool.worker,
		.worker_count = dp->pool.count,
		.port = dp->port,
		.port_count = dp->port_count,
		.pool = dp->pool.buffers,
		.legs_max = dp->config.legs_max,
	};
	int rc;

	if (needs_kernel(&dp->config)) {
		rc = neighbour_open(&dp->neighbour);
		if (rc < 0)
			return rc;
	}
	config.neighbour = dp->neighbour;
	return bus_open(&dp->bus, &config);
}

/* Where browsers may send to, told to the control plane: their ICE candidates. */
static void media_list(const struct dataplane *dp, struct table_server_config *config)
{
	unsigned int i, family;

	for (i = 0; i < dp->port_count; i++)
		for (family = 0; family < 2; family++)
			if (dp->port[i].local[family].family != 0 &&
				config->media_count < STN_MEDIA_MAX)
				config->media[config->media_count++] = dp->port[i].local[family];
}

static int server_start(struct dataplane *dp)
{
	struct worker_bus interface = bus_interface(dp->bus);
	struct table_server_config config = {
		.path = dp->config.table_socket,
		.allowed_uid = dp->config.socket_uid,
		.allowed_gid = dp->config.socket_gid,
		.index_path = dp->config.index_store,
		.rooms_max = dp->config.rooms_max,
		.legs_max = dp->config.legs_max,
		.engine = dp->engine->name,
	};

	media_list(dp, &config);
	return table_server_open(&dp->server, &config, &interface);
}

static int start(struct dataplane *dp)
{
	int rc;

	dp->engine = engine_find(engine_by_option[dp->config.engine]);
	if (dp->engine == NULL || !dp->engine->available()) {
		log_error("engine", "name=%s error=\"not available on this CPU\"",
			engine_by_option[dp->config.engine]);
		return -ENOTSUP;
	}
	rc = eal_start(&dp->config);
	if (rc < 0)
		return rc;
	dp->eal_started = true;
	rc = pool_buffers_open(&dp->pool, &dp->config);
	if (rc == 0)
		rc = ports_reserve(dp);
	if (rc == 0)
		rc = ports_start(dp);
	if (rc == 0)
		rc = pool_open(&dp->pool, &dp->config, dp->engine, dp->port);
	if (rc == 0)
		rc = bus_start(dp);
	if (rc == 0)
		rc = server_start(dp);
	if (rc < 0)
		return rc;
	pool_launch(&dp->pool);
	log_info("ready", "version=%s engine=%s workers=%u ports=%u table_socket=%s",
		STENTOR_VERSION, dp->engine->name, dp->pool.count, dp->port_count,
		dp->config.table_socket);
	notify_ready("forwarding");
	return 0;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void run(struct dataplane *dp)
{
	uint64_t period_ms = notify_watchdog_period_ms(), next_ms = 0;

	while (!stopping) {
		table_server_poll(dp->server, POLL_MS);
		bus_poll(dp->bus);
		if (period_ms != 0 && now_ms() >= next_ms) {
			next_ms = now_ms() + period_ms;
			notify_watchdog();
		}
	}
	log_info("stopping", "signal=%d", (int)stopping);
	notify_stopping();
}

/* Every buffer is back, but for those that a driver keeps by design. */
static void buffers_audit(const struct dataplane *dp, unsigned int kept)
{
	unsigned int left = dp->pool.count != 0 ? pool_buffers_in_use(&dp->pool) : 0;

	if (left > kept)
		log_warn("buffers_lost", "count=%u kept_by_drivers=%u", left - kept, kept);
	else if (left != 0)
		log_info("buffers_all_back", "lost=0 in_driver_rings=%u at_most=%u", left, kept);
	else if (dp->eal_started)
		log_info("buffers_all_back", "lost=0");
}

/* In the reverse order of start(), from wherever it got to. */
static void stop(struct dataplane *dp)
{
	unsigned int kept = 0;

	pool_stop(&dp->pool);
	pool_close(&dp->pool);
	table_server_close(dp->server);
	bus_close(dp->bus);
	neighbour_close(dp->neighbour);
	while (dp->port_count > 0) {
		port_close(&dp->port[--dp->port_count]);
		kept += port_buffers_kept(&dp->port[dp->port_count]);
	}
	reserve_close(dp->reserve);
	buffers_audit(dp, kept);
	pool_buffers_close(&dp->pool);
	if (dp->eal_started)
		eal_stop();
}

/*
 * Memory goes back to the kernel in large steps only: each time it does, the CPUs of all workers
 * are interrupted to forget the addresses.
 */
static void memory_keep(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 32 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 128 << 20);
}

int main(int argc, char *argv[])
{
	struct dataplane *dp = calloc(1, sizeof(*dp));
	int rc;

	if (dp == NULL)
		return EXIT_FAILURE;
	rc = option_begin(&dataplane_options, argc, argv, &dp->config);
	if (rc != 0) {
		free(dp);
		return rc > 0 ? EXIT_SUCCESS : OPTION_EXIT_REFUSED;
	}
	log_open((enum log_level)dp->config.log_level);
	memory_keep();
	/* Keys are in this memory: no core file, and nobody attaches. */
	(void)prctl(PR_SET_DUMPABLE, 0ul, 0ul, 0ul, 0ul);
	signals_set();
	rc = start(dp);
	if (rc == 0)
		run(dp);
	stop(dp);
	free(dp);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
