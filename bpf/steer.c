/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/steer.h"

#include "bpf/attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A detach meets EBUSY while another process changes the interface; a second is plenty. */
#define DETACH_TRIES 50
#define DETACH_WAIT_NS 20000000L

struct steer {
	int ifindex;
	int program;
	uint32_t program_id;
	bool native;
	int settings;
	int ports;
	int addresses;
	int counters;
	int buckets;
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

static const char *const counter_names[] = {
	[STEER_REDIRECT] = "redirect",
	[STEER_PASS_UNCONFIGURED] = "pass_unconfigured",
	[STEER_PASS_NOT_IP] = "pass_not_ip",
	[STEER_PASS_VLAN] = "pass_vlan",
	[STEER_PASS_MALFORMED] = "pass_malformed",
	[STEER_PASS_NOT_UDP] = "pass_not_udp",
	[STEER_PASS_FRAGMENT] = "pass_fragment",
	[STEER_PASS_NOT_MEDIA] = "pass_not_media",
	[STEER_DROP_NO_SOCKET] = "drop_no_socket",
	[STEER_DROP_FRAGMENT] = "drop_fragment",
	[STEER_DROP_EXTENSION] = "drop_extension",
	[STEER_DROP_BAD_LENGTH] = "drop_bad_length",
	[STEER_DROP_RATE] = "drop_rate",
};
_Static_assert(sizeof(counter_names) / sizeof(counter_names[0]) == STEER_COUNTER_COUNT,
	"a name for every counter");

const char *steer_counter_name(unsigned int counter)
{
	return counter < STEER_COUNTER_COUNT ? counter_names[counter] : "unknown";
}

/* Field 22 of /proc/PID/stat, after the command's closing bracket; 0 when there is no process. */
static uint64_t process_start(uint32_t pid)
{
	char path[64], line[1024];
	unsigned long long start = 0;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file)) {
		const char *field = strrchr(line, ')');
		for (int i = 2; field && i < 22; i++)
			field = strchr(field + 1, ' ');
		if (!field || sscanf(field, "%llu", &start) != 1)
			start = 0;
	}
	fclose(file);
	return start;
}

/* The process that configured this program if it still runs and is not this one, else 0. */
static uint32_t living_owner(int program)
{
	struct steer_settings settings = {0};
	uint32_t key = 0;
	int map = attachment_map(program, STEER_SETTINGS_MAP, sizeof(key), sizeof(settings));

	if (map < 0)
		return 0;
	int found = bpf_map_lookup_elem(map, &key, &settings);
	close(map);
	if (found < 0 || settings.magic != STEER_MAGIC || settings.version != STEER_VERSION)
		return 0;
	if (settings.owner_pid == 0 || settings.owner_pid == (uint32_t)getpid())
		return 0;
	uint64_t start = process_start(settings.owner_pid);
	return start != 0 && start == settings.owner_start ? settings.owner_pid : 0;
}

static int remove_leftover(const char *ifname, int ifindex, char *error, size_t size)
{
	int rc = -EBUSY;

	for (int i = 0; i < DETACH_TRIES; i++) {
		struct attachment found;
		rc = attachment_query(&found, ifindex);
		if (rc == 0 && found.id == 0)
			return 0;
		if (rc == 0 && strcmp(found.name, STEER_PROGRAM_NAME) != 0) {
			close(found.program);
			return refuse(error, size, -EBUSY,
				"%s: another XDP program is attached: \"%s\", id %u; not replacing "
				"it "
				"(ip link set dev %s xdp off would remove it)",
				ifname, found.name, found.id, ifname);
		}
		uint32_t owner = rc == 0 ? living_owner(found.program) : 0;
		if (owner) {
			close(found.program);
			return refuse(error, size, -EBUSY,
				"%s: steered already by process %u, which is alive", ifname, owner);
		}
		if (rc == 0) {
			rc = attachment_remove(&found);
			close(found.program);
		}
		if (rc != 0 && rc != -EBUSY && rc != -EEXIST && rc != -EAGAIN)
			break;
		if (rc != 0)
			nanosleep(&(struct timespec){.tv_nsec = DETACH_WAIT_NS}, NULL);
	}
	return refuse(error, size, rc, "%s: cannot remove the leftover XDP program \"%s\": %s",
		ifname, STEER_PROGRAM_NAME, strerror(-rc));
}

