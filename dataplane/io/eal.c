// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/eal.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>

#include "configs/log.h"

#define ARGS_MAX 40
#define ARG_SIZE 512
#define MBUF_BYTES 2432u /* mbuf, private area, head room, 2 KiB of data, mempool header */

struct arguments {
	char text[ARGS_MAX][ARG_SIZE];
	char *argv[ARGS_MAX + 1];
	int argc;
};

static const char *const driver_libraries[PORT_DRIVER_COUNT] = {
	[PORT_AF_XDP] = "librte_net_af_xdp.so.23",
	[PORT_AF_PACKET] = "librte_net_af_packet.so.23",
	[PORT_TAP] = "librte_net_tap.so.23",
	[PORT_PCI] = NULL, /* any of them: the whole folder is loaded */
	[PORT_NULL] = "librte_net_null.so.23",
	[PORT_RING] = "librte_net_ring.so.23",
	[PORT_PCAP] = "librte_net_pcap.so.23",
	[PORT_MEMIF] = "librte_net_memif.so.23",
};

static void add(struct arguments *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct arguments *args, const char *format, ...)
{
	va_list list;

	if (args->argc == ARGS_MAX)
		return;
	va_start(list, format);
	vsnprintf(args->text[args->argc], ARG_SIZE, format, list);
	va_end(list);
	args->argv[args->argc] = args->text[args->argc];
	args->argc++;
	args->argv[args->argc] = NULL;
}

/* "0,2,4-6" -> cpus[]; returns how many, or -EINVAL. */
static int cpus_parse(const char *text, unsigned int cpus[], unsigned int max)
{
	unsigned int count = 0;
	char *end;

	while (*text != '\0') {
		unsigned long from = strtoul(text, &end, 10), to = from;

		if (end == text)
			return -EINVAL;
		if (*end == '-') {
			text = end + 1;
			to = strtoul(text, &end, 10);
			if (end == text || to < from)
				return -EINVAL;
		}
		for (; from <= to; from++) {
			if (count == max || from >= CPU_SETSIZE)
				return -EINVAL;
			cpus[count++] = (unsigned int)from;
		}
		if (*end == ',')
			end++;
		else if (*end != '\0')
			return -EINVAL;
		text = end;
	}
	return (int)count;
}

static unsigned int cpus_allowed(unsigned int cpus[], unsigned int max)
{
	unsigned int cpu, count = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 0;
	for (cpu = 0; cpu < CPU_SETSIZE && count < max; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[count++] = cpu;
	return count;
}

/*
 * The main thread mostly sleeps, so with too few CPUs it shares the first one; workers are spread
 * from the other end, and share too if there are more of them than CPUs.
 */
static int add_lcores(struct arguments *args, const struct dataplane_config *config)
{
	unsigned int cpus[CPU_SETSIZE], i;
	char map[ARG_SIZE];
	int count, used;

	if (config->lcores[0] != '\0')
		count = cpus_parse(config->lcores, cpus, CPU_SETSIZE);
	else
		count = (int)cpus_allowed(cpus, CPU_SETSIZE);
	if (count <= 0) {
		log_error("lcores_invalid", "lcores=%s expected=\"0,2,3\" or \"0-2\"",
			config->lcores);
		return -EINVAL;
	}
	used = snprintf(map, sizeof(map), "%u@%u", EAL_MAIN_LCORE, cpus[0]);
	for (i = 0; i < config->workers; i++) {
		unsigned int cpu = cpus[(unsigned int)count - 1 - i % (unsigned int)count];

		if (config->lcores[0] != '\0')
			cpu = cpus[(i + 1) % (unsigned int)count];
		used += snprintf(
			map + used, sizeof(map) - (size_t)used, ",%u@%u", EAL_WORKER_LCORE(i), cpu);
	}
	add(args, "--lcores=%s", map);
	add(args, "--main-lcore=%u", EAL_MAIN_LCORE);
	return 0;
}

static unsigned int memory_needed_mb(const struct dataplane_config *config)
{
	unsigned long long bytes = (unsigned long long)config->buffers * MBUF_BYTES;

	if (config->memory_mb != 0)
		return config->memory_mb;
	bytes = bytes * config->workers + (64ull << 20) + (16ull << 20) * config->workers;
	return (unsigned int)(bytes >> 20);
}

static unsigned long huge_free_mb(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");

	if (file == NULL)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * 2;
}

static int add_memory(struct arguments *args, const struct dataplane_config *config)
{
	unsigned int needed = memory_needed_mb(config);
	unsigned long available = huge_free_mb();

	if (config->huge_pages != HUGE_NEVER && available >= needed) {
		add(args, "--in-memory");
		log_info("memory", "huge_pages=yes needed_mb=%u free_mb=%lu", needed, available);
		return 0;
	}
	if (config->huge_pages == HUGE_REQUIRE || config_has_card(config)) {
		log_error("memory", "huge_pages=required needed_mb=%u free_mb=%lu hint=%s", needed,
			available, "vm.nr_hugepages");
		return -ENOMEM;
	}
	add(args, "--no-huge");
	add(args, "-m%u", needed);
	log_info("memory", "huge_pages=no needed_mb=%u free_mb=%lu", needed, available);
	return 0;
}

static void add_drivers(struct arguments *args, const struct dataplane_config *config)
{
	bool loaded[PORT_DRIVER_COUNT] = {false};
	unsigned int i;

	if (config_has_card(config))
		return; /* without -d EAL loads every driver it has, and so finds any card */
	add(args, "--no-pci");
	add(args, "-dlibrte_mempool_ring.so.23");
	add(args, "-dlibrte_bus_vdev.so.23");
	for (i = 0; i < config->port_count; i++) {
		int driver = config->port[i].driver;

		if (!loaded[driver])
			add(args, "-d%s", driver_libraries[driver]);
		loaded[driver] = true;
	}
}

int eal_start(const struct dataplane_config *config)
{
	struct arguments *args = calloc(1, sizeof(*args));
	int rc;

	if (args == NULL)
		return -ENOMEM;
	add(args, "stentor-dataplane");
	rc = add_lcores(args, config);
	if (rc == 0)
		rc = add_memory(args, config);
	if (rc == 0) {
		add_drivers(args, config);
		add(args, "--no-telemetry");
		/* No secondary processes: so nothing is shared through files, and the one directory
		 * that EAL makes and leaves may be everybody's. */
		add(args, "--no-shconf");
		add(args, "--file-prefix=stentor");
		add(args, "--log-level=*:warning");
		/* EAL reorders argv; the texts stay where they are and are freed afterwards. */
		if (rte_eal_init(args->argc, args->argv) < 0) {
			rc = -rte_errno;
			log_error("eal_start", "error=%s", rte_strerror(rte_errno));
			rc = rc == 0 ? -EIO : rc;
		}
	}
	free(args);
	return rc;
}

void eal_stop(void)
{
	rte_eal_cleanup();
}
