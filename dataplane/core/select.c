// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/select.h"

#include <assert.h>

#include "dataplane/core/contest.h"

#define MS 1000000ull
#define SILENCE_NS (20 * MS)
#define SILENCE_LATE_MS 100

const uint8_t selector_silence[SELECTOR_SILENCE_SIZE] = {0xf8, 0xff, 0xfe};

static void wake(struct selector *selector, uint64_t at_ns)
{
	if (at_ns < selector->tick_ns)
		selector->tick_ns = at_ns;
}

static void begin(struct selector_output *out)
{
	out->emission_count = 0;
	out->release_count = 0;
	out->changed = 0;
}

static void release(struct selector_output *out, void *handle, enum stn_drop reason)
{
	assert(out->release_count < SELECTOR_RELEASES_MAX);
	out->release[out->release_count++] = (struct selector_release){handle, reason};
}

static struct selector_emission *emission_add(struct selector *selector, unsigned int number,
	uint64_t now_ns, struct selector_output *out)
{
	struct selector_emission *emission = &out->emission[out->emission_count++];

	assert(out->emission_count <= SELECTOR_EMISSIONS_MAX);
	*emission = (struct selector_emission){
		.source = SELECTOR_NOBODY,
		.slot = (uint8_t)number,
		.level = LEVEL_SILENT,
	};
	selector->slot[number].packets++;
	selector->slot[number].last_ns = now_ns;
	return emission;
}

/* Preroll: in step with the list of sources that have some, and with the count over all. */

static const struct selector_packet *pending_oldest(const struct selector_source *source)
{
	return preroll_peek(&source->preroll);
}

static bool pending_push(struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet)
{
	if (!preroll_push(&source->preroll, packet))
		return false;
	if (source->preroll.count == 1) {
		source->previous = NULL;
		source->next = selector->pending;
		if (source->next)
			source->next->previous = source;
		selector->pending = source;
	}
	selector->pending_count++;
	wake(selector, packet->arrival_ns + selector->config.preroll_ms * MS);
	return true;
}

static bool pending_pop(
	struct selector *selector, struct selector_source *source, struct selector_packet *packet)
{
	if (!preroll_pop(&source->preroll, packet))
		return false;
	selector->pending_count--;
	if (source->preroll.count > 0)
		return true;
	if (source->previous)
		source->previous->next = source->next;
	else
		selector->pending = source->next;
	if (source->next)
		source->next->previous = source->previous;
	return true;
}

static void pending_drain(struct selector *selector, struct selector_source *source,
	enum stn_drop reason, struct selector_output *out)
{
	struct selector_packet packet;

	while (pending_pop(selector, source, &packet))
		release(out, packet.handle, reason);
}

/* Leaves the rest for the next tick when `out` is full. */
static void pending_expire(struct selector *selector, struct selector_source *source,
	uint64_t now_ns, struct selector_output *out)
{
	const struct selector_packet *oldest;
	struct selector_packet packet;

	while ((oldest = pending_oldest(source)) != NULL &&
		selector_elapsed(oldest->arrival_ns, selector->config.preroll_ms, now_ns) &&
		out->release_count < SELECTOR_RELEASES_MAX) {
		pending_pop(selector, source, &packet);
		release(out, packet.handle, STN_DROP_NOT_SELECTED);
	}
}

/* Slots changing hands. */

static void vacate(
	struct selector *selector, struct selector_source *source, struct selector_output *out)
{
	out->changed |= (uint8_t)(1u << source->slot);
	selector->slot[source->slot].holder = NULL;
	source->slot = -1;
}

static void silence_owe(struct selector *selector, struct selector_slot *slot, uint64_t now_ns)
{
	slot->silence_owed = SELECTOR_SILENCE_FRAMES;
	slot->silence_ns = now_ns;
	wake(selector, now_ns);
}

static void silence_emit(struct selector *selector, unsigned int number, uint64_t now_ns,
	struct selector_output *out)
{
	struct selector_slot *slot = &selector->slot[number];
	struct selector_emission *emission;
	bool on_time = false;
	uint64_t index;

	if (!slot_index_next(&slot->slot, &index)) {
		slot->silence_owed = 0;
		return;
	}
	emission = emission_add(selector, number, now_ns, out);
	emission->index = index;
	emission->arrival_ns = now_ns;
	/* Late by more than an ordinary tick: then this is about now, not about when it was due. */
	if (selector_elapsed(slot->silence_ns, SILENCE_LATE_MS, now_ns))
		slot->silence_ns = now_ns;
	else if (slot->silence_owed < SELECTOR_SILENCE_FRAMES)
		on_time = true;
	emission->timestamp = on_time ? timeline_extend(&slot->slot.timeline)
				      : timeline_take(&slot->slot.timeline, 0, now_ns);
	slot->silence_owed--;
	slot->silence_ns += SILENCE_NS;
}

static void silence_due(struct selector *selector, uint64_t now_ns, struct selector_output *out)
{
	unsigned int i;

	for (i = 0; i < selector->slot_count; i++)
		while (selector->slot[i].silence_owed > 0 && selector->slot[i].silence_ns <= now_ns)
			silence_emit(selector, i, now_ns, out);
}

/* Packets. */

