// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "configs/log.h"

static const char *const driver_names[] = {
	"af_xdp", "af_packet", "tap", "pci", "null", "ring", "pcap", "memif", NULL};
_Static_assert(sizeof(driver_names) / sizeof(driver_names[0]) == PORT_DRIVER_COUNT + 1, "named");
static const char *const engine_names[] = {"auto", "vaes", "ipsec_mb", "libsrtp", NULL};
static const char *const huge_names[] = {"auto", "require", "never", NULL};

static const struct option port_options[] = {
	{.key = "driver",
		.type = OPTION_ENUM,
		.names = driver_names,
		.help = "How packets get in and out. ring, null and pcap are for tests and "
			"benchmarks.",
		OPTION_FIELD(struct port_config, driver)},
	{.key = "interface",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "af_xdp, af_packet: the kernel interface. tap: the interface to make.",
		OPTION_FIELD(struct port_config, interface)},
	{.key = "device",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "pci: the device's address. pcap: the file to receive from. memif: the "
			"socket.",
		OPTION_FIELD(struct port_config, device)},
	{.key = "output",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "pcap: the file that takes what is sent.",
		OPTION_FIELD(struct port_config, output)},
	{.key = "queues",
		.type = OPTION_INT,
		.fallback = "0",
		.min = 0,
		.max = 16,
		.help = "Queue pairs. 0: one per worker. Workers without a queue only fan out to "
			"ports that have one for them.",
		OPTION_FIELD(struct port_config, queues)},
	{.key = "descriptors",
		.type = OPTION_INT,
		.fallback = "512",
		.min = 64,
		.max = 4096,
		.unit = "packets",
		.help = "Length of each ring; a power of two.",
		OPTION_FIELD(struct port_config, descriptors)},
	{.key = "vlan",
		.type = OPTION_INT,
		.fallback = "0",
		.min = 0,
		.max = 4094,
		.help = "802.1Q tag of the media network. 0: untagged.",
		OPTION_FIELD(struct port_config, vlan)},
	{.key = "mtu",
		.type = OPTION_INT,
		.fallback = "1500",
		.min = 576,
		.max = 1500,
		.unit = "bytes",
		.help = "Largest IP packet sent.",
		OPTION_FIELD(struct port_config, mtu)},
	{.key = "addresses",
		.type = OPTION_STRING,
		.fallback = "[ ]",
		.help = "Own addresses with prefix length. Empty: what the kernel interface has.",
		OPTION_LIST(struct port_config, address, address_count)},
	{.key = "gateway_mac",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "Send everything to this Ethernet address. Empty: the kernel's routes and "
			"neighbours.",
		OPTION_FIELD(struct port_config, gateway_mac)},
	{.key = "memif_server",
		.type = OPTION_BOOL,
		.fallback = "true",
		.help = "memif: whether this end makes the socket.",
		OPTION_FIELD(struct port_config, memif_server)},
	{.key = NULL},
};

