// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/ice_scene.h"

#include "dataplane/api/ufrag.h"
#include "dataplane/core/bytes.h"
#include "tests/support/unit.h"

#define REMOTE_UFRAG "evtj"

static void credentials(struct scene *scene, uint8_t generation)
{
	struct stn_op_leg_ice *op = &scene->op;

	memset(op, 0, sizeof(*op));
	op->op.type = STN_OP_LEG_ICE;
	op->op.size = sizeof(*op);
	op->leg_id = SCENE_LEG_ID;
	memset(op->local_random, 0xa0 + generation, sizeof(op->local_random));
	op->remote_ufrag_size = 4;
	op->remote_pwd_size = sizeof(SCENE_REMOTE_PWD) - 1;
	memcpy(op->local_pwd, SCENE_LOCAL_PWD, sizeof(op->local_pwd));
	memcpy(op->remote_ufrag, REMOTE_UFRAG, 4);
	memcpy(op->remote_pwd, SCENE_REMOTE_PWD, sizeof(SCENE_REMOTE_PWD) - 1);
	op->local_pwd[0] = (char)('a' + generation);
	op->remote_pwd[0] = (char)('V' + generation);
	stn_ufrag_make(SCENE_LEG_ID, op->local_random, scene->username);
	memcpy(scene->username + STN_UFRAG_SIZE, ":" REMOTE_UFRAG, 6);
}

void scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->secret = (struct siphash_key){UINT64_C(0x0706050403020100), 99};
	scene->now_ns = 1000 * SCENE_S;
	credentials(scene, 0);
	scene->facts = ice_facts_make(&scene->op);
	scene->ice = ice_open(SCENE_LEG, SCENE_WORKER, &scene->secret);
	ck_assert(scene->facts != NULL && scene->ice != NULL);
	ice_set_facts(scene->ice, scene->facts);
}

void scene_close(struct scene *scene)
{
	ice_close(scene->ice);
	ice_facts_free(scene->facts);
}

void scene_restart(struct scene *scene, uint8_t generation)
{
	struct ice_facts *before = scene->facts;

	credentials(scene, generation);
	scene->facts = ice_facts_make(&scene->op);
	ice_set_facts(scene->ice, scene->facts);
	ice_facts_free(before);
}

struct ice_origin scene_origin(unsigned int tuple)
{
	struct ice_origin origin = {
		.remote = {.family = 4, .port_be = __builtin_bswap16((uint16_t)(40000 + tuple))},
		.mac = {2, 0, 0, 0, 0, 1},
	};

	memcpy(origin.remote.address, "\xc6\x33\x64", 3);
	origin.remote.address[3] = (uint8_t)tuple;
	return origin;
}

enum stn_drop scene_deliver(struct scene *scene, const struct ice_origin *from)
{
	uint64_t before = ice_digest(scene->ice, 0);
	uint8_t *block;
	const uint8_t *data = unit_block(scene->craft.bytes, scene->craft.size, &block);

	ck_assert_int_eq(stun_parse(data, scene->craft.size, &scene->stun), 0);
	ice_receive(scene->ice, &scene->stun, data, from, scene->now_ns, &scene->out);
	free(block);
	if (scene->out.drop != STN_DROP_COUNT) {
		ck_assert_uint_eq(scene->out.count, 0);
		ck_assert_int_eq(scene->out.event, ICE_EVENT_NONE);
		ck_assert_uint_eq(ice_digest(scene->ice, 0), before);
	}
	return scene->out.drop;
}

static void next_transaction(struct scene *scene, uint8_t transaction[12])
{
	memset(transaction, 0x5c, 12);
	bytes_store32(transaction + 3, ++scene->checks);
}

enum stn_drop scene_check(struct scene *scene, unsigned int tuple, unsigned int flags)
{
	struct ice_origin from = scene_origin(tuple);
	uint8_t transaction[12];
	char password[STN_ICE_LOCAL_PWD_SIZE + 1] = {0};

	next_transaction(scene, transaction);
	memcpy(password, scene->op.local_pwd, sizeof(scene->op.local_pwd));
	craft_check(&scene->craft, transaction, scene->username, password, flags);
	return scene_deliver(scene, &from);
}

enum stn_drop scene_answer(
	struct scene *scene, const struct ice_output *challenge, unsigned int i, unsigned int tuple)
{
	static const struct stn_address relay = {
		.family = 4, .port_be = 0x1234, .address = {192, 0, 2, 1}};
	struct ice_origin from = scene_origin(tuple);
	uint8_t transaction[12];

	memcpy(transaction, challenge->message[i] + 8, sizeof(transaction));
	craft_success(&scene->craft, transaction, &relay, scene->op.remote_pwd);
	return scene_deliver(scene, &from);
}

void scene_validate(struct scene *scene, unsigned int tuple, unsigned int flags)
{
	struct ice_origin from = scene_origin(tuple);

	ck_assert_int_eq(scene_check(scene, tuple, flags), STN_DROP_COUNT);
	scene_expect_challenge(scene, 0);
	ck_assert_int_eq(scene_answer(scene, &scene->out, 0, tuple), STN_DROP_COUNT);
	ck_assert(ice_path_validated(scene->ice, &from.remote));
}

int scene_selected(const struct scene *scene)
{
	const struct ice_origin *origin = ice_selected(scene->ice);

	return origin == NULL ? -1 : origin->remote.address[3];
}

static void parse_output(const struct scene *scene, unsigned int i, struct stun *stun)
{
	ck_assert_uint_lt(i, scene->out.count);
	ck_assert_int_eq(stun_parse(scene->out.message[i], scene->out.size[i], stun), 0);
}

void scene_expect_challenge(const struct scene *scene, unsigned int i)
{
	struct digest_key key;
	struct stun stun;

	parse_output(scene, i, &stun);
	ck_assert_int_eq(stun.class, STUN_REQUEST);
	ck_assert_uint_eq(stun.username_size, 4 + 1 + STN_UFRAG_SIZE);
	ck_assert_mem_eq(stun.username, REMOTE_UFRAG ":", 5);
	ck_assert_mem_eq(stun.username + 5, scene->username, STN_UFRAG_SIZE);
	ck_assert(stun.controlled && stun.tie_breaker == 0 && !stun.use_candidate);
	digest_key_set(&key, scene->op.remote_pwd, scene->op.remote_pwd_size);
	ck_assert(stun_verify(&stun, scene->out.message[i], &key));
}

void scene_expect_response(const struct scene *scene, unsigned int i, const uint8_t *transaction,
	const struct ice_origin *to)
{
	struct digest_key key;
	struct stun stun;

	parse_output(scene, i, &stun);
	ck_assert_int_eq(stun.class, STUN_SUCCESS);
	ck_assert_mem_eq(stun.transaction, transaction, 12);
	ck_assert(stun.mapped_known);
	ck_assert_mem_eq(&stun.mapped, &to->remote, sizeof(to->remote));
	ck_assert_mem_eq(&scene->out.to.remote, &to->remote, sizeof(to->remote));
	digest_key_set(&key, scene->op.local_pwd, sizeof(scene->op.local_pwd));
	ck_assert(stun_verify(&stun, scene->out.message[i], &key));
}
