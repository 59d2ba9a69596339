/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * XDP steering: media ports to the AF_XDP socket of their receive queue, everything else to the
 * kernel. Runs in the driver's receive path of every queue, a frame at a time; steps that read the
 * frame, one verdict, one counter.
 *
 * Fragments. Only the first fragment carries ports (a fragment's payload is a multiple of 8 bytes,
 * RFC 791, so it always holds the whole UDP header). First fragments towards media are dropped;
 * later ones pass, because nothing tells media's from those of a DNS answer the box waits for.
 * That is sound: without its first fragment the kernel can neither reassemble the datagram nor
 * send an ICMP error about it (RFC 792, RFC 8200 section 4.5), it forgets the rest after a while.
 *
 * Malformed frames without a readable port pass: the kernel discards them without an answer.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/steer_shared.h"

#define VLAN_ID_MASK 0x0fff
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET_MASK 0x1fff
#define IPV6_MORE_FRAGMENTS 0x0001
#define IPV6_OFFSET_MASK 0xfff8
#define EXTENSION_HEADERS_MAX 4
#define BUCKET_TRIES 4
#define GO_ON STEER_COUNTER_COUNT /* a step's answer: no verdict yet */

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, STEER_QUEUES_MAX);
	__type(key, uint32_t);
	__type(value, uint32_t);
} xsks_map SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct steer_settings);
} steer_settings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STEER_PORT_WORDS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} steer_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_ADDRESSES_MAX);
	__type(key, struct steer_address);
	__type(value, uint32_t);
} steer_addresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, STEER_COUNTER_COUNT);
	__type(key, uint32_t);
	__type(value, uint64_t);
} steer_counters SEC(".maps");

/* A flood of forged sources evicts buckets; a source that comes back starts with a full one. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, STEER_BUCKETS_MAX);
	__type(key, struct steer_address);
	__type(value, struct steer_bucket);
} steer_buckets SEC(".maps");

struct fragment_header {
	uint8_t next_header;
	uint8_t reserved;
	uint16_t offset_be; /* and flags */
	uint32_t id;
};

struct extension_header {
	uint8_t next_header;
	uint8_t size; /* in 8 bytes, the first 8 not counted */
};

struct packet {
	void *cursor; /* what the next step reads */
	void *end;
	uint16_t type_be; /* EtherType behind the tag */
	uint16_t vlan;    /* 0: untagged or priority-tagged */
	uint8_t protocol;
	bool first_fragment;
	bool extended;           /* IPv6 extension headers were walked */
	uint32_t transport_size; /* what the IP header leaves for UDP, header included */
	struct steer_address source;
	struct steer_address destination;
};

static __always_inline int read_ethernet(struct packet *packet)
{
	struct ethhdr *ethernet = packet->cursor;

	if ((void *)(ethernet + 1) > packet->end)
		return STEER_PASS_MALFORMED;
	packet->cursor = ethernet + 1;
	packet->type_be = ethernet->h_proto;
	if (packet->type_be != bpf_htons(ETH_P_8021Q))
		return GO_ON;

	uint16_t *tag_be = packet->cursor;
	if ((void *)(tag_be + 2) > packet->end)
		return STEER_PASS_MALFORMED;
	packet->vlan = bpf_ntohs(tag_be[0]) & VLAN_ID_MASK;
	packet->type_be = tag_be[1];
	packet->cursor = tag_be + 2;
	return GO_ON;
}