int steer_prepare(const char *ifname, char *error, size_t size)
{
	int ifindex = (int)if_nametoindex(ifname);

	if (ifindex == 0)
		return refuse(error, size, -ENODEV, "%s: no such interface", ifname);
	attachment_raise_memlock();
	return remove_leftover(ifname, ifindex, error, size);
}

static int fill_ports(const struct steer *steer, const struct steer_config *config)
{
	uint64_t words[STEER_PORT_WORDS] = {0};

	for (size_t i = 0; i < config->port_count; i++) {
		for (uint32_t port = config->ports[i].first; port <= config->ports[i].last; port++)
			words[port >> 6] |= UINT64_C(1) << (port & 63);
	}
	for (uint32_t i = 0; i < STEER_PORT_WORDS; i++) {
		if (bpf_map_update_elem(steer->ports, &i, &words[i], BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

static int fill_addresses(const struct steer *steer, const struct steer_config *config)
{
	const uint32_t present = 1;

	for (size_t i = 0; i < config->address_count; i++) {
		if (bpf_map_update_elem(
			    steer->addresses, &config->addresses[i], &present, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

/* Last of all: it carries the switch that turns steering on. */
static int fill_settings(const struct steer *steer, const struct steer_config *config)
{
	uint64_t rate = config->rate_per_s ? config->rate_per_s : STEER_RATE_DEFAULT;
	uint64_t burst = config->burst ? config->burst : STEER_BURST_DEFAULT;
	uint64_t interval_ns = config->limit_off ? 0 : UINT64_C(1000000000) / rate;
	uint32_t key = 0;
	struct steer_settings settings = {
		.magic = STEER_MAGIC,
		.version = STEER_VERSION,
		.enabled = 1,
		.address_count = (uint32_t)config->address_count,
		.vlan = config->vlan,
		.owner_pid = (uint32_t)getpid(),
		.owner_start = process_start((uint32_t)getpid()),
		.interval_ns = interval_ns,
		.burst_ns = interval_ns * burst,
	};

	return bpf_map_update_elem(steer->settings, &key, &settings, BPF_ANY) < 0 ? -errno : 0;
}

static int check_config(const struct steer_config *config, char *error, size_t size)
{
	if (config->port_count == 0)
		return refuse(error, size, -EINVAL, "no media port given");
	for (size_t i = 0; i < config->port_count; i++) {
		const struct steer_port_range *range = &config->ports[i];
		if (range->first == 0 || range->first > range->last)
			return refuse(error, size, -EINVAL,
				"media ports %u-%u: not a range in 1-65535", range->first,
				range->last);
	}
	if (config->address_count > STEER_ADDRESSES_MAX)
		return refuse(error, size, -EINVAL, "%zu media addresses: at most %d",
			config->address_count, STEER_ADDRESSES_MAX);
	for (size_t i = 0; i < config->address_count; i++) {
		if (config->addresses[i].family != 4 && config->addresses[i].family != 6)
			return refuse(error, size, -EINVAL,
				"media address %zu: family %u is neither 4 nor 6", i,
				config->addresses[i].family);
	}
	if (config->vlan > 4094 && config->vlan != STEER_VLAN_ANY)
		return refuse(error, size, -EINVAL, "vlan %u: 0 to 4094", config->vlan);
	if (config->rate_per_s > 1000000000)
		return refuse(
			error, size, -EINVAL, "rate %u/s: at most 1000000000", config->rate_per_s);
	return 0;
}

static void maps_close(struct steer *steer)
{
	int *maps[] = {&steer->settings, &steer->ports, &steer->addresses, &steer->counters,
		&steer->buckets};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (*maps[i] >= 0)
			close(*maps[i]);
		*maps[i] = -1;
	}
}

static int maps_open(struct steer *steer)
{
	const struct {
		int *map;
		const char *name;
		uint32_t key_size, value_size;
	} wanted[] = {
		{&steer->settings, STEER_SETTINGS_MAP, 4, sizeof(struct steer_settings)},
		{&steer->ports, STEER_PORTS_MAP, 4, sizeof(uint64_t)},
		{&steer->addresses, STEER_ADDRESSES_MAP, sizeof(struct steer_address), 4},
		{&steer->counters, STEER_COUNTERS_MAP, 4, sizeof(uint64_t)},
		{&steer->buckets, STEER_BUCKETS_MAP, sizeof(struct steer_address),
			sizeof(struct steer_bucket)},
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		*wanted[i].map = -1;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]) && rc == 0; i++) {
		*wanted[i].map = attachment_map(
			steer->program, wanted[i].name, wanted[i].key_size, wanted[i].value_size);
		if (*wanted[i].map < 0)
			rc = *wanted[i].map;
	}
	if (rc != 0)
		maps_close(steer);
	return rc;
}

int steer_configure(struct steer **out, const char *ifname, const struct steer_config *config,
	char *error, size_t size)
{
	struct attachment found;
	int ifindex = (int)if_nametoindex(ifname);
	int rc = check_config(config, error, size);

	if (rc != 0)
		return rc;
	if (ifindex == 0)
		return refuse(error, size, -ENODEV, "%s: no such interface", ifname);
	rc = attachment_query(&found, ifindex);
	if (rc != 0)
		return refuse(error, size, rc, "%s: cannot read its XDP program: %s", ifname,
			strerror(-rc));
	if (found.id == 0)
		return refuse(error, size, -ENOENT, "%s: no XDP program is attached", ifname);

	struct steer *steer = calloc(1, sizeof(*steer));
	if (!steer) {
		close(found.program);
		return refuse(error, size, -ENOMEM, "out of memory");
	}
	steer->ifindex = ifindex;
	steer->program = found.program;
	steer->program_id = found.id;
	steer->native = attachment_is_native(&found);
	rc = strcmp(found.name, STEER_PROGRAM_NAME) == 0 ? maps_open(steer) : -EBUSY;
	if (rc != 0) {
		refuse(error, size, rc,
			"%s: XDP program \"%s\", id %u, is not ours or of another version", ifname,
			found.name, found.id);
		goto fail;
	}
	rc = fill_ports(steer, config);
	if (rc == 0)
		rc = fill_addresses(steer, config);
	if (rc == 0)
		rc = fill_settings(steer, config);
	if (rc != 0) {
		refuse(error, size, rc, "%s: cannot fill the steering maps: %s", ifname,
			strerror(-rc));
		maps_close(steer);
		goto fail;
	}
	*out = steer;
	return 0;
fail:
	close(steer->program);
	free(steer);
	return rc;
}

bool steer_is_native(const struct steer *steer)
{
	return steer->native;
}

int steer_counters(const struct steer *steer, uint64_t counters[STEER_COUNTER_COUNT])
{
	int cpu_count = libbpf_num_possible_cpus();
	uint64_t sums[STEER_COUNTER_COUNT] = {0};

	if (cpu_count < 0)
		return cpu_count;
	uint64_t *values = calloc((size_t)cpu_count, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; i < STEER_COUNTER_COUNT; i++) {
		if (bpf_map_lookup_elem(steer->counters, &i, values) < 0) {
			int rc = -errno;
			free(values);
			return rc;
		}
		for (int cpu = 0; cpu < cpu_count; cpu++)
			sums[i] += values[cpu];
	}
	free(values);
	memcpy(counters, sums, sizeof(sums));
	return 0;
}

void steer_release(struct steer *steer)
{
	struct attachment found;

	if (!steer)
		return;
	if (attachment_query(&found, steer->ifindex) == 0 && found.id != 0) {
		if (found.id == steer->program_id)
			attachment_remove(&found);
		close(found.program);
	}
	maps_close(steer);
	close(steer->program);
	free(steer);
}