static const struct option options[] = {
	{.key = "ports",
		.type = OPTION_GROUP,
		.fields = port_options,
		.example = "( { driver = \"af_xdp\"; interface = \"eth1\"; } )",
		.list_min = 1,
		.help = "Where packets come and go.",
		OPTION_LIST(struct dataplane_config, port, port_count)},
	{.key = "workers",
		.type = OPTION_INT,
		.fallback = "1",
		.min = 1,
		.max = 16,
		.help = "Polling workers, each on a CPU of its own; every room uses all of them.",
		OPTION_FIELD(struct dataplane_config, workers)},
	{.key = "lcores",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "CPUs: the first for the main thread, then one per worker, as in \"0,2,3\" "
			"or "
			"\"0-2\". Empty: chosen from those this process may use.",
		OPTION_FIELD(struct dataplane_config, lcores)},
	{.key = "media_ports",
		.type = OPTION_INT,
		.fallback = "[ 40000 ]",
		.min = 1,
		.max = 65535,
		.list_min = 1,
		.help = "UDP ports for media. Copies are sent from the first.",
		OPTION_LIST(struct dataplane_config, media_port, media_port_count)},
	{.key = "engine",
		.type = OPTION_ENUM,
		.fallback = "auto",
		.names = engine_names,
		.help = "Crypto engine. auto: the fastest that this CPU runs.",
		OPTION_FIELD(struct dataplane_config, engine)},
	{.key = "table_socket",
		.type = OPTION_STRING,
		.fallback = "/run/stentor/table.sock",
		.min = 1,
		.help = "Where the control plane programs this process.",
		OPTION_FIELD(struct dataplane_config, table_socket)},
	{.key = "socket_uid",
		.type = OPTION_INT,
		.fallback = "-1",
		.min = -1,
		.max = INT32_MAX,
		.help = "User that may connect, beside root and our own. -1: nobody else.",
		OPTION_FIELD(struct dataplane_config, socket_uid)},
	{.key = "socket_gid",
		.type = OPTION_INT,
		.fallback = "-1",
		.min = -1,
		.max = INT32_MAX,
		.help = "Group that owns the socket and may connect. -1: our own, and nobody else.",
		OPTION_FIELD(struct dataplane_config, socket_gid)},
	{.key = "index_store",
		.type = OPTION_STRING,
		.fallback = "/run/stentor/index",
		.min = 1,
		.help = "File that keeps packet indices over a crash. On tmpfs: after a reboot "
			"everybody gets fresh keys anyway.",
		OPTION_FIELD(struct dataplane_config, index_store)},
	{.key = "rooms_max",
		.type = OPTION_INT,
		.fallback = "4096",
		.min = 1,
		.max = 65536,
		.unit = "rooms",
		.help = "Rooms at once.",
		OPTION_FIELD(struct dataplane_config, rooms_max)},
	{.key = "legs_max",
		.type = OPTION_INT,
		.fallback = "131072",
		.min = 16,
		.max = 4194304,
		.unit = "legs",
		.help = "Legs at once, all rooms together.",
		OPTION_FIELD(struct dataplane_config, legs_max)},
	{.key = "buffers",
		.type = OPTION_INT,
		.fallback = "16384",
		.min = 2048,
		.max = 1048576,
		.unit = "packets",
		.help = "Packet buffers of each worker; about 2.3 KiB each.",
		OPTION_FIELD(struct dataplane_config, buffers)},
	{.key = "huge_pages",
		.type = OPTION_ENUM,
		.fallback = "auto",
		.names = huge_names,
		.help = "auto: use them when they are there.",
		OPTION_FIELD(struct dataplane_config, huge_pages)},
	{.key = "memory_mb",
		.type = OPTION_INT,
		.fallback = "0",
		.min = 0,
		.max = 1048576,
		.unit = "MiB",
		.help = "Memory for packet buffers and rings. 0: computed.",
		OPTION_FIELD(struct dataplane_config, memory_mb)},
	{.key = "steer_object",
		.type = OPTION_STRING,
		.fallback = "",
		.help = "The XDP object file. Empty: beside the program, or where it was "
			"installed.",
		OPTION_FIELD(struct dataplane_config, steer_object)},
	{.key = "source_limit",
		.type = OPTION_BOOL,
		.fallback = "true",
		.help = "af_xdp: a token bucket per source address for STUN and DTLS.",
		OPTION_FIELD(struct dataplane_config, source_limit)},
	{.key = "source_rate",
		.type = OPTION_INT,
		.fallback = "4000",
		.min = 1,
		.max = 1000000,
		.unit = "packets/s",
		.help = "Rate of that bucket, shared by everybody behind a NAT: a browser takes "
			"30 to join, and one a second from then on.",
		OPTION_FIELD(struct dataplane_config, source_rate)},
	{.key = "source_burst",
		.type = OPTION_INT,
		.fallback = "8000",
		.min = 1,
		.max = 1000000,
		.unit = "packets",
		.help = "Depth of that bucket.",
		OPTION_FIELD(struct dataplane_config, source_burst)},
	{.key = "idle_sleep_us",
		.type = OPTION_INT,
		.fallback = "20",
		.min = 0,
		.max = 1000,
		.unit = "us",
		.help = "How long an idle worker sleeps: added latency at worst. 0: it spins.",
		OPTION_FIELD(struct dataplane_config, idle_sleep_us)},
	{.key = "slice_copies",
		.type = OPTION_INT,
		.fallback = "256",
		.min = 32,
		.max = 65536,
		.unit = "copies",
		.help = "Copies sent before a worker looks at commands and received packets again.",
		OPTION_FIELD(struct dataplane_config, slice_copies)},
	{.key = "stale_ms",
		.type = OPTION_INT,
		.fallback = "200",
		.min = 5,
		.max = 5000,
		.unit = "ms",
		.help = "A slot packet that waited longer is dropped, and one that grows older "
			"while it is copied is cut; neither is sent late.",
		OPTION_FIELD(struct dataplane_config, stale_ms)},
	{.key = "pace_us",
		.type = OPTION_INT,
		.fallback = "10000",
		.min = 0,
		.max = 20000,
		.unit = "us",
		.help = "The copies of a packet to a large room are spread over so much time, that "
			"a card slower than the CPU loses none; less when the room has more "
			"packets waiting. Keep it well below stale_ms. 0: at once.",
		OPTION_FIELD(struct dataplane_config, pace_us)},
	{.key = "pace_burst_copies",
		.type = OPTION_INT,
		.fallback = "16384",
		.min = 64,
		.max = 4194304,
		.unit = "copies",
		.help = "Of each packet these leave at once. Rooms with no more listeners are not "
			"paced.",
		OPTION_FIELD(struct dataplane_config, pace_burst_copies)},
	{.key = "preroll_ms",
		.type = OPTION_INT,
		.fallback = "120",
		.min = 0,
		.max = 300,
		.unit = "ms",
		.help = "Speech kept of each candidate and sent when it gets a slot.",
		OPTION_FIELD(struct dataplane_config, preroll_ms)},
	{.key = "dscp",
		.type = OPTION_INT,
		.fallback = "46",
		.min = 0,
		.max = 63,
		.help = "Differentiated services code point of what is sent (RFC 8837: 46 for "
			"audio).",
		OPTION_FIELD(struct dataplane_config, dscp)},
	{.key = "consent_timeout_ms",
		.type = OPTION_INT,
		.fallback = "30000",
		.min = 5000,
		.max = 600000,
		.unit = "ms",
		.help = "Nothing is sent any more to a browser that has been silent for so long "
			"(RFC 7675).",
		OPTION_FIELD(struct dataplane_config, consent_timeout_ms)},
	{.key = "log_level",
		.type = OPTION_ENUM,
		.fallback = "info",
		.names = log_level_names,
		.help = "error, warn, info or debug.",
		OPTION_FIELD(struct dataplane_config, log_level)},
	{.key = NULL},
};

