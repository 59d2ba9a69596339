// SPDX-License-Identifier: BSD-3-Clause
#include "perf/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static FILE *open_file(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "r");
}

/* proc(5): the name in brackets may hold anything; utime and stime are the 12th and 13th behind. */
int process_read_time(int pid, struct process_usage *usage)
{
	char line[1024], *at;
	unsigned long user, system;
	FILE *file = open_file(pid, "stat");
	int error = 0;

	if (file == NULL)
		return -errno;
	at = fgets(line, sizeof(line), file) != NULL ? strrchr(line, ')') : NULL;
	if (at == NULL || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
				  &system) != 2)
		error = -EBADMSG;
	fclose(file);
	if (!error) {
		usage->user_s = (double)user / (double)sysconf(_SC_CLK_TCK);
		usage->system_s = (double)system / (double)sysconf(_SC_CLK_TCK);
	}
	return error;
}

static int read_memory(int pid, struct process_usage *usage)
{
	unsigned long long kilobytes;
	FILE *file = open_file(pid, "smaps_rollup");
	char line[256];
	int error = -EBADMSG;

	if (file == NULL)
		return -errno;
	while (error && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Rss: %llu kB", &kilobytes) == 1) {
			usage->resident_bytes = kilobytes * 1024;
			error = 0;
		}
	}
	fclose(file);
	return error;
}

int process_read(int pid, struct process_usage *usage)
{
	struct process_usage found = {0};
	int error = process_read_time(pid, &found);

	if (!error)
		error = read_memory(pid, &found);
	if (!error)
		*usage = found;
	return error;
}
