// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/contest.h"

/* What an active packet of a source without the extension is taken for: ordinary speech. */
#define LEVEL_UNKNOWN 40

bool contest_active(const struct selector_config *config, const struct selector_packet *packet)
{
	if (!packet->has_level)
		return packet->payload_size > config->dtx_payload_bytes;
	return packet->level < config->active_level ||
	       (packet->voice && packet->level < LEVEL_SILENT);
}

static uint8_t packet_level(
	const struct selector_config *config, const struct selector_packet *packet)
{
	if (packet->has_level)
		return packet->level;
	return contest_active(config, packet) ? LEVEL_UNKNOWN : LEVEL_SILENT;
}

void contest_observe(const struct selector_config *config, struct selector_source *source,
	const struct selector_packet *packet)
{
	/* A challenge is being louder for a while, not having been louder a while ago. */
	if (selector_elapsed(source->level.last_ns, config->challenge_ms, packet->arrival_ns))
		source->challenge_ns = 0;
	level_filter_add(&source->level, packet_level(config, packet), packet->arrival_ns);
	if (contest_active(config, packet))
		source->active_ns = packet->arrival_ns;
}

static bool is_silent(
	const struct selector *selector, const struct selector_source *holder, uint64_t now_ns)
{
	return selector_elapsed(holder->active_ns, selector->config.silent_ms, now_ns);
}

/* A free slot or else the weakest: silent for longest, or quietest. -1: all owe silence. */
static int weakest(const struct selector *selector, uint64_t now_ns)
{
	const struct selector_source *holder, *best = NULL;
	int number = -1;
	unsigned int i;

	for (i = 0; i < selector->slot_count; i++) {
		bool quieter;

		if (selector->slot[i].silence_owed > 0)
			continue;
		holder = selector->slot[i].holder;
		if (holder == NULL)
			return (int)i;
		if (best == NULL)
			quieter = true;
		else if (is_silent(selector, holder, now_ns) || is_silent(selector, best, now_ns))
			quieter = holder->active_ns < best->active_ns;
		else
			quieter = holder->level.loudness_q8 < best->level.loudness_q8;
		if (quieter) {
			best = holder;
			number = (int)i;
		}
	}
	return number;
}

/*
 * Whether a source is louder than an active holder, and has been for long enough. The smoothed
 * level falls slowly; so that its tail alone does not win, the packet itself must be louder too.
 */
static bool challenge(const struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet, const struct selector_slot *slot)
{
	const struct selector_config *config = &selector->config;
	uint32_t needed = slot->holder->level.loudness_q8 + config->margin_db * 256u;
	uint32_t loudness = (uint32_t)(LEVEL_SILENT - packet_level(config, packet)) * 256u;
	uint64_t now_ns = packet->arrival_ns;

	if (source->level.loudness_q8 < needed) {
		source->challenge_ns = 0;
		return false;
	}
	if (source->challenge_ns == 0)
		source->challenge_ns = now_ns;
	return loudness >= needed &&
	       selector_elapsed(source->challenge_ns, config->challenge_ms, now_ns) &&
	       selector_elapsed(slot->changed_ns, config->hold_ms, now_ns);
}

int contest_win(const struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet)
{
	int number = weakest(selector, packet->arrival_ns);
	const struct selector_slot *slot;

	if (number < 0)
		return -1;
	slot = &selector->slot[number];
	/* Every packet counts for a challenge, but only an active one is a reason to be heard. */
	if (slot->holder && !is_silent(selector, slot->holder, packet->arrival_ns) &&
		!challenge(selector, source, packet, slot))
		return -1;
	return contest_active(&selector->config, packet) ? number : -1;
}
