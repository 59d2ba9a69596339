// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/select_model.h"

#include <stdio.h>
#include <stdlib.h>

#define MS 1000000ull
#define CLOCK 0xfffff000u /* the timeline wraps early */
#define FIRST_INDEX 0xfff0ull
/* DRIFT_MAX_TICKS of timeline.c and half a frame of rounding. */
#define BEHIND_MAX (96000 + 480)

static void check(int holds, const char *promise)
{
	if (holds)
		return;
	fprintf(stderr, "promise broken: %s\n", promise);
	abort();
}

#define CHECK(promise) check((promise), #promise)

static void source_open(struct select_model *model, struct model_source *source)
{
	uint32_t leg = model->leg_next++;

	source->index = 1000;
	source->timestamp = leg * 77777777u;
	source->seen = UINT64_MAX;
	selector_source_init(&source->source, leg, 0x1000 + leg, false);
}

struct select_model *select_model_open(
	unsigned int slot_count, size_t steps_max, size_t indices_max)
{
	struct selector_slot_facts facts[STN_SLOTS_MAX] = {0};
	struct select_model *model = calloc(1, sizeof(*model));
	unsigned int i;

	CHECK(model != NULL);
	model->now_ns = 3600000 * MS;
	model->indices_max = indices_max;
	model->handles_max = steps_max;
	model->handle = calloc(steps_max, sizeof(*model->handle));
	CHECK(model->handle != NULL);
	for (i = 0; i < slot_count; i++) {
		facts[i] = (struct selector_slot_facts){100 + i, FIRST_INDEX + i, CLOCK};
		model->slot[i].start = facts[i].index;
		model->slot[i].highest = facts[i].index;
		model->slot[i].given = calloc(indices_max / 8 + 1, 1);
		CHECK(model->slot[i].given != NULL);
	}
	selector_init(&model->selector, &selector_config_default, facts, slot_count, model->now_ns);
	for (i = 0; i < slot_count; i++)
		model->slot[i].timestamp =
			timeline_at(&model->selector.slot[i].slot.timeline, model->now_ns) - 1;
	for (i = 0; i < MODEL_SOURCES; i++)
		source_open(model, &model->source[i]);
	return model;
}

static size_t handle_number(const struct select_model *model, const void *handle)
{
	size_t number = (size_t)(uintptr_t)handle - 1;

	CHECK(number < model->handle_count);
	return number;
}

static void check_index(struct select_model *model, const struct selector_emission *emission)
{
	struct model_slot *slot = &model->slot[emission->slot];
	const struct timeline *line = &model->selector.slot[emission->slot].slot.timeline;
	uint64_t offset = emission->index - slot->start;
	int32_t step = (int32_t)(emission->timestamp - slot->timestamp);

	CHECK(emission->index > slot->start);
	CHECK(offset < model->indices_max);
	CHECK(!(slot->given[offset / 8] >> offset % 8 & 1));
	slot->given[offset / 8] |= (uint8_t)(1u << offset % 8);
	if (emission->index < slot->highest) {
		CHECK(step < 0);
		CHECK(!emission->marker);
		model->late++;
		return;
	}
	CHECK(step > 0);
	CHECK((int32_t)(emission->timestamp - timeline_at(line, model->now_ns)) >= -BEHIND_MAX);
	slot->highest = emission->index;
	slot->timestamp = emission->timestamp;
}

static void check_packet(
	const struct selector_emission *emission, const struct selector_packet *packet)
{
	CHECK(emission->arrival_ns == packet->arrival_ns);
	CHECK(emission->has_level == packet->has_level);
	CHECK(emission->level == (packet->has_level ? packet->level : LEVEL_SILENT));
	CHECK(emission->voice == packet->voice);
	CHECK(emission->marker || !packet->marker);
}

