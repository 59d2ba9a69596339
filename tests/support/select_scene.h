/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scenes of a room for the tests of speaker selection: who speaks how loud, 20 ms at a time, and
 * what listeners get. One scene at a time; Check runs each test in a process of its own.
 */
#ifndef STENTOR_TESTS_SUPPORT_SELECT_SCENE_H
#define STENTOR_TESTS_SUPPORT_SELECT_SCENE_H

#include "dataplane/core/select.h"
#include "tests/support/unit.h"

#define MS 1000000ull
#define SOURCES 5
#define LOG_MAX 4096
#define CLOCK 1000u
#define START_NS (10000 * MS) /* 480,000 ticks */
#define START_TICKS 480000u
#define ABSENT 255 /* sends nothing */
#define LOUD 30
#define SILENT 127

/* One emission, as a listener sees it. */
struct heard {
	unsigned int source; /* number, SOURCES: silence */
	uint64_t index;
	uint32_t timestamp;
	bool marker;
	unsigned int slot;
};

struct scene {
	struct selector selector;
	struct selector_source source[SOURCES];
	struct selector_output out;
	uint64_t now_ns;
	uint64_t index[SOURCES];
	uint32_t timestamp[SOURCES];
	uint16_t payload_size;
	bool no_levels;
	bool voice;
	uintptr_t handles;
	unsigned int drops[STN_DROP_COUNT];
	unsigned int changes;
	unsigned int count; /* heard */
	struct heard heard[LOG_MAX];
};

extern struct scene scene;

void scene_open(unsigned int slot_count, uint64_t index);
/* One packet, now. */
void scene_send(unsigned int number, uint64_t index, uint32_t timestamp, uint8_t level);
/* The next packet of a source. */
void scene_speak(unsigned int number, uint8_t level);
void scene_mute(unsigned int number, bool muted);
void scene_remove(unsigned int number);
void scene_tick(void);
/* For so long everybody speaks (or not) every 20 ms; time and clocks end behind the last frame. */
void scene_run(unsigned int ms, const uint8_t levels[SOURCES]);
#define RUN(ms, ...) scene_run(ms, (const uint8_t[SOURCES]){__VA_ARGS__})

unsigned int scene_heard_from(unsigned int source);
/* Of every slot: indices without a gap from first_index on, timestamps that grow. */
void scene_check_slots(uint64_t first_index);

#endif
