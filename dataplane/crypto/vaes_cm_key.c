// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "dataplane/crypto/ipsec_mb.h"
#include "dataplane/crypto/vaes_cm.h"

size_t vaes_cm_block_size(void)
{
	return VAES_CM_UNITS * sizeof(struct vaes_cm_unit);
}

/* What a block has of one leg, and where. */
struct cm_leg {
	uint8_t key[16], salt[16];
	uint32_t inner[SHA1_STATE_WORDS], outer[SHA1_STATE_WORDS];
};

struct place {
	uint8_t *key, *salt;
	struct sha1_state *inner, *outer;
	unsigned int lane;
};

static struct place place_of(void *block, unsigned int lane)
{
	struct vaes_cm_unit *unit = (struct vaes_cm_unit *)block + lane / SHA1_LANES;
	unsigned int group = lane % SHA1_LANES / VAES_LANES, within = lane % VAES_LANES;

	return (struct place){.key = unit->key[group].lane[within],
		.salt = unit->salt[group].lane[within],
		.inner = &unit->inner,
		.outer = &unit->outer,
		.lane = VAES_CM_GROUPS * within + group};
}

static void place_write(const struct place *place, const struct cm_leg *leg)
{
	memcpy(place->key, leg->key, sizeof(leg->key));
	memcpy(place->salt, leg->salt, sizeof(leg->salt));
	for (unsigned int i = 0; i < SHA1_STATE_WORDS; i++) {
		place->inner->word[i].lane[place->lane] = leg->inner[i];
		place->outer->word[i].lane[place->lane] = leg->outer[i];
	}
}

static void place_read(const struct place *place, struct cm_leg *leg)
{
	memcpy(leg->key, place->key, sizeof(leg->key));
	memcpy(leg->salt, place->salt, sizeof(leg->salt));
	for (unsigned int i = 0; i < SHA1_STATE_WORDS; i++) {
		leg->inner[i] = place->inner->word[i].lane[place->lane];
		leg->outer[i] = place->outer->word[i].lane[place->lane];
	}
}

void vaes_cm_set(
	struct engine_core *core, void *block, unsigned int lane, const struct session_keys *keys)
{
	struct place place = place_of(block, lane);
	struct cm_lane expanded;
	struct cm_leg leg;

	ipsec_mb_cm_expand(core, &keys->rtp, &expanded);
	memcpy(leg.key, keys->rtp.key, sizeof(leg.key));
	memcpy(leg.salt, keys->rtp.salt, sizeof(leg.salt));
	memcpy(leg.inner, expanded.inner, sizeof(leg.inner));
	memcpy(leg.outer, expanded.outer, sizeof(leg.outer));
	place_write(&place, &leg);
	explicit_bzero(&expanded, sizeof(expanded));
	explicit_bzero(&leg, sizeof(leg));
}

void vaes_cm_clear(void *block, unsigned int lane)
{
	static const struct cm_leg zero;
	struct place place = place_of(block, lane);

	place_write(&place, &zero);
	/* The stores above are not to be left out because the block is freed next. */
	__asm__ volatile("" : : "r"(block) : "memory");
}

void vaes_cm_move(void *to, unsigned int to_lane, void *from, unsigned int from_lane)
{
	struct place target = place_of(to, to_lane), source = place_of(from, from_lane);
	struct cm_leg leg;

	if (to == from && to_lane == from_lane)
		return;
	place_read(&source, &leg);
	place_write(&target, &leg);
	vaes_cm_clear(from, from_lane);
	explicit_bzero(&leg, sizeof(leg));
}
