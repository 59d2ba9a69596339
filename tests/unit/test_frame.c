// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/frame.h"
#include "dataplane/core/bytes.h"
#include "tests/support/unit.h"

#define FRAME_MAX 256
#define PARSED STN_DROP_COUNT

/* The plain frame that every row spoils in one way: 10.0.0.1:40000 to 10.0.0.2:5004, "opus!". */
struct shape {
	bool ipv6;
	bool tagged;
	uint16_t tci;
	uint16_t ethertype;   /* 0: what fits */
	uint8_t version_ihl;  /* 0: what fits */
	unsigned int options; /* bytes of NOP */
	int ip_length;        /* added to the right one */
	uint16_t fragment;    /* the whole word */
	uint8_t protocol;     /* 0: UDP */
	bool bad_checksum;
	int udp_length;        /* added to the right one */
	unsigned int trailing; /* Ethernet padding */
	unsigned int cut;      /* bytes missing at the end */
};

static const uint8_t payload[] = {'o', 'p', 'u', 's', '!'};

/* RFC 1071 in the slow and obvious way: big-endian words, an odd byte padded with zero. */
static uint32_t slow_sum(const uint8_t *data, unsigned int size, uint32_t sum)
{
	unsigned int i;

	for (i = 0; i < size; i++)
		sum += (uint32_t)data[i] << (i % 2 ? 0 : 8);
	return sum;
}

static uint16_t slow_checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static unsigned int put_ipv4(uint8_t *ip, const struct shape *shape)
{
	unsigned int size = 20 + shape->options;
	uint16_t checksum;

	memset(ip, 0, 20);
	memset(ip + 20, 1, shape->options);
	ip[0] = shape->version_ihl ? shape->version_ihl : (uint8_t)(0x40 | size / 4);
	bytes_store16(ip + 2, (uint16_t)((int)(size + 8 + sizeof(payload)) + shape->ip_length));
	bytes_store16(ip + 6, shape->fragment);
	ip[8] = 64;
	ip[9] = shape->protocol ? shape->protocol : 17;
	memcpy(ip + 12, "\x0a\x00\x00\x01\x0a\x00\x00\x02", 8);
	checksum = slow_checksum(slow_sum(ip, size, 0));
	bytes_store16(ip + 10, (uint16_t)(checksum ^ shape->bad_checksum));
	return size;
}

static unsigned int put_ipv6(uint8_t *ip, const struct shape *shape)
{
	memset(ip, 0, 40);
	ip[0] = shape->version_ihl ? shape->version_ihl : 0x60;
	bytes_store16(ip + 4, (uint16_t)((int)(8 + sizeof(payload)) + shape->ip_length));
	ip[6] = shape->protocol ? shape->protocol : 17;
	ip[7] = 64;
	ip[8] = 0xfd;
	ip[23] = 0x0a;
	ip[24] = 0xfd;
	ip[39] = 0x0b;
	return 40;
}

static unsigned int put_frame(uint8_t *out, const struct shape *shape)
{
	uint16_t ethertype = shape->ipv6 ? 0x86dd : 0x0800;
	unsigned int size = 12;

	memcpy(out, "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02", 12);
	if (shape->tagged) {
		bytes_store16(out + size, 0x8100);
		bytes_store16(out + size + 2, shape->tci);
		size += 4;
	}
	bytes_store16(out + size, shape->ethertype ? shape->ethertype : ethertype);
	size += 2;
	size += shape->ipv6 ? put_ipv6(out + size, shape) : put_ipv4(out + size, shape);
	bytes_store16(out + size, 40000);
	bytes_store16(out + size + 2, 5004);
	bytes_store16(out + size + 4, (uint16_t)((int)(8 + sizeof(payload)) + shape->udp_length));
	bytes_store16(out + size + 6, 0xbeef);
	memcpy(out + size + 8, payload, sizeof(payload));
	size += 8 + sizeof(payload);
	memset(out + size, 0, shape->trailing);
	return size + shape->trailing - shape->cut;
}

