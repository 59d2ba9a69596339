// SPDX-License-Identifier: BSD-3-Clause
#include "perf/stages.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
	[STAGE_BUFFERS] = "buffers",
	[STAGE_HEADERS] = "headers",
	[STAGE_PROTECT] = "protect",
	[STAGE_TRANSMIT] = "transmit",
	[STAGE_PORT] = "port",
	[STAGE_QUEUE] = "queue",
	[STAGE_COMMANDS] = "commands",
	[STAGE_TOOL] = "tool",
	[STAGE_KERNEL] = "kernel",
	[STAGE_OTHER] = "other",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == STAGE_COUNT, "a stage has no name");

/* A star at the end stands for anything. The first row that fits counts. */
static const struct {
	const char *function;
	enum stage stage;
} map[] = {
	/* The kernel's entries: whatever it does below them. */
	{"asm_*", STAGE_KERNEL},
	{"entry_SYSCALL_64*", STAGE_KERNEL},
	{"rte_eth_call_tx_callbacks", STAGE_TOOL},
	{"on_transmit", STAGE_TOOL},
	{"inject", STAGE_TOOL},
	/* What the driver is called by; DPDK as packaged has no names of its own inside. */
	{"rte_eth_tx_burst", STAGE_PORT},
	{"eth_null_*", STAGE_PORT},
	{"eth_memif_*", STAGE_PORT},
	{"transmit_*", STAGE_TRANSMIT},
	{"push", STAGE_TRANSMIT},
	{"protect*", STAGE_PROTECT},
	{"vaes_*", STAGE_PROTECT},
	{"run_128*", STAGE_PROTECT},
	{"run_256*", STAGE_PROTECT},
	{"aes_*", STAGE_PROTECT},
	{"imb_*", STAGE_PROTECT},
	{"ipsec_mb_*", STAGE_PROTECT},
	{"submit_*", STAGE_PROTECT},
	{"flush_*", STAGE_PROTECT},
	{"sha1_*", STAGE_PROTECT},
	{"srtp_*", STAGE_PROTECT},
	{"fanout_*", STAGE_HEADERS},
	{"frame_*", STAGE_HEADERS},
	{"copy_group_packets", STAGE_HEADERS},
	{"shard_*", STAGE_HEADERS},
	{"buffers_*", STAGE_BUFFERS},
	{"rte_mempool_*", STAGE_BUFFERS},
	{"rte_pktmbuf_*", STAGE_BUFFERS},
	{"copy_*", STAGE_BUFFERS},
	{"step", STAGE_QUEUE},
	{"fan_slice", STAGE_QUEUE},
	{"fan_turn*", STAGE_QUEUE},
	{"queue_*", STAGE_QUEUE},
	{"ahead_*", STAGE_QUEUE},
	{"advance", STAGE_QUEUE},
	{"begin", STAGE_QUEUE},
	{"publish_*", STAGE_QUEUE},
	{"apply_*", STAGE_COMMANDS},
	{"punt_*", STAGE_COMMANDS},
	{"receive_*", STAGE_COMMANDS},
	{"timer_*", STAGE_COMMANDS},
	{"worker_turn", STAGE_COMMANDS},
};

const char *stage_name(enum stage stage)
{
	return names[stage];
}

static int fits(const char *pattern, const char *name, size_t size)
{
	size_t length = strlen(pattern);

	if (pattern[length - 1] == '*')
		return size >= length - 1 && memcmp(pattern, name, length - 1) == 0;
	return size == length && memcmp(pattern, name, size) == 0;
}

/* STAGE_COUNT when the function belongs to none, as helpers that are used everywhere. */
static enum stage function_stage(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (fits(map[i].function, name, size))
			return map[i].stage;
	return STAGE_COUNT;
}

enum stage stage_of(const char *frames)
{
	const char *end = frames + strlen(frames);
	enum stage found = STAGE_OTHER;

	while (end > frames) {
		const char *begin = memrchr(frames, ';', (size_t)(end - frames));
		enum stage stage;

		begin = begin != NULL ? begin + 1 : frames;
		stage = function_stage(begin, (size_t)(end - begin));
		/*
		 * What the kernel or an engine does inside is theirs, whatever its functions are
		 * called: a hash has a step as well. The kernel is entered from anywhere.
		 */
		if (stage == STAGE_KERNEL)
			return stage;
		if (stage == STAGE_PROTECT || (found == STAGE_OTHER && stage != STAGE_COUNT))
			found = stage;
		end = begin > frames ? begin - 1 : frames;
	}
	return found;
}

int stages_add(struct stages *stages, const char *line)
{
	const char *space = strrchr(line, ' ');
	unsigned long count;
	char *frames, *end;

	if (space == NULL || space == line)
		return -EINVAL;
	count = strtoul(space + 1, &end, 10);
	if (end == space + 1 || (*end != '\0' && *end != '\n'))
		return -EINVAL;
	frames = strndup(line, (size_t)(space - line));
	if (frames == NULL)
		return -ENOMEM;
	stages->samples[stage_of(frames)] += count;
	stages->total += count;
	free(frames);
	return 0;
}

double stages_ns(const struct stages *stages, enum stage stage, double ns_per_copy)
{
	if (stages->total == 0)
		return 0;
	return ns_per_copy * (double)stages->samples[stage] / (double)stages->total;
}
