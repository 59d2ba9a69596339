// SPDX-License-Identifier: BSD-3-Clause
#include "tests/io/wire.h"

#include <string.h>

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

/* RFC 1071, most significant byte first. */
static uint32_t sum(uint32_t from, const uint8_t *at, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		from += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (from > 0xffff)
		from = (from & 0xffff) + (from >> 16);
	return from;
}

/* Of UDP with its pseudo header, RFC 768 and RFC 8200 section 8.1. */
static uint32_t udp_sum(const struct wire *wire, const uint8_t *udp, unsigned int size)
{
	unsigned int address = wire->source.family == 4 ? 4 : 16;
	uint32_t total = sum(17 + size, wire->source.address, address);

	total = sum(total, wire->destination.address, address);
	return sum(total, udp, size);
}

unsigned int wire_build(const struct wire *wire, uint8_t out[WIRE_MAX])
{
	unsigned int udp_size = 8 + wire->payload_size, checksum;
	uint8_t *at = out, *udp;

	memset(out, 0, WIRE_MAX);
	memcpy(at, wire->destination_mac, 6);
	memcpy(at + 6, wire->source_mac, 6);
	at += 12;
	if (wire->vlan != 0) {
		put16(at, 0x8100);
		put16(at + 2, wire->vlan);
		at += 4;
	}
	put16(at, wire->source.family == 4 ? 0x0800 : 0x86dd);
	at += 2;
	if (wire->source.family == 4) {
		at[0] = 0x45;
		put16(at + 2, 20 + udp_size);
		at[8] = 61;
		at[9] = 17;
		memcpy(at + 12, wire->source.address, 4);
		memcpy(at + 16, wire->destination.address, 4);
		put16(at + 10, ~sum(0, at, 20) & 0xffff);
		udp = at + 20;
	} else {
		at[0] = 0x60;
		put16(at + 4, udp_size);
		at[6] = 17;
		at[7] = 61;
		memcpy(at + 8, wire->source.address, 16);
		memcpy(at + 24, wire->destination.address, 16);
		udp = at + 40;
	}
	memcpy(udp, &wire->source.port_be, 2);
	memcpy(udp + 2, &wire->destination.port_be, 2);
	put16(udp + 4, udp_size);
	memcpy(udp + 8, wire->payload, wire->payload_size);
	checksum = ~udp_sum(wire, udp, udp_size) & 0xffff;
	put16(udp + 6, checksum == 0 ? 0xffff : checksum);
	return (unsigned int)(udp - out) + udp_size;
}

static const char *parse_ipv4(const uint8_t *ip, unsigned int size, struct wire *out)
{
	if (size < 28 || ip[0] != 0x45)
		return "no plain IPv4 header";
	if (get16(ip + 2) != size)
		return "IPv4 total length is not the frame's";
	if (sum(0, ip, 20) != 0xffff)
		return "IPv4 checksum";
	if (get16(ip + 6) & 0x3fff || ip[8] < 32 || ip[9] != 17)
		return "IPv4 fragment, TTL or protocol";
	out->dscp = ip[1] >> 2;
	out->source.family = 4;
	out->destination.family = 4;
	memcpy(out->source.address, ip + 12, 4);
	memcpy(out->destination.address, ip + 16, 4);
	return NULL;
}

static const char *parse_ipv6(const uint8_t *ip, unsigned int size, struct wire *out)
{
	if (size < 48 || ip[0] >> 4 != 6)
		return "no IPv6 header";
	if (get16(ip + 4) + 40 != size)
		return "IPv6 payload length is not the frame's";
	if (ip[6] != 17 || ip[7] < 32)
		return "IPv6 next header or hop limit";
	out->dscp = (uint8_t)((get16(ip) >> 4 & 0xff) >> 2);
	out->source.family = 6;
	out->destination.family = 6;
	memcpy(out->source.address, ip + 8, 16);
	memcpy(out->destination.address, ip + 24, 16);
	return NULL;
}

const char *wire_parse(const uint8_t *frame, unsigned int size, struct wire *out)
{
	unsigned int at = 12, udp_size;
	const char *wrong;
	const uint8_t *udp;

	memset(out, 0, sizeof(*out));
	if (size < 42)
		return "shorter than any UDP frame";
	memcpy(out->destination_mac, frame, 6);
	memcpy(out->source_mac, frame + 6, 6);
	if (get16(frame + at) == 0x8100) {
		out->vlan = (uint16_t)(get16(frame + at + 2) & 0xfff);
		at += 4;
	}
	at += 2;
	if (get16(frame + at - 2) == 0x0800) {
		wrong = parse_ipv4(frame + at, size - at, out);
		at += 20;
	} else if (get16(frame + at - 2) == 0x86dd) {
		wrong = parse_ipv6(frame + at, size - at, out);
		at += 40;
	} else {
		wrong = "ethertype";
	}
	if (wrong != NULL)
		return wrong;
	udp = frame + at;
	udp_size = size - at;
	if (get16(udp + 4) != udp_size)
		return "UDP length is not the frame's";
	memcpy(&out->source.port_be, udp, 2);
	memcpy(&out->destination.port_be, udp + 2, 2);
	if (out->source.family == 6 && get16(udp + 6) == 0)
		return "no UDP checksum over IPv6";
	if (get16(udp + 6) != 0 && udp_sum(out, udp, udp_size) != 0xffff)
		return "UDP checksum";
	out->payload = udp + 8;
	out->payload_size = udp_size - 8;
	return NULL;
}