/* A packet of the holder. took: the first one since it took the slot. */
static void emit(struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet, bool took, struct selector_output *out)
{
	struct selector_slot *slot = &selector->slot[source->slot];
	uint64_t previous = slot->slot.index, now_ns = slot->packet_ns, index;
	struct selector_emission *emission;
	bool late, marker = took;
	uint32_t timestamp;

	if (!slot_index(&slot->slot, packet->index, &index, &late) ||
		(late && !timeline_late(&slot->slot.timeline, packet->timestamp, &timestamp))) {
		release(out, packet->handle, STN_DROP_SLOT_REORDERED);
		return;
	}
	if (took)
		timestamp = timeline_take(&slot->slot.timeline, packet->timestamp, now_ns);
	else if (!late)
		marker = timeline_next(&slot->slot.timeline, packet->timestamp,
				 (unsigned int)(index - previous), now_ns, &timestamp) &&
			 contest_active(&selector->config, packet);
	emission = emission_add(selector, (unsigned int)source->slot, now_ns, out);
	emission->handle = packet->handle;
	emission->index = index;
	emission->arrival_ns = packet->arrival_ns;
	emission->timestamp = timestamp;
	emission->csrc = source->ssrc;
	emission->source = source->leg;
	emission->has_level = packet->has_level;
	emission->level = packet->has_level ? packet->level : LEVEL_SILENT;
	emission->voice = packet->voice;
	emission->marker = marker || packet->marker;
	if (packet->index >= source->passed)
		source->passed = packet->index + 1;
}

/* The source takes the slot and everything pending of it, the newest packet included, goes out. */
static void take(struct selector *selector, struct selector_source *source, unsigned int number,
	uint64_t now_ns, struct selector_output *out)
{
	struct selector_slot *slot = &selector->slot[number];
	struct selector_packet packet;
	bool took = true;

	if (slot->holder)
		vacate(selector, slot->holder, out);
	slot->holder = source;
	slot->changed_ns = now_ns;
	slot->packet_ns = now_ns;
	source->slot = (int8_t)number;
	source->challenge_ns = 0;
	out->changed |= (uint8_t)(1u << number);
	wake(selector, now_ns + selector->config.gone_ms * MS);
	slot_take(&slot->slot, pending_oldest(source)->index);
	for (; pending_pop(selector, source, &packet); took = false)
		emit(selector, source, &packet, took, out);
}

static void candidate_packet(struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet, struct selector_output *out)
{
	struct selector_packet evicted;
	int number;

	if (packet->index < source->passed) {
		release(out, packet->handle, STN_DROP_SLOT_REORDERED);
		return;
	}
	pending_expire(selector, source, packet->arrival_ns, out);
	if (preroll_full(&source->preroll)) {
		if (packet->index < pending_oldest(source)->index) {
			release(out, packet->handle, STN_DROP_NOT_SELECTED);
			return;
		}
		pending_pop(selector, source, &evicted);
		release(out, evicted.handle, STN_DROP_NOT_SELECTED);
	}
	if (!pending_push(selector, source, packet)) {
		release(out, packet->handle, STN_DROP_SLOT_REORDERED);
		return;
	}
	number = contest_win(selector, source, packet);
	if (number >= 0)
		take(selector, source, (unsigned int)number, packet->arrival_ns, out);
}

void selector_packet(struct selector *selector, struct selector_source *source,
	const struct selector_packet *packet, struct selector_output *out)
{
	begin(out);
	if (source->muted) {
		release(out, packet->handle, STN_DROP_SOURCE_MUTED);
		return;
	}
	contest_observe(&selector->config, source, packet);
	if (source->slot < 0) {
		candidate_packet(selector, source, packet, out);
		return;
	}
	selector->slot[source->slot].packet_ns = packet->arrival_ns;
	emit(selector, source, packet, false, out);
}

/* Nothing more of this source; a slot it holds ends in silence. */
static void cut(struct selector *selector, struct selector_source *source, enum stn_drop reason,
	uint64_t now_ns, struct selector_output *out)
{
	pending_drain(selector, source, reason, out);
	if (source->slot < 0)
		return;
	silence_owe(selector, &selector->slot[source->slot], now_ns);
	vacate(selector, source, out);
}

void selector_mute(struct selector *selector, struct selector_source *source, bool muted,
	uint64_t now_ns, struct selector_output *out)
{
	begin(out);
	source->muted = muted;
	if (muted)
		cut(selector, source, STN_DROP_SOURCE_MUTED, now_ns, out);
}

void selector_remove(struct selector *selector, struct selector_source *source, uint64_t now_ns,
	struct selector_output *out)
{
	begin(out);
	cut(selector, source, STN_DROP_NOT_SELECTED, now_ns, out);
}

static uint64_t earliest(const struct selector *selector)
{
	const struct selector_config *config = &selector->config;
	const struct selector_source *source;
	uint64_t at_ns, result = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < selector->slot_count; i++) {
		const struct selector_slot *slot = &selector->slot[i];

		at_ns = UINT64_MAX;
		if (slot->silence_owed > 0)
			at_ns = slot->silence_ns;
		else if (slot->holder)
			at_ns = slot->packet_ns + config->gone_ms * MS;
		if (at_ns < result)
			result = at_ns;
	}
	for (source = selector->pending; source; source = source->next) {
		at_ns = pending_oldest(source)->arrival_ns + config->preroll_ms * MS;
		if (at_ns < result)
			result = at_ns;
	}
	return result;
}

void selector_tick(struct selector *selector, uint64_t now_ns, struct selector_output *out)
{
	struct selector_source *source, *next;
	unsigned int i;

	begin(out);
	if (now_ns < selector->tick_ns)
		return;
	silence_due(selector, now_ns, out);
	for (i = 0; i < selector->slot_count; i++) {
		struct selector_slot *slot = &selector->slot[i];

		if (slot->holder &&
			selector_elapsed(slot->packet_ns, selector->config.gone_ms, now_ns))
			vacate(selector, slot->holder, out);
	}
	for (source = selector->pending; source; source = next) {
		next = source->next;
		pending_expire(selector, source, now_ns, out);
	}
	selector->tick_ns = earliest(selector);
}

uint64_t selector_next_tick_ns(const struct selector *selector)
{
	return selector->tick_ns;
}
