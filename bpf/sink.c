/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/sink.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/attachment.h"
#include "bpf/sink.skel.h"

#define SEQUENCES 65536u
#define RESET_BATCH 4096u

struct sink {
	struct sink_bpf *skeleton;
	struct bpf_link *link; /* detaches when this process ends, whatever way */
	uint32_t listener_count;
	int cpu_count;
	bool native;
	uint64_t voice_before; /* voice_after and silence_after when the mark was set */
	uint64_t silence_before;
};

static int __attribute__((format(printf, 4, 5)))
refuse(char *error, size_t size, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, size, format, arguments);
	va_end(arguments);
	return code;
}

static int check_config(const struct sink_config *config, char *error, size_t size)
{
	if (config->listener_count == 0 || config->listener_count > SINK_LISTENERS_MAX)
		return refuse(error, size, -EINVAL, "%u listeners: 1 to %u", config->listener_count,
			SINK_LISTENERS_MAX);
	if (config->ports_per_address == 0 ||
		(uint32_t)config->port_base + config->ports_per_address > 65536)
		return refuse(error, size, -EINVAL, "%u ports from %u: 1 or more, up to 65535",
			config->ports_per_address, config->port_base);
	return 0;
}

static void fill(struct sink_bpf *skeleton, const struct sink_config *config)
{
	skeleton->rodata->sink_address = config->address;
	skeleton->rodata->sink_port_base = config->port_base;
	skeleton->rodata->sink_ports_per_address = config->ports_per_address;
	skeleton->rodata->sink_listener_count = config->listener_count;
	skeleton->rodata->sink_silence_size = config->silence_size;
	skeleton->rodata->sink_ssrc = config->ssrc;
	skeleton->rodata->sink_first_ssrc = config->first_ssrc;
	skeleton->rodata->sink_voice_only = config->voice_only;
	skeleton->data->sink_ear = config->ear;
	bpf_map__set_max_entries(skeleton->maps.sink_listeners, config->listener_count);
}

static int attach(struct sink *sink, int ifindex)
{
	struct attachment attached;
	struct bpf_link *link =
		bpf_program__attach_xdp(sink->skeleton->progs.stentor_sink, ifindex);

	if (!link)
		return -errno;
	sink->link = link;
	int rc = attachment_query(&attached, ifindex);
	if (rc != 0)
		return rc;
	sink->native = attachment_is_native(&attached);
	close(attached.program);
	return 0;
}

int sink_open(struct sink **out, const char *ifname, const struct sink_config *config, char *error,
	size_t size)
{
	int ifindex = (int)if_nametoindex(ifname);
	int rc = check_config(config, error, size);

	if (rc != 0)
		return rc;
	if (ifindex == 0)
		return refuse(error, size, -ENODEV, "%s: no such interface", ifname);
	attachment_raise_memlock();

	struct sink *sink = calloc(1, sizeof(*sink));
	if (!sink)
		return refuse(error, size, -ENOMEM, "out of memory");
	sink->listener_count = config->listener_count;
	sink->cpu_count = libbpf_num_possible_cpus();
	sink->skeleton = sink_bpf__open();
	if (!sink->skeleton || sink->cpu_count < 0) {
		rc = refuse(
			error, size, -errno, "cannot open the sink program: %s", strerror(errno));
		goto fail;
	}
	fill(sink->skeleton, config);
	rc = sink_bpf__load(sink->skeleton);
	if (rc != 0) {
		refuse(error, size, rc, "cannot load the sink program: %s", strerror(-rc));
		goto fail;
	}
	rc = attach(sink, ifindex);
	if (rc != 0) {
		refuse(error, size, rc, "%s: cannot attach the sink program: %s", ifname,
			strerror(-rc));
		goto fail;
	}
	*out = sink;
	return 0;
fail:
	sink_close(sink);
	return rc;
}

void sink_close(struct sink *sink)
{
	if (!sink)
		return;
	bpf_link__destroy(sink->link);
	sink_bpf__destroy(sink->skeleton);
	free(sink);
}