static const struct {
	const char *sentence;
	struct shape shape;
	enum stn_drop expected; /* PARSED: accepted */
} rows[] = {
	{"plain IPv4 is parsed", {0}, PARSED},
	{"plain IPv6 is parsed", {.ipv6 = true}, PARSED},
	{"a VLAN tag is passed over", {.tagged = true, .tci = 100}, PARSED},
	{"a VLAN tag before IPv6 is passed over", {.ipv6 = true, .tagged = true, .tci = 7}, PARSED},
	{"a priority tag has no VLAN", {.tagged = true, .tci = 0xe000}, PARSED},
	{"a second VLAN tag is not IP", {.tagged = true, .ethertype = 0x8100},
		STN_DROP_FRAME_NOT_IP},
	{"ARP is not IP", {.ethertype = 0x0806}, STN_DROP_FRAME_NOT_IP},
	{"802.3 lengths are not IP", {.ethertype = 46}, STN_DROP_FRAME_NOT_IP},
	{"IPv4 options are passed over", {.options = 4}, PARSED},
	{"40 bytes of options are passed over", {.options = 40}, PARSED},
	{"version 5 under the IPv4 ethertype is not IP", {.version_ihl = 0x55},
		STN_DROP_FRAME_NOT_IP},
	{"version 6 under the IPv4 ethertype is not IP", {.version_ihl = 0x65},
		STN_DROP_FRAME_NOT_IP},
	{"version 4 under the IPv6 ethertype is not IP", {.ipv6 = true, .version_ihl = 0x45},
		STN_DROP_FRAME_NOT_IP},
	{"an IPv4 header of 16 bytes is refused", {.version_ihl = 0x44}, STN_DROP_FRAME_BAD_LENGTH},
	{"an IPv4 header longer than the packet is refused",
		{.version_ihl = 0x4f, .ip_length = -10}, STN_DROP_FRAME_BAD_LENGTH},
	{"a wrong IPv4 checksum is not IP", {.bad_checksum = true}, STN_DROP_FRAME_NOT_IP},
	{"a first fragment is refused", {.fragment = 0x2000}, STN_DROP_FRAME_FRAGMENT},
	{"a last fragment is refused", {.fragment = 0x0001}, STN_DROP_FRAME_FRAGMENT},
	{"don't-fragment is not a fragment", {.fragment = 0x4000}, PARSED},
	{"an IPv6 fragment header is refused", {.ipv6 = true, .protocol = 44},
		STN_DROP_FRAME_FRAGMENT},
	{"TCP is not UDP", {.protocol = 6}, STN_DROP_FRAME_NOT_UDP},
	{"ICMPv6 is not UDP", {.ipv6 = true, .protocol = 58}, STN_DROP_FRAME_NOT_UDP},
	{"IPv6 hop-by-hop options are not UDP", {.ipv6 = true, .protocol = 0xff},
		STN_DROP_FRAME_NOT_UDP},
	{"Ethernet padding is cut off", {.trailing = 20}, PARSED},
	{"Ethernet padding behind IPv6 is cut off", {.ipv6 = true, .trailing = 20}, PARSED},
	{"an IPv4 length beyond the frame is truncation", {.ip_length = 1},
		STN_DROP_FRAME_TRUNCATED},
	{"an IPv6 length beyond the frame is truncation", {.ipv6 = true, .ip_length = 1},
		STN_DROP_FRAME_TRUNCATED},
	{"an IPv6 length of 0 leaves no UDP header", {.ipv6 = true, .ip_length = -13},
		STN_DROP_FRAME_BAD_LENGTH},
	{"a UDP length beyond IP's is refused", {.udp_length = 1, .trailing = 20},
		STN_DROP_FRAME_BAD_LENGTH},
	{"a UDP length beyond IPv6's is refused", {.ipv6 = true, .udp_length = 1, .trailing = 20},
		STN_DROP_FRAME_BAD_LENGTH},
	{"a UDP length below its header is refused", {.udp_length = -6}, STN_DROP_FRAME_BAD_LENGTH},
	{"a UDP length of 0 is refused", {.ipv6 = true, .udp_length = -13},
		STN_DROP_FRAME_BAD_LENGTH},
	{"an IP length that cuts the UDP header is refused", {.ip_length = -6},
		STN_DROP_FRAME_BAD_LENGTH},
	{"a missing last byte is truncation", {.cut = 1}, STN_DROP_FRAME_TRUNCATED},
};

START_TEST(parse_row)
{
	uint8_t wire[FRAME_MAX], *block;
	enum stn_drop reason = PARSED;
	unsigned int size = put_frame(wire, &rows[_i].shape);
	struct frame frame;
	bool parsed = frame_parse(unit_block(wire, size, &block), size, &frame, &reason);

	ck_assert_msg(reason == rows[_i].expected && parsed == (reason == PARSED), "%s: %s",
		rows[_i].sentence, stn_drop_name(reason));
	if (parsed) {
		ck_assert_uint_eq(frame.payload_size, sizeof(payload));
		ck_assert_mem_eq(block + frame.payload_offset, payload, sizeof(payload));
		ck_assert_uint_eq(frame.vlan, rows[_i].shape.tci & 0xfff);
		ck_assert_uint_eq(frame.source.port_be, __builtin_bswap16(40000));
		ck_assert_uint_eq(frame.destination.port_be, __builtin_bswap16(5004));
		ck_assert_mem_eq(frame.source_mac, "\x02\x00\x00\x00\x00\x02", 6);
		ck_assert_mem_eq(frame.destination_mac, "\x02\x00\x00\x00\x00\x01", 6);
	}
	free(block);
}
END_TEST

