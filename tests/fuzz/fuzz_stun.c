// SPDX-License-Identifier: BSD-3-Clause
/*
 * STUN at a leg. The first byte says from which tuple, how much time passes, and whether the leg
 * has a validated path; then the message, as it came, and once more as somebody with the password
 * would send it: our username, integrity and fingerprint are put right wherever they are.
 */
#include <string.h>

#include "dataplane/core/ice.h"
#include "tests/fuzz/fuzz.h"

#define LEG_ID UINT64_C(0x1122334455667788)
#define HEADERS 28u /* of IPv4 and UDP */
#define LOCAL_PWD "abcdefghijklmnopqrstuvwx"
#define REMOTE_PWD "VOkJxbRl1RmTxUk/WvJxBt"
#define USERNAME "ESIzRFVmd4igoKCg:evtj"

static const struct siphash_key secret = {1, 2};
static struct digest_key local, remote;

static struct ice_facts *make_facts(void)
{
	struct stn_op_leg_ice op = {.leg_id = LEG_ID,
		.local_random = {0xa0, 0xa0, 0xa0, 0xa0},
		.remote_ufrag_size = 4,
		.remote_pwd_size = sizeof(REMOTE_PWD) - 1};

	memcpy(op.local_pwd, LOCAL_PWD, sizeof(op.local_pwd));
	memcpy(op.remote_ufrag, "evtj", 4);
	memcpy(op.remote_pwd, REMOTE_PWD, sizeof(REMOTE_PWD) - 1);
	return ice_facts_make(&op);
}

static void store32(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* By the attributes as they lie, whatever they contain; the parser is not asked. */
static void put_right(uint8_t *data, size_t size, const struct digest_key *key)
{
	uint8_t header[20];
	size_t at = 20, next;

	for (; at + 4 <= size; at = next) {
		unsigned int type = (unsigned int)(data[at] << 8 | data[at + 1]);
		unsigned int length = (unsigned int)(data[at + 2] << 8 | data[at + 3]);

		next = at + 4 + (length + 3) / 4 * 4;
		if (next > size)
			return;
		if (type == 6 && length == sizeof(USERNAME) - 1)
			memcpy(data + at + 4, USERNAME, length);
		if (type == 8 && length == DIGEST_HMAC_SIZE) {
			memcpy(header, data, sizeof(header));
			header[2] = (uint8_t)((next - 20) >> 8);
			header[3] = (uint8_t)(next - 20);
			digest_hmac(key, header, sizeof(header), data + 20, at - 20, data + at + 4);
		}
		if (type == 0x8028 && length == 4)
			store32(data + at + 4, digest_crc32(data, at) ^ 0x5354554e);
	}
}

/* Whether somebody who knows the password has sent it; by other means than the leg's. */
static int authentic(const struct stun *stun, const uint8_t *data)
{
	if (stun->class == STUN_SUCCESS)
		return stun_verify(stun, data, &remote);
	return stun->class == STUN_REQUEST && stun->username_size == sizeof(USERNAME) - 1 &&
	       memcmp(stun->username, USERNAME, sizeof(USERNAME) - 1) == 0 &&
	       stun_verify(stun, data, &local);
}

static void check_output(const struct stun *stun, const struct ice_output *out, int was_valid)
{
	unsigned int sent = 0;
	struct stun own;

	FUZZ_CHECK(out->count <= 2);
	for (unsigned int i = 0; i < out->count; i++) {
		FUZZ_CHECK(out->size[i] <= ICE_MESSAGE_MAX);
		FUZZ_CHECK(stun_parse(out->message[i], out->size[i], &own) == 0);
		FUZZ_CHECK(own.class == STUN_SUCCESS || own.class == STUN_REQUEST);
		FUZZ_CHECK(stun_verify(
			&own, out->message[i], own.class == STUN_SUCCESS ? &local : &remote));
		sent += HEADERS + out->size[i];
	}
	if (!was_valid && stun->class == STUN_REQUEST)
		FUZZ_CHECK(sent <= HEADERS + stun->size);
}

static void receive(struct ice_leg *ice, const uint8_t *data, size_t size,
	const struct ice_origin *from, uint64_t now_ns)
{
	int was_valid = ice_path_validated(ice, &from->remote);
	uint64_t before = ice_digest(ice, 0);
	enum ice_addressee addressee;
	struct ice_output out;
	enum stn_drop drop;
	uint64_t leg_id;
	uint8_t worker;
	uint32_t leg;
	struct stun stun;

	if (stun_parse(data, (unsigned int)size, &stun) != 0)
		return;
	addressee = ice_addressee(&stun, &leg_id, &worker, &leg, &drop);
	ice_receive(ice, &stun, data, from, now_ns, &out);
	if (out.drop != STN_DROP_COUNT) {
		FUZZ_CHECK(out.count == 0 && out.event == ICE_EVENT_NONE);
		FUZZ_CHECK(ice_digest(ice, 0) == before);
		return;
	}
	FUZZ_CHECK(authentic(&stun, data));
	FUZZ_CHECK(addressee != ICE_ADDRESSEE_NOBODY);
	FUZZ_CHECK(addressee == ICE_ADDRESSEE_UFRAG ? leg_id == LEG_ID : worker == 3 && leg == 77);
	check_output(&stun, &out, was_valid);
}

/* Has a challenge sent to `to` and writes its transaction id. */
static void challenge(
	struct ice_leg *ice, const struct ice_origin *to, uint64_t now_ns, uint8_t transaction[12])
{
	struct stun_check check = {
		.transaction = "opens a path", .username = USERNAME, .username_size = 21};
	struct ice_output out;
	uint8_t data[128];
	struct stun stun;

	FUZZ_CHECK(stun_parse(data, stun_build_check(data, &check, &local), &stun) == 0);
	ice_receive(ice, &stun, data, to, now_ns, &out);
	FUZZ_CHECK(out.drop == STN_DROP_COUNT && out.count == 1);
	memcpy(transaction, out.message[0] + 8, 12);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ice_origin known = {.remote = {.family = 4, .port_be = 1}}, from = known;
	struct ice_facts *facts = make_facts();
	struct ice_leg *ice = ice_open(77, 3, &secret);
	uint64_t now_ns = UINT64_C(1000000000000);
	uint8_t right[2048];

	FUZZ_CHECK(facts != NULL && ice != NULL);
	digest_key_set(&local, LOCAL_PWD, sizeof(LOCAL_PWD) - 1);
	digest_key_set(&remote, REMOTE_PWD, sizeof(REMOTE_PWD) - 1);
	ice_set_facts(ice, facts);
	if (size > 0 && size <= sizeof(right)) {
		if (data[0] & 1)
			ice_start_with(ice, &known, now_ns);
		from.remote.port_be = (uint16_t)(1 + (data[0] >> 1 & 1));
		now_ns += (uint64_t)(data[0] >> 2) * 100000000;
		receive(ice, data + 1, size - 1, &from, now_ns);
		memcpy(right, data + 1, size - 1);
		if (size > 20 && right[0] & 1)
			challenge(ice, &from, now_ns, right + 8);
		put_right(right, size - 1, right[0] & 1 ? &remote : &local);
		receive(ice, right, size - 1, &from, now_ns);
		from.remote.port_be = 3;
		receive(ice, right, size - 1, &from, now_ns);
	}
	ice_close(ice);
	ice_facts_free(facts);
	return 0;
}