static void check_emission(struct select_model *model, const struct selector_emission *emission)
{
	struct model_source *source;
	size_t number;

	CHECK(emission->slot < model->selector.slot_count);
	check_index(model, emission);
	if (emission->handle == NULL) {
		CHECK(emission->csrc == 0 && emission->source == SELECTOR_NOBODY);
		CHECK(emission->arrival_ns == model->now_ns && !emission->has_level);
		model->silence++;
		return;
	}
	number = handle_number(model, emission->handle);
	source = &model->source[model->handle[number].source];
	CHECK(model->handle[number].state == HANDLE_IN);
	CHECK(emission->source == source->source.leg && emission->csrc == source->source.ssrc);
	CHECK(!source->source.muted);
	CHECK(source->source.slot == emission->slot);
	check_packet(emission, &model->handle[number].packet);
	model->handle[number].state = HANDLE_EMITTED;
	model->emitted++;
}

static void check_holders(const struct select_model *model)
{
	unsigned int i, held = 0, holding = 0;

	for (i = 0; i < model->selector.slot_count; i++)
		held += selector_holder(&model->selector, i) != SELECTOR_NOBODY;
	for (i = 0; i < MODEL_SOURCES; i++) {
		const struct selector_source *source = &model->source[i].source;

		if (source->slot < 0)
			continue;
		holding++;
		CHECK(!source->muted);
		CHECK(source->preroll.count == 0);
		CHECK(selector_holder(&model->selector, (unsigned int)source->slot) == source->leg);
	}
	CHECK(held == holding);
}

/* Whatever has to be done later, the caller is told to come by then. */
static void check_tick(const struct select_model *model)
{
	const struct selector *selector = &model->selector;
	uint64_t tick_ns = selector_next_tick_ns(selector);
	unsigned int i;

	for (i = 0; i < selector->slot_count; i++) {
		const struct selector_slot *slot = &selector->slot[i];

		CHECK(slot->silence_owed == 0 || tick_ns <= slot->silence_ns);
		CHECK(!slot->holder || tick_ns <= slot->packet_ns + selector->config.gone_ms * MS);
	}
	for (i = 0; i < MODEL_SOURCES; i++) {
		const struct selector_packet *oldest =
			preroll_peek(&model->source[i].source.preroll);

		CHECK(!oldest || tick_ns <= oldest->arrival_ns + selector->config.preroll_ms * MS);
	}
}

static void check_output(struct select_model *model)
{
	const struct selector_output *out = &model->out;
	unsigned int i;

	for (i = 0; i < out->emission_count; i++)
		check_emission(model, &out->emission[i]);
	for (i = 0; i < out->release_count; i++) {
		size_t number = handle_number(model, out->release[i].handle);

		CHECK(model->handle[number].state == HANDLE_IN);
		CHECK(out->release[i].reason == STN_DROP_NOT_SELECTED ||
			out->release[i].reason == STN_DROP_SLOT_REORDERED ||
			out->release[i].reason == STN_DROP_SOURCE_MUTED);
		model->handle[number].state = HANDLE_RELEASED;
		model->released++;
	}
	for (i = 0; i < model->selector.slot_count; i++) {
		CHECK(selector_slot_index(&model->selector, i) == model->slot[i].highest);
		model->taken += out->changed >> i & 1;
	}
	CHECK(model->handle_count ==
		model->emitted + model->released + selector_pending(&model->selector));
	check_holders(model);
	check_tick(model);
}

/* The replay window in front of the selector lets each index through once. */
static bool choose_index(struct model_source *source, uint8_t choice, uint64_t *index)
{
	unsigned int behind = choice % 16;
	uint64_t step = 1;

	if (choice >= 240 && choice < 250) {
		if (source->seen >> behind & 1)
			return false;
		source->seen |= 1ull << behind;
		*index = source->index - behind;
		return true;
	}
	if (choice >= 200)
		step = 1 + choice % 8;
	if (choice >= 254)
		step = 500 + choice;
	source->seen = (step < 64 ? source->seen << step : 0) | 1;
	source->index += step;
	*index = source->index;
	return true;
}

