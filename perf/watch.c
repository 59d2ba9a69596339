// SPDX-License-Identifier: BSD-3-Clause
#include "perf/watch.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* About half a millisecond at 3 GHz, where a multiplication takes three cycles. */
#define LOOP_STEPS 500000u
#define LOOP_TRIES 7

struct process {
	int pid, parent;
	uint64_t ticks;
	bool network; /* a thread of the kernel that works for whoever sends and receives */
	bool own;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Each step needs the result of the one before, so memory, caches and a sibling do not matter. */
static double loop_ns(void)
{
	double best = 0;

	for (int try = 0; try < LOOP_TRIES; try++) {
		uint64_t x = 3;
		double begin = now_ns(), taken;

		for (unsigned int i = 0; i < LOOP_STEPS; i++)
			__asm__ volatile("imul %0, %0" : "+r"(x));
		taken = now_ns() - begin;
		if (try == 0 || taken < best)
			best = taken;
	}
	return best;
}

static int read_stat(struct watch_reading *out)
{
	FILE *file = fopen("/proc/stat", "re");
	unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
	int fields;

	if (file == NULL)
		return -errno;
	fields = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
		&idle, &iowait, &irq, &softirq, &steal);
	fclose(file);
	if (fields != 8)
		return -EPROTO;
	out->busy_ticks = user + nice + system + irq + softirq;
	out->interrupt_ticks = irq + softirq;
	out->steal_ticks = steal;
	out->total_ticks = out->busy_ticks + idle + iowait + steal;
	out->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	return 0;
}

/* Time of children that have ended and were waited for is their parent's. */
static int read_process(int pid, struct process *out)
{
	unsigned long long user, system, children_user, children_system;
	char path[32], text[512], *name, *rest;
	FILE *file;
	int fields;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -errno;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	name = strchr(text, '(');
	rest = strrchr(text, ')');
	if (name == NULL || rest == NULL)
		return -EPROTO;
	fields = sscanf(rest + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
		&out->parent, &user, &system, &children_user, &children_system);
	if (fields != 5)
		return -EPROTO;
	out->pid = pid;
	out->own = false;
	out->network = strncmp(name, "(ksoftirqd/", 11) == 0 || strncmp(name, "(napi/", 6) == 0;
	out->ticks = user + system + children_user + children_system;
	return 0;
}

static int list_processes(struct process **out, size_t *count)
{
	DIR *folder = opendir("/proc");
	struct process *list = NULL;
	size_t used = 0, room = 0;
	struct dirent *entry;

	if (folder == NULL)
		return -errno;
	while ((entry = readdir(folder)) != NULL) {
		int pid = atoi(entry->d_name);

		if (pid <= 0)
			continue;
		if (used == room) {
			struct process *more = realloc(list, (2 * room + 256) * sizeof(*list));

			if (more == NULL) {
				free(list);
				closedir(folder);
				return -ENOMEM;
			}
			list = more;
			room = 2 * room + 256;
		}
		/* One that has ended meanwhile is in its parent's time. */
		if (read_process(pid, &list[used]) == 0)
			used++;
	}
	closedir(folder);
	*out = list;
	*count = used;
	return 0;
}

static bool has_own_parent(const struct process *process, const struct process list[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].pid == process->parent)
			return list[i].own;
	return false;
}

static int read_own(uint64_t *ticks)
{
	const char *text = getenv("STENTOR_BENCH_ROOT");
	int root = text != NULL ? atoi(text) : getpid();
	struct process *list = NULL;
	bool more = true;
	size_t count = 0;
	int error = list_processes(&list, &count);

	if (error)
		return error;
	for (size_t i = 0; i < count; i++)
		list[i].own = list[i].pid == root;
	/* A child's number may be lower than its parent's, so once through is not enough. */
	while (more) {
		more = false;
		for (size_t i = 0; i < count; i++)
			if (!list[i].own && has_own_parent(&list[i], list, count))
				more = list[i].own = true;
	}
	*ticks = 0;
	for (size_t i = 0; i < count; i++)
		if (list[i].own || list[i].network)
			*ticks += list[i].ticks;
	free(list);
	return 0;
}

int watch_read(struct watch_reading *out)
{
	int error = read_stat(out);

	if (!error)
		error = read_own(&out->own_ticks);
	if (!error)
		out->loop_ns = loop_ns();
	return error;
}

void watch_add(struct watch *watch, const struct watch_reading *reading)
{
	if (watch->readings == 0) {
		watch->first = *reading;
		watch->loop_min_ns = watch->loop_max_ns = reading->loop_ns;
	}
	if (reading->loop_ns < watch->loop_min_ns)
		watch->loop_min_ns = reading->loop_ns;
	if (reading->loop_ns > watch->loop_max_ns)
		watch->loop_max_ns = reading->loop_ns;
	watch->last = *reading;
	watch->readings++;
}

static void __attribute__((format(printf, 2, 3)))
blame(struct watch_verdict *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out->reason[out->reason_count++], sizeof(out->reason[0]), format, arguments);
	va_end(arguments);
}

static double grown(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) : 0;
}

void watch_judge(const struct watch *watch, struct watch_verdict *out)
{
	const struct watch_reading *from = &watch->first, *to = &watch->last;
	double other =
		grown(from->busy_ticks, to->busy_ticks) - grown(from->own_ticks, to->own_ticks);
	double elapsed = grown(from->total_ticks, to->total_ticks);

	*out = (struct watch_verdict){0};
	if (watch->receives)
		other -= grown(from->interrupt_ticks, to->interrupt_ticks);
	if (from->cpus > 0 && elapsed >= (double)from->cpus * WATCH_TICKS_MIN) {
		double one = elapsed / from->cpus;

		out->steal_percent = 100 * grown(from->steal_ticks, to->steal_ticks) / one;
		/* Ticks are counted one by one: a little less than nothing is nothing. */
		out->other_cpu_percent = other > 0 ? 100 * other / one : 0;
	}
	if (watch->loop_min_ns > 0)
		out->clock_drift_percent = 100 * (watch->loop_max_ns / watch->loop_min_ns - 1);
	if (out->steal_percent > WATCH_STEAL_MAX)
		blame(out, "the hypervisor took %.1f percent of a core away (at most %g)",
			out->steal_percent, WATCH_STEAL_MAX);
	if (out->other_cpu_percent > WATCH_OTHER_MAX)
		blame(out, "other processes used %.1f percent of a core (at most %g)",
			out->other_cpu_percent, WATCH_OTHER_MAX);
	if (out->clock_drift_percent > WATCH_DRIFT_MAX)
		blame(out, "a fixed loop became %.1f percent slower: the clock drifts (at most %g)",
			out->clock_drift_percent, WATCH_DRIFT_MAX);
}
