// SPDX-License-Identifier: BSD-3-Clause
#include "perf/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <intel-ipsec-mb.h>
#include <openssl/opensslv.h>

#include "perf/commit.h"

struct cpu {
	char model[96];
	bool virtual_machine;
};

/* "key<blanks>: value" of the first processor; every Linux on x86 has these two lines. */
static void read_cpu(struct cpu *cpu)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char *line = NULL;
	size_t size = 0;

	*cpu = (struct cpu){.model = "unknown"};
	while (file != NULL && getline(&line, &size, file) > 0 && line[0] != '\n') {
		char *value = strchr(line, ':');

		if (value == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "model name", 10) == 0)
			snprintf(cpu->model, sizeof(cpu->model), "%.95s",
				value + strspn(value, ": "));
		else if (strncmp(line, "flags", 5) == 0)
			cpu->virtual_machine = strstr(value, " hypervisor") != NULL;
	}
	free(line);
	if (file != NULL)
		fclose(file);
}

static json_t *number_in(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	double value;
	bool found = file != NULL && fscanf(file, format, &value) == 1;

	if (file != NULL)
		fclose(file);
	return found ? json_real(value) : json_null();
}

static json_t *integer_in(const char *path, const char *format, json_int_t factor)
{
	FILE *file = fopen(path, "re");
	long long value;
	bool found = file != NULL && fscanf(file, format, &value) == 1;

	if (file != NULL)
		fclose(file);
	return found ? json_integer(value * factor) : json_null();
}

json_t *machine_facts(void)
{
	struct utsname system;
	struct cpu cpu;

	read_cpu(&cpu);
	if (uname(&system) < 0)
		snprintf(system.release, sizeof(system.release), "unknown");
	return json_pack("{s:s, s:i, s:s, s:o, s:o, s:b, s:o, s:{s:s, s:s, s:s, s:s}}", "cpu",
		cpu.model, "cores", (int)sysconf(_SC_NPROCESSORS_ONLN), "kernel", system.release,
		"memory_bytes", integer_in("/proc/meminfo", "MemTotal: %lld", 1024), "huge_pages",
		integer_in("/proc/sys/vm/nr_hugepages", "%lld", 1), "virtual", cpu.virtual_machine,
		"load_average", number_in("/proc/loadavg", "%lf"), "packages", "dpdk",
		PERF_DPDK_VERSION, "libipsec_mb", IMB_VERSION_STR, "libsrtp2", PERF_SRTP_VERSION,
		"openssl", OPENSSL_VERSION_STR);
}

const char *machine_commit(void)
{
	return PERF_COMMIT;
}
