/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * XDP counting sink, see sink.h. Runs on the listeners' end of a veth, a frame at a time, on any
 * CPU: totals and sequence records are per CPU and merged by the reader, a listener's record is
 * locked because its duplicate window spans two words.
 *
 * Plain Ethernet, IPv4 without options and UDP are what the relay sends; all else is left alone.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/sink_shared.h"

#define SEQUENCES 65536
#define WINDOW_BITS 64
#define IPV4_FRAGMENT 0x3fff /* more fragments, or an offset */
#define IPV4_PLAIN 0x45      /* version 4, five words */

/* Written before loading, constant for the verifier. */
const volatile uint32_t sink_address;
const volatile uint32_t sink_port_base;
const volatile uint32_t sink_ports_per_address = 1;
const volatile uint32_t sink_listener_count;
const volatile uint32_t sink_silence_size;
const volatile uint32_t sink_ssrc;
const volatile bool sink_first_ssrc;
const volatile bool sink_voice_only;

/* Written by the user side while traffic runs. */
uint64_t sink_mark_ns;
uint32_t sink_ear = SINK_NOBODY;
uint64_t sink_chosen; /* with sink_first_ssrc: 2^32 + the SSRC seen first, 0: none yet */

/* struct sink_listener with its lock */
struct listener {
	struct bpf_spin_lock lock;
	uint32_t received;
	uint32_t duplicated;
	uint32_t late;
	uint32_t silence;
	uint32_t highest;
	uint64_t window;
};
_Static_assert(sizeof(struct listener) == sizeof(struct sink_listener), "same layout");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* as many as there are listeners, set before loading */
	__type(key, uint32_t);
	__type(value, struct listener);
} sink_listeners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SEQUENCES);
	__type(key, uint32_t);
	__type(value, struct sink_sequence);
} sink_sequences SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct sink_totals);
} sink_totals SEC(".maps");

struct rtp {
	uint8_t first; /* version, padding, extension, CSRC count */
	uint8_t second;
	uint16_t sequence_be;
	uint32_t timestamp_be;
	uint32_t ssrc_be;
};

struct copy {
	uint32_t listener;
	uint32_t size; /* RTP payload, tag included */
	uint32_t ssrc;
	uint16_t sequence;
	bool silence;
	uint64_t now_ns;
};

enum found { FOUND_NOBODY, FOUND_OTHER, FOUND_RTP };

/* The header behind an RTP header's fixed 12 bytes, RFC 3550 section 5.1; 0: does not fit. */
static __always_inline uint32_t rtp_header_size(const struct rtp *rtp, const void *end)
{
	uint32_t size = sizeof(*rtp) + (rtp->first & 15) * 4u;

	if (!(rtp->first & 0x10))
		return size;
	const uint16_t *extension = (const void *)rtp + size;
	if ((const void *)(extension + 2) > end)
		return 0;
	return size + 4 + bpf_ntohs(extension[1]) * 4u;
}

static __always_inline enum found read_copy(struct xdp_md *context, struct copy *copy)
{
	void *end = (void *)(long)context->data_end;
	struct ethhdr *ethernet = (void *)(long)context->data;
	struct iphdr *ip = (void *)(ethernet + 1);
	struct udphdr *udp = (void *)(ip + 1);
	struct rtp *rtp = (void *)(udp + 1);

	if ((void *)(udp + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) ||
		*(uint8_t *)ip != IPV4_PLAIN || ip->protocol != IPPROTO_UDP ||
		(ip->frag_off & bpf_htons(IPV4_FRAGMENT)))
		return FOUND_NOBODY;

	uint32_t host = bpf_ntohl(ip->daddr) - sink_address;
	uint32_t port = (uint32_t)bpf_ntohs(udp->dest) - sink_port_base;
	uint64_t listener = (uint64_t)host * sink_ports_per_address + port;
	if (port >= sink_ports_per_address || listener >= sink_listener_count)
		return FOUND_NOBODY;
	copy->listener = listener;

	uint32_t size = bpf_ntohs(udp->len);
	if ((void *)(rtp + 1) > end || size > (uint64_t)(end - (void *)udp))
		return FOUND_OTHER;
	if (rtp->first >> 6 != 2 || (rtp->second >= 192 && rtp->second <= 223)) /* RFC 5761 */
		return FOUND_OTHER;
	uint32_t header_size = rtp_header_size(rtp, end);
	if (header_size == 0 || size < sizeof(*udp) + header_size)
		return FOUND_OTHER;
	copy->size = size - sizeof(*udp) - header_size;
	copy->silence = copy->size <= sink_silence_size && sink_silence_size != 0;
	copy->sequence = bpf_ntohs(rtp->sequence_be);
	copy->ssrc = bpf_ntohl(rtp->ssrc_be);
	copy->now_ns = bpf_ktime_get_ns();
	return FOUND_RTP;
}

