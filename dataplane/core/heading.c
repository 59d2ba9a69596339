// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/heading.h"

#include <assert.h>
#include <string.h>

/* Where in a template a leg's part goes. */
struct places {
	unsigned int network; /* the IP header */
	unsigned int sum, address, port;
	unsigned int address_size;
};

static struct places places_of(unsigned int template_size)
{
	unsigned int udp = template_size - FRAME_UDP_SIZE;
	struct places places = {.port = udp + 2};

	if (heading_is_ipv4(template_size)) {
		places.network = udp - FRAME_IPV4_SIZE;
		places.sum = places.network + 10;
		places.address = places.network + 16;
		places.address_size = 4;
	} else {
		places.network = udp - FRAME_IPV6_SIZE;
		places.sum = udp + 6;
		places.address = places.network + 24;
		places.address_size = 16;
	}
	return places;
}

void heading_split(
	const struct frame_template *template, uint8_t common[FRAME_TEMPLATE_MAX], uint8_t leg[])
{
	const struct places at = places_of(template->size);

	memset(leg, 0, heading_leg_size(template->size));
	memcpy(leg + HEADING_MAC, template->bytes, FRAME_MAC_SIZE);
	memcpy(leg + HEADING_SUM, template->bytes + at.sum, 2);
	memcpy(leg + HEADING_ADDRESS, template->bytes + at.address, at.address_size);
	memcpy(leg + HEADING_ADDRESS + at.address_size, template->bytes + at.port, 2);
	memcpy(common, template->bytes, FRAME_TEMPLATE_MAX);
	memset(common, 0, FRAME_MAC_SIZE);
	memset(common + at.sum, 0, 2);
	memset(common + at.address, 0, at.address_size);
	memset(common + at.port, 0, 2);
}

static void own_set(struct heading *heading, unsigned int at, unsigned int from, unsigned int size)
{
	for (unsigned int i = 0; i < size && at + i < HEADING_LINE; i++) {
		heading->order[at + i] = (uint8_t)(from + i);
		heading->own |= UINT64_C(1) << (at + i);
	}
}

void heading_prepare(struct heading *heading, const uint8_t common[FRAME_TEMPLATE_MAX],
	unsigned int template_size, const uint8_t *packet, unsigned int packet_size,
	unsigned int payload_size)
{
	const struct places at = places_of(template_size);
	struct frame_lengths lengths = frame_lengths(payload_size);
	unsigned int some = sizeof(heading->bytes) - template_size;

	if (some > packet_size)
		some = packet_size;

	memset(heading, 0, sizeof(*heading));
	heading->template_size = (uint8_t)template_size;
	heading->packet = packet;
	heading->packet_size = (uint16_t)packet_size;
	heading->length_be = lengths.ipv4_be;
	memcpy(heading->bytes, common, template_size);
	if (heading_is_ipv4(template_size))
		memcpy(heading->bytes + at.network + 2, &lengths.ipv4_be, 2);
	else
		memcpy(heading->bytes + at.network + 4, &lengths.udp_be, 2);
	memcpy(heading->bytes + at.port + 2, &lengths.udp_be, 2);
	if (some != 0) /* from nothing, memcpy() must not be asked */
		memcpy(heading->bytes + template_size, packet, some);
	own_set(heading, 0, HEADING_MAC, FRAME_MAC_SIZE);
	own_set(heading, at.sum, HEADING_SUM, 2);
	own_set(heading, at.address, HEADING_ADDRESS, at.address_size);
	own_set(heading, at.port, HEADING_ADDRESS + at.address_size, 2);
}

/* Sizes that the compiler knows: no calls. */
static inline void write_one(const struct heading *heading, const struct places *at,
	const uint8_t *leg, unsigned int address_size, uint8_t *frame)
{
	memcpy(frame, heading->bytes, HEADING_LINE);
	if (heading->template_size + heading->packet_size > HEADING_LINE)
		memcpy(frame + HEADING_LINE, heading->bytes + HEADING_LINE, HEADING_LINE);
	memcpy(frame, leg + HEADING_MAC, FRAME_MAC_SIZE);
	memcpy(frame + at->sum, leg + HEADING_SUM, 2);
	memcpy(frame + at->address, leg + HEADING_ADDRESS, address_size);
	memcpy(frame + at->port, leg + HEADING_ADDRESS + address_size, 2);
}

void heading_write(const struct heading *heading, const uint8_t *legs, unsigned int count,
	uint8_t *const frame[])
{
	const struct places at = places_of(heading->template_size);
	unsigned int size = heading->template_size + heading->packet_size;
	const unsigned int lines = sizeof(heading->bytes);

	for (unsigned int i = 0; i < count; i++) {
		if (at.address_size == 4) {
			write_one(heading, &at, legs + 16 * (size_t)i, 4, frame[i]);
			frame_checksum_ipv4(frame[i] + at.sum, heading->length_be);
		} else {
			write_one(heading, &at, legs + 32 * (size_t)i, 16, frame[i]);
		}
		if (size > lines)
			memcpy(frame[i] + lines, heading->packet + lines - heading->template_size,
				size - lines);
	}
}

heading_writer heading_writer_find(void)
{
	return heading_avx512_available() ? heading_write_avx512 : heading_write;
}