static __always_inline int read_ipv4(struct packet *packet)
{
	struct iphdr *ip = packet->cursor;

	if ((void *)(ip + 1) > packet->end || ip->version != 4 || ip->ihl < 5)
		return STEER_PASS_MALFORMED;
	uint32_t header_size = ip->ihl * 4u;
	uint32_t size = bpf_ntohs(ip->tot_len);
	if (size < header_size || size > (uint64_t)(packet->end - packet->cursor))
		return STEER_PASS_MALFORMED;
	if (ip->protocol != IPPROTO_UDP)
		return STEER_PASS_NOT_UDP;

	uint16_t fragment = bpf_ntohs(ip->frag_off);
	if (fragment & IPV4_OFFSET_MASK)
		return STEER_PASS_FRAGMENT;
	packet->first_fragment = fragment & IPV4_MORE_FRAGMENTS;

	packet->source.family = packet->destination.family = 4;
	__builtin_memcpy(packet->source.address, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(packet->destination.address, &ip->daddr, sizeof(ip->daddr));
	packet->transport_size = size - header_size;
	packet->cursor += header_size;
	return GO_ON;
}

/* Steps over one extension header. GO_ON with packet->protocol changed, or a verdict. */
static __always_inline int read_extension(struct packet *packet)
{
	uint32_t size = sizeof(struct fragment_header);

	if (packet->protocol == IPPROTO_FRAGMENT) {
		struct fragment_header *fragment = packet->cursor;
		if ((void *)(fragment + 1) > packet->end)
			return STEER_PASS_MALFORMED;
		packet->protocol = fragment->next_header;
		packet->first_fragment = true; /* an atomic fragment, RFC 6946, is no better */
		if (bpf_ntohs(fragment->offset_be) & IPV6_OFFSET_MASK)
			return packet->protocol == IPPROTO_UDP ? STEER_PASS_FRAGMENT
							       : STEER_PASS_NOT_UDP;
	} else {
		struct extension_header *extension = packet->cursor;
		if ((void *)(extension + 1) > packet->end)
			return STEER_PASS_MALFORMED;
		packet->protocol = extension->next_header;
		size = (extension->size + 1u) * 8;
	}
	if (size > packet->transport_size)
		return STEER_PASS_MALFORMED;
	packet->transport_size -= size;
	packet->cursor += size;
	packet->extended = true;
	return GO_ON;
}

static __always_inline int read_ipv6(struct packet *packet)
{
	struct ipv6hdr *ip = packet->cursor;

	if ((void *)(ip + 1) > packet->end || ip->version != 6)
		return STEER_PASS_MALFORMED;
	packet->transport_size = bpf_ntohs(ip->payload_len);
	if (packet->transport_size > (uint64_t)(packet->end - (void *)(ip + 1)))
		return STEER_PASS_MALFORMED;

	packet->source.family = packet->destination.family = 6;
	__builtin_memcpy(packet->source.address, &ip->saddr, sizeof(ip->saddr));
	__builtin_memcpy(packet->destination.address, &ip->daddr, sizeof(ip->daddr));
	packet->protocol = ip->nexthdr;
	packet->cursor = ip + 1;
#pragma clang loop unroll(full)
	for (int i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		if (packet->protocol != IPPROTO_HOPOPTS && packet->protocol != IPPROTO_ROUTING &&
			packet->protocol != IPPROTO_DSTOPTS && packet->protocol != IPPROTO_FRAGMENT)
			break;
		int verdict = read_extension(packet);
		if (verdict != GO_ON)
			return verdict;
	}
	return packet->protocol == IPPROTO_UDP ? GO_ON : STEER_PASS_NOT_UDP;
}

static __always_inline bool is_media(
	const struct steer_settings *settings, const struct packet *packet, uint16_t port)
{
	uint32_t word = port >> 6;
	const uint64_t *ports = bpf_map_lookup_elem(&steer_ports, &word);

	if (!ports || !(*ports >> (port & 63) & 1))
		return false;
	return settings->address_count == 0 ||
	       bpf_map_lookup_elem(&steer_addresses, &packet->destination);
}

static __always_inline bool bucket_take(
	const struct steer_settings *settings, const struct steer_address *source)
{
	struct steer_address key = *source;
	uint64_t now = bpf_ktime_get_ns();

	if (key.family == 6)
		__builtin_memset(key.address + 8, 0, 8);
	struct steer_bucket *bucket = bpf_map_lookup_elem(&steer_buckets, &key);
	if (!bucket) {
		struct steer_bucket fresh = {.full_at_ns = now + settings->interval_ns};
		bpf_map_update_elem(&steer_buckets, &key, &fresh, BPF_NOEXIST);
		return true;
	}
	/* Another CPU may take a token meanwhile; who loses that often is flooding from all sides.
	 */
	for (int i = 0; i < BUCKET_TRIES; i++) {
		uint64_t full_at = *(volatile uint64_t *)&bucket->full_at_ns;
		uint64_t from = full_at > now ? full_at : now;
		uint64_t next = from + settings->interval_ns;
		if (next - now > settings->burst_ns)
			return false;
		if (__sync_val_compare_and_swap(&bucket->full_at_ns, full_at, next) == full_at)
			return true;
	}
	return false;
}

/* The first bytes of STUN (0 to 3) and DTLS (20 to 63), RFC 7983. */
static __always_inline bool is_handshake(const struct packet *packet, const struct udphdr *udp)
{
	const uint8_t *first = (const uint8_t *)(udp + 1);

	if ((void *)(first + 1) > packet->end)
		return false;
	return *first <= 3 || (*first >= 20 && *first <= 63);
}

static __always_inline int judge_udp(const struct steer_settings *settings, struct packet *packet)
{
	struct udphdr *udp = packet->cursor;

	if (packet->transport_size < sizeof(*udp) || (void *)(udp + 1) > packet->end)
		return STEER_PASS_MALFORMED;
	if (!is_media(settings, packet, bpf_ntohs(udp->dest)))
		return STEER_PASS_NOT_MEDIA;
	if (packet->first_fragment)
		return STEER_DROP_FRAGMENT;
	if (packet->extended)
		return STEER_DROP_EXTENSION;
	uint32_t size = bpf_ntohs(udp->len);
	if (size < sizeof(*udp) || size > packet->transport_size)
		return STEER_DROP_BAD_LENGTH;
	if (settings->interval_ns && is_handshake(packet, udp) &&
		!bucket_take(settings, &packet->source))
		return STEER_DROP_RATE;
	return STEER_REDIRECT;
}

static __always_inline int judge(struct xdp_md *context)
{
	struct packet packet = {
		.cursor = (void *)(long)context->data,
		.end = (void *)(long)context->data_end,
		.protocol = IPPROTO_UDP,
	};
	uint32_t key = 0;
	const struct steer_settings *settings = bpf_map_lookup_elem(&steer_settings, &key);

	if (!settings || !settings->enabled)
		return STEER_PASS_UNCONFIGURED;

	int verdict = read_ethernet(&packet);
	if (verdict != GO_ON)
		return verdict;
	if (packet.type_be == bpf_htons(ETH_P_IP))
		verdict = read_ipv4(&packet);
	else if (packet.type_be == bpf_htons(ETH_P_IPV6))
		verdict = read_ipv6(&packet);
	else
		verdict = STEER_PASS_NOT_IP;
	if (verdict != GO_ON)
		return verdict;
	if (settings->vlan != STEER_VLAN_ANY && settings->vlan != packet.vlan)
		return STEER_PASS_VLAN;
	return judge_udp(settings, &packet);
}

SEC("xdp")
int stentor_steer(struct xdp_md *context)
{
	uint32_t counter = judge(context);
	int action = XDP_PASS;

	if (counter == STEER_REDIRECT) {
		action = bpf_redirect_map(&xsks_map, context->rx_queue_index, XDP_DROP);
		if (action != XDP_REDIRECT)
			counter = STEER_DROP_NO_SOCKET;
	} else if (counter >= STEER_DROP_NO_SOCKET) {
		action = XDP_DROP;
	}
	uint64_t *count = bpf_map_lookup_elem(&steer_counters, &counter);
	if (count)
		(*count)++;
	return action;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