static bool needs_interface(int driver)
{
	return driver == PORT_AF_XDP || driver == PORT_AF_PACKET || driver == PORT_TAP;
}

static bool needs_device(int driver)
{
	return driver == PORT_PCI || driver == PORT_PCAP || driver == PORT_MEMIF;
}

static int port_check(const struct port_config *port, unsigned int i, struct option_error *error)
{
	const char *driver = driver_names[port->driver];

	if (needs_interface(port->driver) && port->interface[0] == '\0') {
		snprintf(error->text, sizeof(error->text),
			"ports[%u].interface: driver %s needs one", i, driver);
		return -EINVAL;
	}
	if (needs_device(port->driver) && port->device[0] == '\0') {
		snprintf(error->text, sizeof(error->text), "ports[%u].device: driver %s needs one",
			i, driver);
		return -EINVAL;
	}
	if ((port->descriptors & (port->descriptors - 1)) != 0) {
		snprintf(error->text, sizeof(error->text),
			"ports[%u].descriptors = %u: must be a power of two from 64 to 4096", i,
			port->descriptors);
		return -EINVAL;
	}
	if (port->address_count == 0 || port->address[0][0] == '\0') {
		if (port->driver == PORT_AF_XDP || port->driver == PORT_AF_PACKET)
			return 0;
		snprintf(error->text, sizeof(error->text),
			"ports[%u].addresses: driver %s has no kernel interface to read them from",
			i, driver);
		return -EINVAL;
	}
	return 0;
}

static int config_check(const void *data, struct option_error *error)
{
	const struct dataplane_config *config = data;
	unsigned int i;
	int rc;

	for (i = 0; i < config->port_count; i++) {
		rc = port_check(&config->port[i], i, error);
		if (rc < 0)
			return rc;
	}
	return 0;
}

const struct option_table dataplane_options = {
	.name = "dataplane",
	.program = "stentor-dataplane",
	.about = "Receives, selects, rewrites and fans out SRTP; programmed over table.sock.",
	.options = options,
	.size = sizeof(struct dataplane_config),
	.check = config_check,
};
