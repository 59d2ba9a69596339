// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/ice_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/api/ufrag.h"

struct ice_facts *ice_facts_make(const struct stn_op_leg_ice *op)
{
	unsigned int ufrag = op->remote_ufrag_size, pwd = op->remote_pwd_size;
	unsigned int username = ufrag + 1 + STN_UFRAG_SIZE;
	size_t size = sizeof(struct ice_facts) + username + pwd;
	struct ice_facts *facts;

	assert(ufrag <= STN_ICE_UFRAG_MAX && pwd <= STN_ICE_PWD_MAX);
	facts = calloc(1, size);
	if (facts == NULL)
		return NULL;
	digest_key_set(&facts->local, op->local_pwd, sizeof(op->local_pwd));
	digest_key_set(&facts->remote, op->remote_pwd, pwd);
	facts->leg_id = op->leg_id;
	memcpy(facts->local_random, op->local_random, sizeof(facts->local_random));
	facts->remote_ufrag_size = (uint16_t)ufrag;
	facts->remote_pwd_size = (uint16_t)pwd;
	facts->username_size = (uint16_t)username;
	facts->size = (uint16_t)size;
	memcpy(facts->local_pwd, op->local_pwd, sizeof(facts->local_pwd));
	memcpy(facts->text, op->remote_ufrag, ufrag);
	facts->text[ufrag] = ':';
	stn_ufrag_make(op->leg_id, op->local_random, facts->text + ufrag + 1);
	memcpy(facts->text + username, op->remote_pwd, pwd);
	return facts;
}

void ice_facts_free(struct ice_facts *facts)
{
	if (facts == NULL)
		return;
	explicit_bzero(facts, facts->size);
	free(facts);
}

void ice_facts_describe(const struct ice_facts *facts, struct stn_op_leg_ice *op)
{
	memset(op, 0, sizeof(*op));
	op->op.type = STN_OP_LEG_ICE;
	op->op.size = sizeof(*op);
	op->leg_id = facts->leg_id;
	memcpy(op->local_random, facts->local_random, sizeof(op->local_random));
	op->remote_ufrag_size = facts->remote_ufrag_size;
	op->remote_pwd_size = facts->remote_pwd_size;
	memcpy(op->local_pwd, facts->local_pwd, sizeof(op->local_pwd));
	memcpy(op->remote_ufrag, facts->text, facts->remote_ufrag_size);
	memcpy(op->remote_pwd, facts->text + facts->username_size, facts->remote_pwd_size);
}
