// SPDX-License-Identifier: BSD-3-Clause
/* The listeners of --sink memif: another process that reads every byte of every packet. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "perf/fanout.h"

#define BURST 64
/* Its socket is there when whoever measures has started its own DPDK. */
#define CONNECT_TRIES 3000
#define CONNECT_PAUSE_US 10000

struct memif_sink {
	pid_t pid;
	int result; /* pipe from the child */
};

struct report {
	uint64_t packets;
	uint64_t digest;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
	stopping = number;
}

static int port_start(const char *socket, uint16_t port)
{
	for (int i = 0; i < CONNECT_TRIES && access(socket, F_OK) < 0 && !stopping; i++)
		usleep(CONNECT_PAUSE_US);
	return rte_eth_dev_start(port);
}

static int port_make(const char *socket, uint16_t *port)
{
	struct rte_mempool *pool;
	struct rte_eth_conf conf = {0};
	char args[256];
	int rc;

	snprintf(args, sizeof(args), "role=client,socket=%s,socket-abstract=no,rsize=10", socket);
	pool = rte_pktmbuf_pool_create(
		"sink", 8191, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		return -ENOMEM;
	rc = rte_eal_hotplug_add("vdev", "net_memif0", args);
	if (rc == 0)
		rc = rte_eth_dev_get_port_by_name("net_memif0", port);
	if (rc == 0)
		rc = rte_eth_dev_configure(*port, 1, 1, &conf);
	if (rc == 0)
		rc = rte_eth_rx_queue_setup(*port, 0, 512, SOCKET_ID_ANY, NULL, pool);
	if (rc == 0)
		rc = rte_eth_tx_queue_setup(*port, 0, 512, SOCKET_ID_ANY, NULL);
	return rc == 0 ? port_start(socket, *port) : rc;
}

/* Touches every byte, as whoever sends them on would. */
static uint64_t read_all(struct rte_mbuf *mbuf)
{
	const uint8_t *p = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint64_t sum = 0, word;
	unsigned int i;

	for (i = 0; i + 8 <= mbuf->data_len; i += 8) {
		memcpy(&word, p + i, 8);
		sum += word;
	}
	for (; i < mbuf->data_len; i++)
		sum += p[i];
	return sum;
}

static void sink_loop(uint16_t port, struct report *report)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t count, i;

	while (!stopping) {
		count = rte_eth_rx_burst(port, 0, mbufs, BURST);
		for (i = 0; i < count; i++)
			report->digest += read_all(mbufs[i]);
		/*
		 * Who polls an empty ring with real-time priority has the CPU to itself, and the
		 * threads that connect the two processes would wait for the end of its time slices.
		 */
		if (count == 0)
			sched_yield();
		else
			rte_pktmbuf_free_bulk(mbufs, count);
		report->packets += count;
	}
}

static int child(const char *socket, int out)
{
	char prefix[64];
	char *argv[] = {"stentor-sink", "-l", "0", "--no-huge", "-m", "256", "--no-pci",
		"--no-telemetry", "--no-shconf", "--log-level=*:error", prefix,
		"-dlibrte_mempool_ring.so.23", "-dlibrte_bus_vdev.so.23",
		"-dlibrte_net_memif.so.23", NULL};
	struct report report = {0};
	uint16_t port;

	signal(SIGTERM, on_signal);
	snprintf(prefix, sizeof(prefix), "--file-prefix=stentor-sink-%d", (int)getpid());
	if (rte_eal_init((int)(sizeof(argv) / sizeof(argv[0])) - 1, argv) < 0 ||
		port_make(socket, &port) < 0) {
		fprintf(stderr, "memif sink: cannot make its port\n");
		return 1;
	}
	sink_loop(port, &report);
	if (write(out, &report, sizeof(report)) != (ssize_t)sizeof(report))
		return 1;
	rte_eth_dev_stop(port);
	rte_eth_dev_close(port);
	rte_eal_cleanup();
	return 0;
}

int memif_sink_start(struct memif_sink **out, const char *socket)
{
	struct memif_sink *sink = calloc(1, sizeof(*sink));
	int fds[2];

	if (sink == NULL)
		return -ENOMEM;
	if (pipe(fds) < 0) {
		free(sink);
		return -errno;
	}
	sink->pid = fork();
	if (sink->pid == 0) {
		close(fds[0]);
		_exit(child(socket, fds[1]));
	}
	close(fds[1]);
	sink->result = fds[0];
	*out = sink;
	return sink->pid < 0 ? -EAGAIN : 0;
}

int memif_sink_stop(struct memif_sink *sink, uint64_t *packets)
{
	struct report report = {0};
	ssize_t n;
	int status;

	kill(sink->pid, SIGTERM);
	n = read(sink->result, &report, sizeof(report));
	waitpid(sink->pid, &status, 0);
	close(sink->result);
	free(sink);
	if (n != (ssize_t)sizeof(report))
		return -EIO;
	*packets = report.packets;
	return 0;
}
