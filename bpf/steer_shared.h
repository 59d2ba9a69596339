/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What the steering program and its user side agree on: names, map layouts, counters. Included by
 * steer.bpf.c (kernel) and by user code. Whoever attaches the program owns the maps; user code
 * writes settings, ports and addresses, the kernel side writes counters and buckets.
 *
 * Change any layout here and STEER_VERSION has to change with it: a leftover of another version is
 * still recognised by its name, but its maps are never written.
 */
#ifndef STENTOR_BPF_STEER_SHARED_H
#define STENTOR_BPF_STEER_SHARED_H

#ifdef __BPF__
#include <linux/types.h>
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
#else
#include <stdint.h>
#endif

/* Kernel object names hold 15 characters. DPDK wants the socket map to be called xsks_map. */
#define STEER_PROGRAM_NAME "stentor_steer"
#define STEER_SETTINGS_MAP "steer_settings"
#define STEER_PORTS_MAP "steer_ports"
#define STEER_ADDRESSES_MAP "steer_addresses"
#define STEER_COUNTERS_MAP "steer_counters"
#define STEER_BUCKETS_MAP "steer_buckets"
#define STEER_SOCKETS_MAP "xsks_map"

#define STEER_MAGIC 0x53545253u
#define STEER_VERSION 1
#define STEER_QUEUES_MAX 64
#define STEER_ADDRESSES_MAX 64
#define STEER_BUCKETS_MAX 65536
#define STEER_PORT_WORDS 1024 /* 65,536 ports, a bit each */
#define STEER_VLAN_ANY 0xffffu

/* One entry, key 0. All zero, as loaded, means: not configured, everything passes. */
struct steer_settings {
	uint32_t magic;
	uint32_t version;
	uint32_t enabled;       /* 0: everything passes; written last */
	uint32_t address_count; /* 0: any destination address */
	uint32_t vlan;          /* 0: untagged and priority-tagged, 1 to 4094, or STEER_VLAN_ANY */
	uint32_t owner_pid;     /* who configured it, 0: nobody */
	uint64_t owner_start;   /* that process' start time, field 22 of /proc/PID/stat */
	uint64_t interval_ns;   /* one handshake packet a source earns this often; 0: no limit */
	uint64_t burst_ns;      /* interval_ns x burst: how far ahead of its time a source may be */
};
_Static_assert(sizeof(struct steer_settings) == 48, "map layout");

/* IPv4 in the first four bytes, the rest 0; network order. In buckets an IPv6 source is its /64. */
struct steer_address {
	uint8_t family; /* 4 or 6 */
	uint8_t reserved[3];
	uint8_t address[16];
};
_Static_assert(sizeof(struct steer_address) == 20, "map layout");

/*
 * A token bucket in one word: the time at which the bucket will be full again. A packet is taken
 * when that lies at most burst_ns - interval_ns ahead, and moves it interval_ns further.
 */
struct steer_bucket {
	uint64_t full_at_ns; /* CLOCK_MONOTONIC */
};
_Static_assert(sizeof(struct steer_bucket) == 8, "map layout");

/* Every frame is counted exactly once. */
enum steer_counter {
	STEER_REDIRECT,          /* to the AF_XDP socket of its receive queue */
	STEER_PASS_UNCONFIGURED, /* settings not written yet */
	STEER_PASS_NOT_IP,       /* ARP, LLDP, two VLAN tags ... */
	STEER_PASS_VLAN,         /* a tag that is not ours, or none where one is wanted */
	STEER_PASS_MALFORMED,    /* shorter than its headers say, no port to be read */
	STEER_PASS_NOT_UDP,      /* another transport, or headers we do not walk */
	STEER_PASS_FRAGMENT,     /* later fragment: no port; see steer.bpf.c */
	STEER_PASS_NOT_MEDIA,    /* port or address is not a media endpoint */
	STEER_DROP_NO_SOCKET,    /* media, but no socket is bound to this receive queue */
	STEER_DROP_FRAGMENT,     /* first fragment of a datagram to a media endpoint */
	STEER_DROP_EXTENSION,    /* media behind IPv6 extension headers */
	STEER_DROP_BAD_LENGTH,   /* media, UDP length contradicts the IP length */
	STEER_DROP_RATE,         /* STUN or DTLS beyond the source's bucket */
	STEER_COUNTER_COUNT
};

#endif
