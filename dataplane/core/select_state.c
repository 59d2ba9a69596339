// SPDX-License-Identifier: BSD-3-Clause
/* The selector's state as others see it: made, looked at, hashed. Deciding is select.c. */
#include "dataplane/core/select_state.h"

#include <assert.h>

#include "dataplane/core/siphash.h"

const struct selector_config selector_config_default = {
	.preroll_ms = 120,
	.challenge_ms = 150,
	.hold_ms = 500,
	.silent_ms = 600,
	.gone_ms = 2000,
	.margin_db = 6,
	.active_level = 90,
	.dtx_payload_bytes = 8,
};

void selector_init(struct selector *selector, const struct selector_config *config,
	const struct selector_slot_facts facts[], unsigned int slot_count, uint64_t now_ns)
{
	unsigned int i;

	assert(slot_count >= 1 && slot_count <= STN_SLOTS_MAX);
	*selector = (struct selector){
		.config = *config,
		.slot_count = slot_count,
		.tick_ns = UINT64_MAX,
	};
	for (i = 0; i < slot_count; i++) {
		selector->slot[i].ssrc = facts[i].ssrc;
		slot_init(&selector->slot[i].slot, facts[i].index, facts[i].clock, now_ns);
	}
}

void selector_source_init(struct selector_source *source, uint32_t leg, uint32_t ssrc, bool muted)
{
	*source = (struct selector_source){
		.leg = leg,
		.ssrc = ssrc,
		.muted = muted,
		.slot = -1,
	};
}

uint64_t selector_pending(const struct selector *selector)
{
	return selector->pending_count;
}

uint64_t selector_slot_index(const struct selector *selector, unsigned int slot)
{
	return selector->slot[slot].slot.index;
}

uint32_t selector_holder(const struct selector *selector, unsigned int slot)
{
	const struct selector_source *holder = selector->slot[slot].holder;

	return holder ? holder->leg : SELECTOR_NOBODY;
}

void selector_slot_view(
	const struct selector *selector, unsigned int slot, struct selector_slot_view *out)
{
	const struct selector_slot *from = &selector->slot[slot];

	*out = (struct selector_slot_view){
		.ssrc = from->ssrc,
		.holder = selector_holder(selector, slot),
		.level = from->holder ? level_filter_level(&from->holder->level) : LEVEL_SILENT,
		.index = from->slot.index,
		.packets = from->packets,
		.last_ns = from->last_ns,
	};
}

static uint64_t mix(uint64_t digest, const uint64_t words[], unsigned int count)
{
	struct siphash_key key = {.k0 = digest};

	return siphash(&key, words, count * sizeof(words[0]));
}

uint64_t selector_digest(const struct selector *selector)
{
	uint64_t digest = selector->pending_count;
	unsigned int i;

	for (i = 0; i < selector->slot_count; i++) {
		const struct selector_slot *slot = &selector->slot[i];
		const struct timeline *line = &slot->slot.timeline;
		const uint64_t words[] = {slot->slot.index, slot->slot.used, slot->slot.offset,
			slot->slot.floor, line->last, line->anchor, line->clock, line->source,
			line->frame_ticks, selector_holder(selector, i), slot->changed_ns,
			slot->packet_ns, slot->silence_owed, slot->silence_ns};

		digest = mix(digest, words, sizeof(words) / sizeof(words[0]));
	}
	return digest;
}

uint64_t selector_source_digest(const struct selector_source *source)
{
	const struct preroll *preroll = &source->preroll;
	const uint64_t words[] = {source->leg, source->ssrc, source->muted, (uint64_t)source->slot,
		source->level.loudness_q8, source->level.started, source->level.last_ns,
		source->active_ns, source->challenge_ns, source->passed, preroll->count};
	uint64_t digest = mix(0, words, sizeof(words) / sizeof(words[0]));
	unsigned int i;

	for (i = 0; i < preroll->count; i++) {
		const struct selector_packet *packet =
			&preroll->packet[(preroll->first + i) % PREROLL_PACKETS_MAX];
		const uint64_t held[] = {packet->index, packet->timestamp, packet->arrival_ns};

		digest = mix(digest, held, sizeof(held) / sizeof(held[0]));
	}
	return digest;
}
