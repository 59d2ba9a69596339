/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/bpf/frame.h"

#include <stdlib.h>
#include <string.h>

const uint8_t frame_relay4[4] = {198, 51, 100, 7};
const uint8_t frame_relay6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 7, [15] = 7};

static uint8_t *put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

static uint8_t *put_ethernet(uint8_t *at, const struct frame_spec *spec)
{
	unsigned int type = spec->ipv6 ? 0x86dd : 0x0800;

	memset(at, 0x02, 12);
	at += 12;
	for (int i = 0; i < spec->tagged + spec->tagged_twice; i++) {
		at = put16(at, spec->tag_type ? spec->tag_type : 0x8100);
		at = put16(at, spec->tag);
	}
	return put16(at, spec->ether_type ? spec->ether_type : type);
}

/* RFC 1071, over words that are all there. */
static unsigned int checksum(const uint8_t *at, unsigned int words)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < words * 2; i++)
		sum += (uint32_t)(at[2 * i] << 8 | at[2 * i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static uint8_t *put_ipv4(uint8_t *at, const struct frame_spec *spec, int transport_size)
{
	unsigned int words = spec->ihl ? spec->ihl : 5;
	unsigned int claimed = spec->ihl_claimed ? spec->ihl_claimed : words;
	unsigned int version = spec->version ? spec->version : 4;

	at[0] = (uint8_t)(version << 4 | (spec->ihl_zero ? 0 : claimed));
	at[1] = 0;
	put16(at + 2, words * 4 + (unsigned int)(transport_size + spec->ip_length_add));
	put16(at + 4, 0x1234);
	put16(at + 6, spec->fragment);
	at[8] = 64;
	at[9] = spec->protocol ? spec->protocol : 17;
	put16(at + 10, 0);
	put32(at + 12, spec->source ? spec->source : 0xc0000201);
	memcpy(at + 16, frame_relay4, 4);
	at[19] = (uint8_t)(at[19] + spec->elsewhere);
	memset(at + 20, 1, words * 4 - 20); /* no-operation options */
	put16(at + 10, checksum(at, words));
	return at + words * 4;
}

static uint8_t *put_ipv6(uint8_t *at, const struct frame_spec *spec, int transport_size)
{
	uint8_t protocol = spec->protocol ? spec->protocol : 17;
	int length = transport_size;

	for (int i = 0; i < spec->extension_count; i++)
		length += spec->extension[i].type == 44 ? 8 : 8 + spec->extension[i].words * 8;
	put32(at, (spec->version ? spec->version : 6u) << 28);
	put16(at + 4, (unsigned int)(length + spec->ip_length_add));
	at[6] = spec->extension_count ? spec->extension[0].type : protocol;
	at[7] = 64;
	memset(at + 8, 0, 16);
	put32(at + 8, 0x20010db8);
	put16(at + 14, spec->source_subnet);
	put32(at + 16, spec->source_high);
	put32(at + 20, spec->source ? spec->source : 1);
	memcpy(at + 24, frame_relay6, 16);
	at[39] = (uint8_t)(at[39] + spec->elsewhere);
	at += 40;
	for (int i = 0; i < spec->extension_count; i++) {
		const struct frame_extension *extension = &spec->extension[i];
		int size = extension->type == 44 ? 8 : 8 + extension->words * 8;
		memset(at, 0, (size_t)size);
		at[0] = i + 1 < spec->extension_count ? spec->extension[i + 1].type : protocol;
		at[1] = extension->type == 44 ? 0 : extension->words;
		if (extension->type == 44)
			put16(at + 2, extension->fragment);
		at += size;
	}
	return at;
}

size_t frame_build(const struct frame_spec *spec, uint8_t **out)
{
	uint8_t bytes[FRAME_SIZE_MAX] = {0};
	int payload_size = spec->payload_size ? spec->payload_size : 32;
	unsigned int port = spec->port ? spec->port : FRAME_PORT;

	if (spec->payload_none)
		payload_size = 0;
	uint8_t *at = put_ethernet(bytes, spec);
	at = spec->ipv6 ? put_ipv6(at, spec, 8 + payload_size)
			: put_ipv4(at, spec, 8 + payload_size);
	at = put16(at, spec->source_port ? spec->source_port : 50000);
	at = put16(at, spec->port_zero ? 0 : port);
	at = put16(at, (unsigned int)(8 + payload_size + spec->udp_length_add));
	at = put16(at, 0xbeef);
	for (int i = 0; i < payload_size; i++)
		at[i] = (uint8_t)(i * 7);
	if (payload_size > 0)
		at[0] = spec->first_byte ? spec->first_byte : 0x80;
	if (payload_size > 0 && spec->first_byte_zero)
		at[0] = 0;
	at += payload_size + spec->padding;

	size_t size = spec->cut ? (size_t)spec->cut : (size_t)(at - bytes);
	*out = malloc(size);
	if (!*out)
		abort();
	memcpy(*out, bytes, size);
	return size;
}
