// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/select_scene.h"

struct scene scene;

void scene_open(unsigned int slot_count, uint64_t index)
{
	struct selector_slot_facts facts[STN_SLOTS_MAX];
	unsigned int i;

	memset(&scene, 0, sizeof(scene));
	scene.now_ns = START_NS;
	scene.payload_size = 80;
	for (i = 0; i < STN_SLOTS_MAX; i++)
		facts[i] = (struct selector_slot_facts){0xa0 + i, index, CLOCK};
	selector_init(&scene.selector, &selector_config_default, facts, slot_count, START_NS);
	for (i = 0; i < SOURCES; i++) {
		selector_source_init(&scene.source[i], i, 0xb0 + i, false);
		scene.index[i] = 5000 * (i + 1);
		scene.timestamp[i] = 0xffffff00u * i;
	}
}

static void note_output(void)
{
	unsigned int i;

	for (i = 0; i < scene.out.emission_count; i++) {
		const struct selector_emission *emission = &scene.out.emission[i];

		ck_assert_uint_lt(scene.count, LOG_MAX);
		ck_assert_uint_eq(emission->csrc, emission->handle ? 0xb0 + emission->source : 0);
		scene.heard[scene.count++] = (struct heard){
			.source = emission->handle ? emission->source : SOURCES,
			.index = emission->index,
			.timestamp = emission->timestamp - CLOCK,
			.marker = emission->marker,
			.slot = emission->slot,
		};
	}
	for (i = 0; i < scene.out.release_count; i++)
		scene.drops[scene.out.release[i].reason]++;
	scene.changes += (unsigned int)__builtin_popcount(scene.out.changed);
}

void scene_send(unsigned int number, uint64_t index, uint32_t timestamp, uint8_t level)
{
	struct selector_packet packet = {
		.handle = (void *)++scene.handles,
		.index = index,
		.arrival_ns = scene.now_ns,
		.timestamp = timestamp,
		.payload_size = scene.payload_size,
		.level = level,
		.has_level = !scene.no_levels,
		.voice = scene.voice,
	};

	selector_packet(&scene.selector, &scene.source[number], &packet, &scene.out);
	note_output();
}

void scene_speak(unsigned int number, uint8_t level)
{
	scene_send(number, scene.index[number]++, scene.timestamp[number], level);
}

void scene_mute(unsigned int number, bool muted)
{
	selector_mute(&scene.selector, &scene.source[number], muted, scene.now_ns, &scene.out);
	note_output();
}

void scene_remove(unsigned int number)
{
	selector_remove(&scene.selector, &scene.source[number], scene.now_ns, &scene.out);
	note_output();
}

void scene_tick(void)
{
	if (selector_next_tick_ns(&scene.selector) > scene.now_ns)
		return;
	selector_tick(&scene.selector, scene.now_ns, &scene.out);
	note_output();
}

void scene_run(unsigned int ms, const uint8_t levels[SOURCES])
{
	unsigned int i;

	for (; ms > 0; ms -= 20) {
		for (i = 0; i < SOURCES; i++) {
			if (levels[i] != ABSENT)
				scene_speak(i, levels[i]);
			scene.timestamp[i] += 960;
		}
		scene_tick();
		scene.now_ns += 20 * MS;
	}
}

unsigned int scene_heard_from(unsigned int source)
{
	unsigned int i, count = 0;

	for (i = 0; i < scene.count; i++)
		count += scene.heard[i].source == source;
	return count;
}

void scene_check_slots(uint64_t first_index)
{
	uint64_t next[STN_SLOTS_MAX];
	uint32_t last[STN_SLOTS_MAX] = {0};
	unsigned int i;

	for (i = 0; i < STN_SLOTS_MAX; i++)
		next[i] = first_index;
	for (i = 0; i < scene.count; i++) {
		const struct heard *heard = &scene.heard[i];

		ck_assert_uint_eq(heard->index, next[heard->slot]++);
		ck_assert_uint_gt(heard->timestamp, last[heard->slot]);
		last[heard->slot] = heard->timestamp;
	}
}
