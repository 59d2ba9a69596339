// SPDX-License-Identifier: BSD-3-Clause
/*
 * Headings against templates: whichever way they are written, a frame begins as its leg's template
 * does when that is finished by itself (test_frame.c holds templates against captured frames).
 */
#include <errno.h>

#include "dataplane/core/heading.h"
#include "tests/support/random.h"
#include "tests/support/unit.h"

#define LEGS 64
#define FRAME_SIZE 2048
#define PACKET_MAX 1400
#define SPARE 0xa5

static const heading_writer writers[] = {heading_write, heading_write_avx512};

struct kind {
	uint8_t family;
	uint16_t vlan;
	uint8_t size;
};
static const struct kind kinds[] = {{4, 0, 42}, {4, 100, 46}, {6, 0, 62}, {6, 100, 66}};

struct bench {
	struct random_state random;
	struct frame_template template[LEGS];
	uint8_t common[FRAME_TEMPLATE_MAX];
	uint8_t *parts; /* exactly as many bytes as LEGS need */
	uint8_t *frame[LEGS];
	uint8_t *memory[LEGS];
};

/* Addresses of all bits: sums with and without a carry, and some that are zero or all ones. */
static void legs_make(struct bench *b, const struct kind *kind)
{
	struct frame_path path = {.source_mac = {2, 3, 4, 5, 6, 7},
		.vlan = kind->vlan,
		.dscp = 46,
		.local = {.family = kind->family, .address = {192, 0, 2, 1}, .port_be = 0x3412},
		.remote = {.family = kind->family}};
	unsigned int step = heading_leg_size(kind->size), i;
	uint8_t common[FRAME_TEMPLATE_MAX];

	for (i = 0; i < LEGS; i++) {
		random_fill(&b->random, path.destination_mac, 6);
		random_fill(&b->random, path.remote.address, kind->family == 4 ? 4 : 16);
		random_fill(&b->random, &path.remote.port_be, 2);
		ck_assert_int_eq(frame_template_build(&path, &b->template[i]), 0);
		ck_assert_uint_eq(b->template[i].size, kind->size);
		heading_split(&b->template[i], common, b -> parts + (size_t)i * step);
		if (i == 0)
			memcpy(b->common, common, sizeof(common));
		ck_assert_mem_eq(common, b->common, sizeof(common));
	}
}

static void frames_check(struct bench *b, const struct heading *heading, unsigned int first,
	unsigned int count, unsigned int payload_size)
{
	struct frame_lengths lengths = frame_lengths(payload_size);
	unsigned int header = heading->template_size, size = header + heading->packet_size, i;
	unsigned int written = (size + HEADING_LINE - 1) / HEADING_LINE * HEADING_LINE;
	uint8_t expected[FRAME_SIZE];

	for (i = 0; i < count; i++) {
		memcpy(expected, b->template[first + i].bytes, header);
		memcpy(expected + header, heading->packet, heading->packet_size);
		if (heading_is_ipv4(header)) {
			frame_finish_ipv4(expected, header, &lengths);
		} else {
			frame_finish_ipv6(expected, header, heading->packet_size);
			frame_finish_ipv6(b->frame[i], header, heading->packet_size);
		}
		ck_assert_mem_eq(b->frame[i], expected, size);
		ck_assert_uint_eq(b->frame[i][written], SPARE);
	}
}

START_TEST(every_way_of_writing_makes_what_the_template_makes)
{
	heading_writer write = writers[_i / 4];
	const struct kind *kind = &kinds[_i % 4];
	unsigned int step = heading_leg_size(kind->size), round, i, first, count, size, more;
	struct bench *b = calloc(1, sizeof(*b));
	uint8_t *packet, *parts;
	struct heading heading;

	if (write == heading_write_avx512 && !heading_avx512_available())
		goto end;
	random_seed(&b->random);
	b->parts = malloc((size_t)LEGS * step);
	for (i = 0; i < LEGS; i++)
		b->memory[i] = malloc(FRAME_SIZE + HEADING_LINE);
	for (round = 0; round < 2000; round++) {
		legs_make(b, kind);
		first = random_below(&b->random, LEGS);
		count = 1 + random_below(&b->random, LEGS - first);
		size = random_below(&b->random, round % 2 ? 100 : PACKET_MAX);
		/* Over IPv6 the sum is taken of the payload, so that has to be all of it here. */
		more = kind->family == 4 ? random_below(&b->random, 1400) : 0;
		packet = malloc(size ? size : 1);
		random_fill(&b->random, packet, size);
		for (i = 0; i < LEGS; i++) {
			b->frame[i] = b->memory[i] + random_below(&b->random, HEADING_LINE);
			memset(b->frame[i], SPARE, FRAME_SIZE);
		}
		/* One byte behind the last leg would be one too many. */
		parts = malloc((size_t)count * step);
		memcpy(parts, b->parts + (size_t)first * step, (size_t)count * step);
		heading_prepare(&heading, b->common, kind->size, packet, size, size + more);
		write(&heading, parts, count, b->frame);
		frames_check(b, &heading, first, count, size + more);
		free(parts);
		free(packet);
	}
	for (i = 0; i < LEGS; i++)
		free(b->memory[i]);
	free(b->parts);
end:
	free(b);
}
END_TEST

/* RFC 1071: a sum and a length whose one's complement sum carries, does not, and is all ones. */
START_TEST(the_carry_comes_back_in_below)
{
	static const struct {
		uint16_t sum, length, checksum;
	} cases[] = {
		{0x0000, 0x0000, 0xffff},
		{0x1234, 0x0100, 0xeccb},
		{0xfffe, 0x0001, 0x0000},
		{0xffff, 0x0001, 0xfffe},
		{0xff00, 0x0200, 0xfefe},
		{0xffff, 0xffff, 0x0000},
	};
	heading_writer write = writers[_i];
	unsigned int i, n;

	if (write == heading_write_avx512 && !heading_avx512_available())
		return;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t common[FRAME_TEMPLATE_MAX] = {0}, parts[7 * 16] = {0}, bytes[7][128];
		uint8_t *frame[7];
		struct heading heading;
		uint16_t found;

		heading_prepare(&heading, common, 42, NULL, 0, 0);
		heading.length_be = cases[i].length;
		for (n = 0; n < 7; n++) {
			memcpy(parts + 16 * n + HEADING_SUM, &cases[i].sum, 2);
			frame[n] = bytes[n];
		}
		write(&heading, parts, 7, frame);
		for (n = 0; n < 7; n++) {
			memcpy(&found, frame[n] + 24, 2);
			ck_assert_uint_eq(found, cases[i].checksum);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heading");
	TCase *cases = tcase_create("heading");

	tcase_add_loop_test(cases, every_way_of_writing_makes_what_the_template_makes, 0, 8);
	tcase_add_loop_test(cases, the_carry_comes_back_in_below, 0, 2);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
