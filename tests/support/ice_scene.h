/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A leg with ICE credentials and its peer, whose messages are put together by stun_craft. Time is
 * scene->now_ns. What is done goes into scene->out; a call that is refused must leave the digest of
 * the leg as it was, which is checked here every time.
 */
#ifndef STENTOR_TESTS_SUPPORT_ICE_SCENE_H
#define STENTOR_TESTS_SUPPORT_ICE_SCENE_H

#include "dataplane/core/ice.h"
#include "tests/support/stun_craft.h"

#define SCENE_MS UINT64_C(1000000)
#define SCENE_S (1000 * SCENE_MS)
#define SCENE_CONSENT_NS (30 * SCENE_S)
#define SCENE_WORKER 5
#define SCENE_LEG 0x00123456u
#define SCENE_LEG_ID UINT64_C(0x1122334455667788)
#define SCENE_LOCAL_PWD "abcdefghijklmnopqrstuvwx"
#define SCENE_REMOTE_PWD "VOkJxbRl1RmTxUk/WvJxBt"

struct scene {
	struct siphash_key secret;
	struct stn_op_leg_ice op;
	struct ice_facts *facts;
	struct ice_leg *ice;
	uint64_t now_ns;
	uint32_t checks; /* transaction ids made so far */
	char username[300];
	struct craft craft; /* the last message of the peer */
	struct stun stun;
	struct ice_output out;
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);
/* Credentials of another generation: other random bits, other passwords of both sides. */
void scene_restart(struct scene *scene, uint8_t generation);
/* A tuple, with the MAC of the router before it. 0 to 255. */
struct ice_origin scene_origin(unsigned int tuple);

/* Delivers scene->craft. Returns the verdict; whether it parses is asserted. */
enum stn_drop scene_deliver(struct scene *scene, const struct ice_origin *from);
/* A fresh check of Chromium; flags of craft_check(). */
enum stn_drop scene_check(struct scene *scene, unsigned int tuple, unsigned int flags);
/* Answers the challenge in message[i] of the output, as the peer would. */
enum stn_drop scene_answer(struct scene *scene, const struct ice_output *challenge, unsigned int i,
	unsigned int tuple);
/* Check and answer: validated, asserted. */
void scene_validate(struct scene *scene, unsigned int tuple, unsigned int flags);
/* The selected tuple, -1: none. */
int scene_selected(const struct scene *scene);
/* Asserts that message[i] is a challenge to this leg's peer, or the response to `transaction`. */
void scene_expect_challenge(const struct scene *scene, unsigned int i);
void scene_expect_response(const struct scene *scene, unsigned int i, const uint8_t *transaction,
	const struct ice_origin *to);

#endif