START_TEST(addresses_are_filled_and_zero_padded)
{
	static const uint8_t source4[16] = {10, 0, 0, 1}, destination4[16] = {10, 0, 0, 2};
	static const uint8_t source6[16] = {0xfd, [15] = 0x0a};
	uint8_t wire[FRAME_MAX];
	enum stn_drop reason;
	struct frame frame;

	memset(&frame, 0xff, sizeof(frame));
	ck_assert(frame_parse(wire, put_frame(wire, &(struct shape){0}), &frame, &reason));
	ck_assert_uint_eq(frame.source.family, 4);
	ck_assert_mem_eq(frame.source.address, source4, 16);
	ck_assert_mem_eq(frame.destination.address, destination4, 16);
	ck_assert(
		frame_parse(wire, put_frame(wire, &(struct shape){.ipv6 = true}), &frame, &reason));
	ck_assert_uint_eq(frame.source.family, 6);
	ck_assert_mem_eq(frame.source.address, source6, 16);
}
END_TEST

START_TEST(a_shorter_udp_length_hides_what_follows)
{
	uint8_t wire[FRAME_MAX];
	unsigned int size = put_frame(wire, &(struct shape){.udp_length = -2});
	enum stn_drop reason;
	struct frame frame;

	ck_assert(frame_parse(wire, size, &frame, &reason));
	ck_assert_uint_eq(frame.payload_size, sizeof(payload) - 2);
}
END_TEST

START_TEST(the_smallest_of_everything)
{
	static const uint8_t arp[14] = {[12] = 0x08, [13] = 0x06};
	static const uint8_t tagged_arp[18] = {[12] = 0x81, [13] = 0x00, [16] = 0x08, [17] = 0x06};
	struct shape empty = {.ip_length = -5, .udp_length = -5, .cut = 5};
	uint8_t wire[FRAME_MAX], *block;
	enum stn_drop reason = PARSED;
	struct frame frame;
	unsigned int size;

	ck_assert(!frame_parse(unit_block(arp, 14, &block), 14, &frame, &reason));
	ck_assert_uint_eq(reason, STN_DROP_FRAME_NOT_IP);
	free(block);
	ck_assert(!frame_parse(unit_block(tagged_arp, 18, &block), 18, &frame, &reason));
	ck_assert_uint_eq(reason, STN_DROP_FRAME_NOT_IP);
	free(block);
	size = put_frame(wire, &empty);
	ck_assert(frame_parse(unit_block(wire, size, &block), size, &frame, &reason));
	ck_assert_uint_eq(frame.payload_size, 0);
	ck_assert_uint_eq(frame.payload_offset, size);
	free(block);
}
END_TEST

static const struct shape cut_shapes[] = {
	{0},
	{.options = 8},
	{.tagged = true, .tci = 5},
	{.ipv6 = true},
	{.ipv6 = true, .tagged = true},
};

START_TEST(cut_at_every_byte)
{
	uint8_t wire[FRAME_MAX], *block;
	unsigned int size = put_frame(wire, &cut_shapes[_i]), cut;
	enum stn_drop reason;
	struct frame frame;

	for (cut = 0; cut < size; cut++) {
		reason = PARSED;
		ck_assert(!frame_parse(unit_block(wire, cut, &block), cut, &frame, &reason));
		ck_assert_msg(reason == STN_DROP_FRAME_TRUNCATED, "%u bytes: %s", cut,
			stn_drop_name(reason));
		free(block);
	}
}
END_TEST

START_TEST(equal_and_hash_see_the_same)
{
	const struct siphash_key key = {1, 2}, other_key = {1, 3};
	struct stn_address a = {4, 0, 1234, {10, 0, 0, 1}}, b = a;

	b.reserved = 7;
	ck_assert(frame_address_equal(&a, &b));
	ck_assert_uint_eq(frame_address_hash(&key, &a), frame_address_hash(&key, &b));
	ck_assert_uint_ne(frame_address_hash(&key, &a), frame_address_hash(&other_key, &a));
	b.port_be++;
	ck_assert(!frame_address_equal(&a, &b));
	ck_assert_uint_ne(frame_address_hash(&key, &a), frame_address_hash(&key, &b));
	b = a;
	b.family = 6;
	ck_assert(!frame_address_equal(&a, &b));
	b = a;
	b.address[15] = 1;
	ck_assert(!frame_address_equal(&a, &b));
}
END_TEST