static void step_packet(
	struct select_model *model, unsigned int number, const uint8_t *bytes, bool wild)
{
	struct model_source *source = &model->source[number];
	struct selector_packet packet = {
		.arrival_ns = model->now_ns,
		.level = bytes[3] & 0x7f,
		.has_level = number % 3 != 2,
		.voice = bytes[3] & 0x80,
		.marker = bytes[4] == 0,
		.payload_size = bytes[5],
	};
	uint64_t before = source->index;

	if (model->handle_count == model->handles_max ||
		!choose_index(source, bytes[2], &packet.index))
		return;
	if (wild)
		source->timestamp += (uint32_t)bytes[6] << 24 | (uint32_t)bytes[7] << 12;
	else if (bytes[6] > 250 && packet.index > before)
		source->timestamp += bytes[7] * 960u;
	if (packet.index > before)
		source->timestamp += (uint32_t)(packet.index - before) * 960u;
	packet.timestamp = source->timestamp - (uint32_t)(source->index - packet.index) * 960u;
	/* Late packets of a regular sender keep off the marker; the model checks that we do too. */
	if (packet.index < source->index)
		packet.marker = false;
	model->handle[model->handle_count].source = (uint8_t)number;
	model->handle[model->handle_count].state = HANDLE_IN;
	packet.handle = (void *)(uintptr_t)(model->handle_count + 1);
	model->handle[model->handle_count++].packet = packet;
	selector_packet(&model->selector, &source->source, &packet, &model->out);
	check_output(model);
}

static void step_remove(struct select_model *model, struct model_source *source)
{
	selector_remove(&model->selector, &source->source, model->now_ns, &model->out);
	check_output(model);
	CHECK(source->source.slot < 0 && source->source.preroll.count == 0);
	source_open(model, source);
}

static void step_mute(struct select_model *model, struct selector_source *source, bool muted)
{
	selector_mute(&model->selector, source, muted, model->now_ns, &model->out);
	check_output(model);
	CHECK(source->muted == muted);
	CHECK(!muted || (source->slot < 0 && source->preroll.count == 0));
}

static void step_tick(struct select_model *model)
{
	selector_tick(&model->selector, model->now_ns, &model->out);
	check_output(model);
	CHECK(model->out.release_count == SELECTOR_RELEASES_MAX ||
		selector_next_tick_ns(&model->selector) > model->now_ns);
}

void select_model_step(struct select_model *model, const uint8_t bytes[MODEL_STEP_SIZE])
{
	unsigned int number = (bytes[0] >> 4) % MODEL_SOURCES;
	struct model_source *source = &model->source[number];

	model->now_ns += bytes[1] % 8 * MS;
	switch (bytes[0] & 0x0f) {
	default:
		step_packet(model, number, bytes, false);
		break;
	case 11:
		step_packet(model, number, bytes, bytes[4] < 16);
		break;
	case 12:
		step_tick(model);
		break;
	case 13:
		step_mute(model, &source->source, bytes[2] < 100);
		break;
	case 14:
		if (bytes[2] < 16)
			step_remove(model, source);
		break;
	case 15:
		model->now_ns += bytes[2] * (bytes[3] < 4 ? 100 : 1) * MS;
		break;
	}
}

void select_model_drain(struct select_model *model)
{
	while (selector_next_tick_ns(&model->selector) != UINT64_MAX) {
		if (selector_next_tick_ns(&model->selector) > model->now_ns)
			model->now_ns = selector_next_tick_ns(&model->selector);
		step_tick(model);
	}
	CHECK(selector_pending(&model->selector) == 0);
	CHECK(model->handle_count == model->emitted + model->released);
}

void select_model_close(struct select_model *model)
{
	unsigned int i;

	for (i = 0; i < STN_SLOTS_MAX; i++)
		free(model->slot[i].given);
	free(model->handle);
	free(model);
}