bool sink_is_native(const struct sink *sink)
{
	return sink->native;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void totals_merge(struct sink_totals *sum, const struct sink_totals *part)
{
	sum->received += part->received;
	sum->voice += part->voice;
	sum->silence += part->silence;
	sum->duplicated += part->duplicated;
	sum->late += part->late;
	sum->other_ssrc += part->other_ssrc;
	sum->not_rtp += part->not_rtp;
	sum->passed += part->passed;
	sum->ear += part->ear;
	sum->bytes += part->bytes;
	sum->voice_after += part->voice_after;
	sum->silence_after += part->silence_after;
	sum->first_ns = earlier(sum->first_ns, part->first_ns);
	sum->last_ns = later(sum->last_ns, part->last_ns);
	sum->last_voice_ns = later(sum->last_voice_ns, part->last_voice_ns);
}

/* One value a CPU into an array the caller frees. */
static int read_cpus(const struct sink *sink, const struct bpf_map *map, uint32_t key, void **out)
{
	void *values = calloc((size_t)sink->cpu_count, bpf_map__value_size(map));

	if (!values)
		return -ENOMEM;
	if (bpf_map_lookup_elem(bpf_map__fd(map), &key, values) < 0) {
		int rc = -errno;
		free(values);
		return rc;
	}
	*out = values;
	return 0;
}

static int read_totals_raw(const struct sink *sink, struct sink_totals *out)
{
	void *values;
	int rc = read_cpus(sink, sink->skeleton->maps.sink_totals, 0, &values);

	if (rc != 0)
		return rc;
	*out = (struct sink_totals){0};
	for (int i = 0; i < sink->cpu_count; i++)
		totals_merge(out, (const struct sink_totals *)values + i);
	free(values);
	return 0;
}

int sink_read_totals(const struct sink *sink, struct sink_totals *out)
{
	struct sink_totals sum;
	int rc = read_totals_raw(sink, &sum);

	if (rc != 0)
		return rc;
	sum.voice_after -= sink->voice_before;
	sum.silence_after -= sink->silence_before;
	*out = sum;
	return 0;
}

int sink_read_sequence(const struct sink *sink, uint16_t sequence, struct sink_sequence *out)
{
	struct sink_sequence sum = {0};
	void *values;
	int rc = read_cpus(sink, sink->skeleton->maps.sink_sequences, sequence, &values);

	if (rc != 0)
		return rc;
	for (int i = 0; i < sink->cpu_count; i++) {
		const struct sink_sequence *part = (const struct sink_sequence *)values + i;
		sum.count += part->count;
		sum.first_ns = earlier(sum.first_ns, part->first_ns);
		if (part->last_ns > sum.last_ns) {
			sum.last_ns = part->last_ns;
			sum.size = part->size;
			sum.ssrc = part->ssrc;
		}
	}
	free(values);
	*out = sum;
	return 0;
}

int sink_read_listener(const struct sink *sink, uint32_t listener, struct sink_listener *out)
{
	struct sink_listener value;
	int map = bpf_map__fd(sink->skeleton->maps.sink_listeners);

	if (bpf_map_lookup_elem_flags(map, &listener, &value, BPF_F_LOCK) < 0)
		return -errno;
	*out = value;
	return 0;
}

int sink_read_listeners(
	const struct sink *sink, uint32_t first, uint32_t count, struct sink_listener *out)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options, .elem_flags = BPF_F_LOCK);
	int map = bpf_map__fd(sink->skeleton->maps.sink_listeners);
	uint32_t before = first - 1, last = 0, done = count;

	if (first >= sink->listener_count || count > sink->listener_count - first)
		return -ERANGE;
	uint32_t *keys = calloc(count, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	/* ENOENT says that the end of the map was reached, which is no failure. */
	int rc = bpf_map_lookup_batch(
		map, first ? &before : NULL, &last, keys, out, &done, &options);
	free(keys);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	return done == count ? 0 : -EIO;
}

int sink_mark(struct sink *sink, uint64_t mark_ns)
{
	volatile uint64_t *mark = &sink->skeleton->bss->sink_mark_ns;
	struct sink_totals before;

	*mark = 0;
	int rc = read_totals_raw(sink, &before);
	if (rc != 0)
		return rc;
	sink->voice_before = before.voice_after;
	sink->silence_before = before.silence_after;
	*mark = mark_ns;
	return 0;
}

void sink_set_ear(struct sink *sink, uint32_t listener)
{
	*(volatile uint32_t *)&sink->skeleton->data->sink_ear = listener;
}

/* Zeroes the first `count` entries of an array map. */
static int clear(const struct bpf_map *map, uint32_t count, size_t value_size)
{
	uint32_t keys[RESET_BATCH];
	void *zeroes = calloc(RESET_BATCH, value_size);
	int rc = 0;

	if (!zeroes)
		return -ENOMEM;
	for (uint32_t first = 0; first < count && rc == 0; first += RESET_BATCH) {
		uint32_t part = count - first < RESET_BATCH ? count - first : RESET_BATCH;
		for (uint32_t i = 0; i < part; i++)
			keys[i] = first + i;
		rc = bpf_map_update_batch(bpf_map__fd(map), keys, zeroes, &part, NULL);
	}
	free(zeroes);
	return rc;
}

int sink_reset(struct sink *sink)
{
	size_t cpus = (size_t)sink->cpu_count;
	int rc = clear(sink->skeleton->maps.sink_sequences, SEQUENCES,
		cpus * sizeof(struct sink_sequence));

	if (rc == 0)
		rc = clear(sink->skeleton->maps.sink_totals, 1, cpus * sizeof(struct sink_totals));
	if (rc == 0)
		rc = clear(sink->skeleton->maps.sink_listeners, sink->listener_count,
			sizeof(struct sink_listener));
	sink->voice_before = sink->silence_before = 0;
	*(volatile uint64_t *)&sink->skeleton->bss->sink_chosen = 0;
	return rc;
}