static struct frame_path path_ipv4(void)
{
	return (struct frame_path){
		.source_mac = {2, 0, 0, 0, 0, 1},
		.destination_mac = {2, 0, 0, 0, 0, 2},
		.local = {4, 0, __builtin_bswap16(5004), {192, 168, 0, 1}},
		.remote = {4, 0, __builtin_bswap16(40000), {192, 168, 0, 199}},
	};
}

static struct frame_path path_ipv6(void)
{
	struct frame_path path = path_ipv4();

	path.local = (struct stn_address){
		6, 0, __builtin_bswap16(5004), {0xfd, 0x12, [14] = 0xff, [15] = 0xff}};
	path.remote = (struct stn_address){
		6, 0, __builtin_bswap16(40000), {0xfd, 0x34, [14] = 0xff, [15] = 0xfe}};
	return path;
}

/*
 * The worked example that most texts on the IPv4 checksum share: 45 00 00 73 00 00 40 00 40 11 with
 * checksum b861, c0 a8 00 01, c0 a8 00 c7. It happens to be a header as we send it, of 87 bytes.
 */
START_TEST(ipv4_header_of_the_books)
{
	static const uint8_t expected[42] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45,
		0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0x00,
		0x01, 0xc0, 0xa8, 0x00, 0xc7, 0x13, 0x8c, 0x9c, 0x40, 0x00, 0x5f, 0x00, 0x00};
	const struct frame_path path = path_ipv4();
	const struct frame_lengths lengths = frame_lengths(87);
	struct frame_template template;
	uint8_t wire[42];

	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	ck_assert_uint_eq(template.size, 42);
	ck_assert_uint_eq(template.family, 4);
	memcpy(wire, template.bytes, sizeof(wire));
	frame_finish_ipv4(wire, template.size, &lengths);
	ck_assert_mem_eq(wire, expected, sizeof(wire));
}
END_TEST

/* For every payload size the header's words, checksum included, add up to ffff. */
START_TEST(ipv4_checksum_for_every_size)
{
	struct frame_path path = path_ipv4();
	struct frame_template template;
	uint8_t wire[FRAME_TEMPLATE_MAX];
	unsigned int size;

	path.vlan = 4094;
	path.dscp = 63;
	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	ck_assert_uint_eq(template.size, 46);
	for (size = 0; size <= 1472; size++) {
		const struct frame_lengths lengths = frame_lengths(size);

		memcpy(wire, template.bytes, sizeof(wire));
		frame_finish_ipv4(wire, template.size, &lengths);
		ck_assert_uint_eq(slow_checksum(slow_sum(wire + 18, 20, 0)), 0);
		ck_assert_uint_eq(bytes_load16(wire + 20), 28 + size);
		ck_assert_uint_eq(bytes_load16(wire + 42), 8 + size);
		ck_assert_uint_eq(wire[19], 63 << 2);
		ck_assert_uint_eq(bytes_load16(wire + 14), 4094);
	}
}
END_TEST

static uint32_t slow_pseudo_sum(const uint8_t *ip, unsigned int udp_size)
{
	return slow_sum(ip + 8, 32, 0) + udp_size + 17;
}

START_TEST(ipv6_header_as_rfc_8200_has_it)
{
	static const uint8_t expected[60] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x6b,
		0x80, 0, 0, 0, 11, 17, 64, 0xfd,
		0x12, [36] = 0xff, [37] = 0xff, [38] = 0xfd, [39] = 0x34, [52] = 0xff, [53] = 0xfe,
		[54] = 0x13, [55] = 0x8c, [56] = 0x9c, [57] = 0x40, [58] = 0, [59] = 11};
	struct frame_path path = path_ipv6();
	struct frame_template template;
	uint8_t wire[65] = {0};

	path.dscp = 46; /* 0xb8 as traffic class, across two bytes */
	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	memcpy(wire, template.bytes, template.size);
	frame_finish_ipv6(wire, 62, 3);
	ck_assert_mem_eq(wire, expected, sizeof(expected));
}
END_TEST