static __always_inline bool is_chosen(uint32_t ssrc)
{
	uint64_t mine = (1ULL << 32) | ssrc;

	if (sink_ssrc != 0)
		return ssrc == sink_ssrc;
	if (!sink_first_ssrc)
		return true;
	uint64_t chosen = *(volatile uint64_t *)&sink_chosen;
	if (chosen == 0)
		chosen = __sync_val_compare_and_swap(&sink_chosen, 0, mine);
	return chosen == 0 || chosen == mine;
}

static __always_inline void count_sequence(const struct copy *copy)
{
	uint32_t key = copy->sequence;
	struct sink_sequence *record = bpf_map_lookup_elem(&sink_sequences, &key);

	if (!record)
		return;
	if (record->count++ == 0)
		record->first_ns = copy->now_ns;
	record->last_ns = copy->now_ns;
	record->size = copy->size;
	record->ssrc = copy->ssrc;
}

static __always_inline void count_listener(
	struct sink_totals *totals, const struct copy *copy, bool chosen)
{
	struct listener *listener = bpf_map_lookup_elem(&sink_listeners, &copy->listener);
	bool duplicated = false, late = false;

	if (!listener)
		return;
	bpf_spin_lock(&listener->lock);
	listener->received++;
	listener->silence += copy->silence;
	__s16 ahead = copy->sequence - (uint16_t)listener->highest;
	if (!chosen) {
		/* another stream has sequence numbers of its own */
	} else if (listener->highest == 0 || ahead > 0) {
		bool near = listener->highest != 0 && ahead < WINDOW_BITS;
		listener->window = near ? listener->window << (ahead & 63) | 1 : 1;
		listener->highest = SEQUENCES + copy->sequence;
	} else if (ahead <= -WINDOW_BITS) {
		late = true;
		listener->late++;
	} else {
		uint64_t bit = 1ULL << (-ahead & 63);
		duplicated = listener->window & bit;
		listener->duplicated += duplicated;
		listener->window |= bit;
	}
	bpf_spin_unlock(&listener->lock);
	totals->duplicated += duplicated;
	totals->late += late;
}

static __always_inline void count_copy(
	struct sink_totals *totals, const struct copy *copy, uint64_t bytes)
{
	uint64_t mark_ns = *(volatile uint64_t *)&sink_mark_ns;
	bool after = mark_ns != 0 && copy->now_ns > mark_ns;

	totals->received++;
	totals->bytes += bytes;
	if (totals->first_ns == 0)
		totals->first_ns = copy->now_ns;
	totals->last_ns = copy->now_ns;
	if (copy->silence) {
		totals->silence++;
		totals->silence_after += after;
	} else {
		totals->voice++;
		totals->voice_after += after;
		totals->last_voice_ns = copy->now_ns;
	}
}

SEC("xdp")
int stentor_sink(struct xdp_md *context)
{
	struct copy copy = {0};
	uint32_t key = 0;
	enum found found = read_copy(context, &copy);
	struct sink_totals *totals = bpf_map_lookup_elem(&sink_totals, &key);

	if (!totals)
		return XDP_PASS;
	if (found == FOUND_NOBODY) {
		totals->passed++;
		return XDP_PASS;
	}
	bool ear = copy.listener == *(volatile uint32_t *)&sink_ear;
	if (found == FOUND_OTHER) {
		totals->not_rtp++;
		return ear ? XDP_PASS : XDP_DROP;
	}
	if (copy.silence && sink_voice_only) {
		totals->silence++;
		return ear ? XDP_PASS : XDP_DROP;
	}
	bool chosen = is_chosen(copy.ssrc);
	count_copy(totals, &copy, context->data_end - context->data);
	if (chosen)
		count_sequence(&copy);
	else
		totals->other_ssrc++;
	count_listener(totals, &copy, chosen);
	totals->ear += ear;
	return ear ? XDP_PASS : XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
