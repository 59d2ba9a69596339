// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/frame.h"

#include <errno.h>

#include "dataplane/core/bytes.h"

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_VLAN 0x8100
#define VLAN_ID_MASK 0x0fff
#define PROTOCOL_UDP 17
#define PROTOCOL_IPV6_FRAGMENT 44
#define IPV4_DONT_FRAGMENT 0x4000
#define IPV4_MORE_OR_OFFSET 0x3fff
#define HOPS 64

/* What is being parsed, and where: `at` is the next header, `end` the end of what may be read. */
struct walk {
	const uint8_t *data;
	unsigned int at;
	unsigned int end;
	struct frame *out;
	enum stn_drop *reason;
};

static bool refuse(const struct walk *walk, enum stn_drop reason)
{
	*walk->reason = reason;
	return false;
}

static unsigned int left(const struct walk *walk)
{
	return walk->end - walk->at;
}

/* One's complement sum of `size` bytes as this machine's 16-bit words (RFC 1071), not folded. */
static uint64_t sum_bytes(const uint8_t *at, unsigned int size)
{
	uint64_t sum = 0;
	uint32_t word;
	uint16_t half = 0;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum += word;
	}
	if (size >= sizeof(half)) {
		memcpy(&half, at, sizeof(half));
		sum += half;
		at += sizeof(half);
		size -= sizeof(half);
	}
	if (size > 0) {
		half = 0;
		memcpy(&half, at, 1);
		sum += half;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static bool walk_ethernet(struct walk *walk, uint16_t *ethertype)
{
	const uint8_t *header = walk->data;

	if (left(walk) < FRAME_ETHERNET_SIZE)
		return refuse(walk, STN_DROP_FRAME_TRUNCATED);
	memcpy(walk->out->destination_mac, header, FRAME_MAC_SIZE);
	memcpy(walk->out->source_mac, header + FRAME_MAC_SIZE, FRAME_MAC_SIZE);
	*ethertype = bytes_load16(header + 12);
	walk->at += FRAME_ETHERNET_SIZE;
	if (*ethertype != ETHERTYPE_VLAN)
		return true;
	if (left(walk) < FRAME_VLAN_SIZE)
		return refuse(walk, STN_DROP_FRAME_TRUNCATED);
	walk->out->vlan = bytes_load16(walk->data + walk->at) & VLAN_ID_MASK;
	*ethertype = bytes_load16(walk->data + walk->at + 2);
	walk->at += FRAME_VLAN_SIZE;
	return true;
}

static bool walk_ipv4(struct walk *walk)
{
	const uint8_t *ip = walk->data + walk->at;
	unsigned int header_size, total;

	if (left(walk) < FRAME_IPV4_SIZE)
		return refuse(walk, STN_DROP_FRAME_TRUNCATED);
	if (ip[0] >> 4 != 4)
		return refuse(walk, STN_DROP_FRAME_NOT_IP);
	header_size = (ip[0] & 0x0f) * 4u;
	total = bytes_load16(ip + 2);
	if (header_size < FRAME_IPV4_SIZE || total < header_size)
		return refuse(walk, STN_DROP_FRAME_BAD_LENGTH);
	if (total > left(walk))
		return refuse(walk, STN_DROP_FRAME_TRUNCATED);
	if (fold(sum_bytes(ip, header_size)) != 0xffff)
		return refuse(walk, STN_DROP_FRAME_NOT_IP);
	if (bytes_load16(ip + 6) & IPV4_MORE_OR_OFFSET)
		return refuse(walk, STN_DROP_FRAME_FRAGMENT);
	if (ip[9] != PROTOCOL_UDP)
		return refuse(walk, STN_DROP_FRAME_NOT_UDP);
	walk->out->source.family = 4;
	walk->out->destination.family = 4;
	memcpy(walk->out->source.address, ip + 12, 4);
	memcpy(walk->out->destination.address, ip + 16, 4);
	walk->end = walk->at + total;
	walk->at += header_size;
	return true;
}

static bool walk_ipv6(struct walk *walk)
{
	const uint8_t *ip = walk->data + walk->at;
	unsigned int length;

	if (left(walk) < FRAME_IPV6_SIZE)
		return refuse(walk, STN_DROP_FRAME_TRUNCATED);
	if (ip[0] >> 4 != 6)
		return refuse(walk, STN_DROP_FRAME_NOT_IP);
	length = bytes_load16(ip + 4);
	if (length > left(walk) - FRAME_IPV6_SIZE)
		return refuse(walk, STN_DROP_FRAME_TRUNCATED);
	if (ip[6] == PROTOCOL_IPV6_FRAGMENT)
		return refuse(walk, STN_DROP_FRAME_FRAGMENT);
	if (ip[6] != PROTOCOL_UDP)
		return refuse(walk, STN_DROP_FRAME_NOT_UDP);
	walk->out->source.family = 6;
	walk->out->destination.family = 6;
	memcpy(walk->out->source.address, ip + 8, 16);
	memcpy(walk->out->destination.address, ip + 24, 16);
	walk->at += FRAME_IPV6_SIZE;
	walk->end = walk->at + length;
	return true;
}

/* A UDP length below what IP carries is allowed: the rest is not ours to read (RFC 768). */
static bool walk_udp(struct walk *walk)
{
	const uint8_t *udp = walk->data + walk->at;
	unsigned int length;

	if (left(walk) < FRAME_UDP_SIZE)
		return refuse(walk, STN_DROP_FRAME_BAD_LENGTH);
	length = bytes_load16(udp + 4);
	if (length < FRAME_UDP_SIZE || length > left(walk))
		return refuse(walk, STN_DROP_FRAME_BAD_LENGTH);
	memcpy(&walk->out->source.port_be, udp, 2);
	memcpy(&walk->out->destination.port_be, udp + 2, 2);
	walk->out->payload_offset = (uint16_t)(walk->at + FRAME_UDP_SIZE);
	walk->out->payload_size = (uint16_t)(length - FRAME_UDP_SIZE);
	return true;
}

bool frame_parse(const uint8_t *data, unsigned int size, struct frame *out, enum stn_drop *reason)
{
	struct frame frame = {0};
	struct walk walk = {.data = data, .end = size, .out = &frame, .reason = reason};
	uint16_t ethertype;

	/* Offsets are 16 bit; nothing on a wire comes near. */
	if (size > UINT16_MAX)
		return refuse(&walk, STN_DROP_FRAME_BAD_LENGTH);
	if (!walk_ethernet(&walk, &ethertype))
		return false;
	if (ethertype == ETHERTYPE_IPV4) {
		if (!walk_ipv4(&walk))
			return false;
	} else if (ethertype == ETHERTYPE_IPV6) {
		if (!walk_ipv6(&walk))
			return false;
	} else {
		return refuse(&walk, STN_DROP_FRAME_NOT_IP);
	}
	if (!walk_udp(&walk))
		return false;
	*out = frame;
	return true;
}

bool frame_address_equal(const struct stn_address *a, const struct stn_address *b)
{
	return a->family == b->family && a->port_be == b->port_be &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

uint64_t frame_address_hash(const struct siphash_key *key, const struct stn_address *address)
{
	struct stn_address plain = *address;

	plain.reserved = 0;
	return siphash(key, &plain, sizeof(plain));
}

static unsigned int build_ethernet(const struct frame_path *path, uint8_t *out, uint16_t ethertype)
{
	memcpy(out, path->destination_mac, FRAME_MAC_SIZE);
	memcpy(out + FRAME_MAC_SIZE, path->source_mac, FRAME_MAC_SIZE);
	if (path->vlan == 0) {
		bytes_store16(out + 12, ethertype);
		return FRAME_ETHERNET_SIZE;
	}
	bytes_store16(out + 12, ETHERTYPE_VLAN);
	bytes_store16(out + 14, path->vlan);
	bytes_store16(out + 16, ethertype);
	return FRAME_ETHERNET_SIZE + FRAME_VLAN_SIZE;
}

static void build_ipv4(const struct frame_path *path, uint8_t *ip)
{
	uint16_t partial;

	ip[0] = 0x45;
	ip[1] = (uint8_t)(path->dscp << 2);
	/* The id stays 0: with DF set it means nothing (RFC 6864 section 4.1). */
	bytes_store16(ip + 6, IPV4_DONT_FRAGMENT);
	ip[8] = HOPS;
	ip[9] = PROTOCOL_UDP;
	memcpy(ip + 12, path->local.address, 4);
	memcpy(ip + 16, path->remote.address, 4);
	partial = fold(sum_bytes(ip, FRAME_IPV4_SIZE));
	memcpy(ip + 10, &partial, sizeof(partial));
}

/* The UDP header's ports must be in place. */
static void build_ipv6(const struct frame_path *path, uint8_t *ip)
{
	uint8_t *udp = ip + FRAME_IPV6_SIZE;
	uint16_t partial;

	bytes_store32(ip, 6u << 28 | (uint32_t)path->dscp << 22);
	ip[6] = PROTOCOL_UDP;
	ip[7] = HOPS;
	memcpy(ip + 8, path->local.address, 16);
	memcpy(ip + 24, path->remote.address, 16);
	/* Pseudo header of RFC 8200 section 8.1 and the ports; both lengths come per copy. */
	partial = fold(sum_bytes(ip + 8, 32) + sum_bytes(udp, 4) + __builtin_bswap16(PROTOCOL_UDP));
	memcpy(udp + 6, &partial, sizeof(partial));
}

int frame_template_build(const struct frame_path *path, struct frame_template *out)
{
	bool ipv4 = path->remote.family == 4;
	unsigned int network, transport;

	if (path->local.family != path->remote.family || (!ipv4 && path->remote.family != 6))
		return -EINVAL;
	if (path->vlan >= VLAN_ID_MASK || path->dscp > 63)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	network = build_ethernet(path, out->bytes, ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6);
	transport = network + (ipv4 ? FRAME_IPV4_SIZE : FRAME_IPV6_SIZE);
	memcpy(out->bytes + transport, &path->local.port_be, 2);
	memcpy(out->bytes + transport + 2, &path->remote.port_be, 2);
	if (ipv4)
		build_ipv4(path, out->bytes + network);
	else
		build_ipv6(path, out->bytes + network);
	out->size = (uint8_t)(transport + FRAME_UDP_SIZE);
	out->family = path->remote.family;
	return 0;
}

void frame_finish_ipv6(uint8_t *frame, unsigned int header_size, unsigned int payload_size)
{
	uint8_t *udp = frame + header_size - FRAME_UDP_SIZE;
	uint8_t *ip = udp - FRAME_IPV6_SIZE;
	struct frame_lengths lengths = frame_lengths(payload_size);
	uint16_t partial, checksum;

	memcpy(&partial, udp + 6, sizeof(partial));
	/* The UDP length counts twice: in the pseudo header and in its own field. */
	checksum = (uint16_t)~fold((uint64_t)partial + 2u * lengths.udp_be +
				   sum_bytes(udp + FRAME_UDP_SIZE, payload_size));
	if (checksum == 0)
		checksum = 0xffff;
	memcpy(ip + 4, &lengths.udp_be, sizeof(lengths.udp_be));
	memcpy(udp + 4, &lengths.udp_be, sizeof(lengths.udp_be));
	memcpy(udp + 6, &checksum, sizeof(checksum));
}