START_TEST(ipv6_checksum_for_every_size)
{
	const struct frame_path path = path_ipv6();
	struct frame_template template;
	uint8_t wire[FRAME_TEMPLATE_MAX + 1500];
	unsigned int size, i;

	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	ck_assert_uint_eq(template.size, 62);
	for (size = 0; size <= 1452; size++) {
		uint8_t *block;

		memcpy(wire, template.bytes, template.size);
		for (i = 0; i < size; i++)
			wire[62 + i] = (uint8_t)(i * 37 + size);
		unit_block(wire, 62 + size, &block);
		frame_finish_ipv6(block, 62, size);
		ck_assert_uint_eq(bytes_load16(block + 18), 8 + size);
		ck_assert_uint_eq(bytes_load16(block + 58), 8 + size);
		ck_assert_uint_ne(bytes_load16(block + 60), 0);
		ck_assert_uint_eq(slow_checksum(slow_sum(block + 54, 8 + size,
					  slow_pseudo_sum(block + 14, 8 + size))),
			0);
		free(block);
	}
}
END_TEST

/* A payload word equal to the checksum over a zero word there makes the sum ffff, so ~sum is 0. */
START_TEST(ipv6_checksum_zero_is_sent_as_ffff)
{
	const struct frame_path path = path_ipv6();
	struct frame_template template;
	uint8_t wire[64] = {0};
	uint16_t checksum;

	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	memcpy(wire, template.bytes, template.size);
	frame_finish_ipv6(wire, 62, 2);
	checksum = bytes_load16(wire + 60);
	memcpy(wire, template.bytes, template.size);
	bytes_store16(wire + 62, checksum);
	frame_finish_ipv6(wire, 62, 2);
	ck_assert_uint_eq(bytes_load16(wire + 60), 0xffff);
}
END_TEST

START_TEST(what_is_built_is_parsed)
{
	struct frame_path path = _i & 1 ? path_ipv6() : path_ipv4();
	const struct frame_lengths lengths = frame_lengths(sizeof(payload));
	struct frame_template template;
	uint8_t wire[FRAME_TEMPLATE_MAX + sizeof(payload)];
	enum stn_drop reason;
	struct frame frame;

	path.vlan = _i & 2 ? 9 : 0;
	ck_assert_int_eq(frame_template_build(&path, &template), 0);
	memcpy(wire, template.bytes, template.size);
	memcpy(wire + template.size, payload, sizeof(payload));
	if (template.family == 4)
		frame_finish_ipv4(wire, template.size, &lengths);
	else
		frame_finish_ipv6(wire, template.size, sizeof(payload));
	ck_assert(
		frame_parse(wire, template.size + (unsigned int)sizeof(payload), &frame, &reason));
	ck_assert(frame_address_equal(&frame.source, &path.local));
	ck_assert(frame_address_equal(&frame.destination, &path.remote));
	ck_assert_uint_eq(frame.vlan, path.vlan);
	ck_assert_uint_eq(frame.payload_offset, template.size);
	ck_assert_uint_eq(frame.payload_size, sizeof(payload));
}
END_TEST

START_TEST(paths_that_cannot_be)
{
	struct frame_template template;
	struct frame_path path = path_ipv4();

	path.local.family = 6;
	ck_assert_int_lt(frame_template_build(&path, &template), 0);
	path.remote.family = 5;
	path.local.family = 5;
	ck_assert_int_lt(frame_template_build(&path, &template), 0);
	path = path_ipv4();
	path.vlan = 4095;
	ck_assert_int_lt(frame_template_build(&path, &template), 0);
	path = path_ipv4();
	path.dscp = 64;
	ck_assert_int_lt(frame_template_build(&path, &template), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *parse = tcase_create("parse"), *build = tcase_create("build");

	tcase_add_loop_test(parse, parse_row, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(parse, addresses_are_filled_and_zero_padded);
	tcase_add_test(parse, a_shorter_udp_length_hides_what_follows);
	tcase_add_loop_test(
		parse, cut_at_every_byte, 0, sizeof(cut_shapes) / sizeof(cut_shapes[0]));
	tcase_add_test(parse, the_smallest_of_everything);
	tcase_add_test(parse, equal_and_hash_see_the_same);
	suite_add_tcase(suite, parse);
	tcase_add_test(build, ipv4_header_of_the_books);
	tcase_add_test(build, ipv4_checksum_for_every_size);
	tcase_add_test(build, ipv6_header_as_rfc_8200_has_it);
	tcase_add_test(build, ipv6_checksum_for_every_size);
	tcase_add_test(build, ipv6_checksum_zero_is_sent_as_ffff);
	tcase_add_loop_test(build, what_is_built_is_parsed, 0, 4);
	tcase_add_test(build, paths_that_cannot_be);
	suite_add_tcase(suite, build);
	return unit_run(suite);
}
