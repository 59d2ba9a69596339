// SPDX-License-Identifier: BSD-3-Clause
/*
 * Scenes of a room: who speaks how loud, 20 ms at a time, and what listeners get. Times on paper
 * follow from selector_config_default.
 */
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

static struct scene scene;

static void open_scene(unsigned int slot_count, uint64_t index)
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

static void send_packet(unsigned int number, uint64_t index, uint32_t timestamp, uint8_t level)
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

static void speak(unsigned int number, uint8_t level)
{
	send_packet(number, scene.index[number]++, scene.timestamp[number], level);
}

static void tick(void)
{
	if (selector_next_tick_ns(&scene.selector) > scene.now_ns)
		return;
	selector_tick(&scene.selector, scene.now_ns, &scene.out);
	note_output();
}

/* For so long everybody speaks (or not) every 20 ms; time and clocks end behind the last frame. */
static void run(unsigned int ms, const uint8_t levels[SOURCES])
{
	unsigned int i;

	for (; ms > 0; ms -= 20) {
		for (i = 0; i < SOURCES; i++) {
			if (levels[i] != ABSENT)
				speak(i, levels[i]);
			scene.timestamp[i] += 960;
		}
		tick();
		scene.now_ns += 20 * MS;
	}
}

#define RUN(ms, ...) run(ms, (const uint8_t[SOURCES]){__VA_ARGS__})

static unsigned int heard_from(unsigned int source)
{
	unsigned int i, count = 0;

	for (i = 0; i < scene.count; i++)
		count += scene.heard[i].source == source;
	return count;
}

/* Of one slot: indices without a gap, timestamps that grow. */
static void check_slots_run_on(uint64_t first_index)
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

START_TEST(one_speaker_is_heard_from_the_first_packet)
{
	unsigned int i;

	open_scene(3, 99);
	RUN(1000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 50);
	for (i = 0; i < 50; i++) {
		ck_assert_uint_eq(scene.heard[i].slot, 0);
		ck_assert_uint_eq(scene.heard[i].index, 100 + i);
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + i * 960);
		ck_assert(scene.heard[i].marker == (i == 0));
	}
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	ck_assert_uint_eq(selector_holder(&scene.selector, 1), SELECTOR_NOBODY);
	ck_assert_uint_eq(selector_slot_index(&scene.selector, 0), 149);
	ck_assert_uint_eq(scene.changes, 1);
}
END_TEST

START_TEST(of_five_speakers_the_three_loudest_are_heard)
{
	unsigned int early;

	open_scene(3, 0);
	RUN(2000, 60, 50, 40, 30, 20);
	early = scene.count;
	scene.count = 0;
	RUN(2000, 60, 50, 40, 30, 20);
	ck_assert_uint_eq(heard_from(0), 0);
	ck_assert_uint_eq(heard_from(1), 0);
	ck_assert_uint_eq(heard_from(2), 100);
	ck_assert_uint_eq(heard_from(3), 100);
	ck_assert_uint_eq(heard_from(4), 100);
	RUN(200, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	ck_assert_uint_eq(scene.handles, 5 * 200);
	ck_assert_uint_eq(early + scene.count + scene.drops[STN_DROP_NOT_SELECTED], 5 * 200);
}
END_TEST

START_TEST(equally_loud_speakers_do_not_take_turns)
{
	unsigned int i;

	open_scene(1, 0);
	for (i = 0; i < 50; i++) {
		RUN(100, 40, 42, ABSENT, ABSENT, ABSENT);
		RUN(100, 42, 40, ABSENT, ABSENT, ABSENT);
	}
	ck_assert_uint_eq(scene.changes, 1);
	ck_assert_uint_eq(heard_from(1), 0);
}
END_TEST

/* 10 s of flapping: at most one change in 500 ms, whatever the levels do. */
START_TEST(flapping_levels_do_not_flap_the_slot)
{
	unsigned int i;

	open_scene(1, 0);
	for (i = 0; i < 25; i++) {
		RUN(200, 10, 80, ABSENT, ABSENT, ABSENT);
		RUN(200, 80, 10, ABSENT, ABSENT, ABSENT);
	}
	/* A change vacates and takes the same slot, which is one bit. */
	ck_assert_uint_le(scene.changes, 1 + 10000 / 500);
	check_slots_run_on(1);
}
END_TEST

START_TEST(a_louder_challenger_must_stay_louder)
{
	open_scene(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	/* 140 ms are seven packets, the last of them 120 ms after the first. */
	RUN(140, 60, 30, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(1), 0);
	RUN(400, 60, 90, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(1), 0);
	/* The margin is crossed by the second or third packet; then 150 ms. */
	RUN(300, 60, 30, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 1);
	check_slots_run_on(1);
}
END_TEST

START_TEST(a_challenge_is_not_kept_over_quieter_speech)
{
	static const uint8_t quieter[] = {58, 100};

	open_scene(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(100, 60, 30, ABSENT, ABSENT, ABSENT);
	run(600, (const uint8_t[SOURCES]){60, quieter[_i], ABSENT, ABSENT, ABSENT});
	RUN(100, 60, 10, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(1), 0);
}
END_TEST

START_TEST(of_silent_holders_the_longest_silent_gives_way)
{
	open_scene(3, 0);
	RUN(100, LOUD, LOUD, LOUD, ABSENT, ABSENT);
	RUN(200, LOUD, SILENT, LOUD, ABSENT, ABSENT);
	RUN(200, LOUD, SILENT, SILENT, ABSENT, ABSENT);
	RUN(800, SILENT, SILENT, SILENT, ABSENT, ABSENT);
	speak(3, 80);
	ck_assert_int_eq(scene.source[3].slot, 1);
	speak(4, 80);
	ck_assert_int_eq(scene.source[4].slot, 2);
	ck_assert_int_eq(scene.source[0].slot, 0);
}
END_TEST

START_TEST(a_silent_holder_gives_way_before_a_quiet_one)
{
	open_scene(2, 0);
	RUN(1000, LOUD, 85, ABSENT, ABSENT, ABSENT);
	/* The level of 0 is still falling when 600 ms are over; the one of 1 is next to nothing. */
	RUN(620, SILENT, 85, ABSENT, ABSENT, ABSENT);
	speak(2, 80);
	ck_assert_int_eq(scene.source[2].slot, 0);
	ck_assert_int_eq(scene.source[1].slot, 1);
}
END_TEST

START_TEST(the_voice_bit_makes_a_quiet_source_active)
{
	open_scene(1, 0);
	scene.voice = true;
	RUN(100, SILENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 0);
	RUN(20, 126, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(0), 6);
}
END_TEST

START_TEST(a_challenge_is_not_kept_over_a_pause)
{
	open_scene(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(100, 60, 20, ABSENT, ABSENT, ABSENT);
	RUN(400, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(20, 60, 20, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(1), 0);
}
END_TEST

START_TEST(a_silent_holder_gives_way_at_once_with_preroll)
{
	unsigned int i;

	open_scene(1, 0);
	RUN(1000, LOUD, SILENT, ABSENT, ABSENT, ABSENT);
	RUN(700, SILENT, SILENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(1), 0);
	scene.count = 0;
	speak(1, LOUD);
	/* Kept are packets younger than 120 ms: of 100, 80, 60, 40, 20 ms ago, and this one. */
	ck_assert_uint_eq(heard_from(1), 6);
	ck_assert_uint_eq(scene.count, 6);
	for (i = 0; i < 6; i++) {
		ck_assert_uint_eq(scene.heard[i].index, 86 + i);
		ck_assert_uint_eq(
			scene.out.emission[i].arrival_ns, scene.now_ns - (5 - i) * 20 * MS);
		/* From the wall clock on, 1,700 ms after the start, in the source's own spacing. */
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + 1700 * 48 + i * 960);
		ck_assert(scene.heard[i].marker == (i == 0));
	}
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
}
END_TEST

START_TEST(silence_alone_takes_no_slot)
{
	open_scene(3, 0);
	RUN(500, SILENT, 90, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 0);
	RUN(200, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 50);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
}
END_TEST

START_TEST(without_levels_the_payload_decides)
{
	open_scene(1, 0);
	scene.no_levels = true;
	scene.payload_size = 8;
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 0);
	scene.payload_size = 9;
	speak(0, LOUD);
	ck_assert_uint_eq(heard_from(0), 6);
	ck_assert(!scene.out.emission[0].has_level);
	ck_assert_uint_eq(scene.out.emission[0].level, SILENT);
	/* Others as active as the holder do not push it out. */
	RUN(3000, 0, 0, 0, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(1) + heard_from(2), 0);
}
END_TEST

START_TEST(dtx_keeps_the_slot_and_the_marker_says_resumed)
{
	unsigned int i;

	open_scene(1, 0);
	RUN(1000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene.count = 0;
	for (i = 0; i < 20; i++) {
		RUN(380, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
		RUN(20, SILENT, ABSENT, ABSENT, ABSENT, ABSENT);
		ck_assert_uint_eq(scene.heard[i].index, 51 + i);
		ck_assert_uint_eq(
			scene.heard[i].timestamp, START_TICKS + (1000 + 380 + i * 400) * 48);
		ck_assert(!scene.heard[i].marker);
	}
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	RUN(200, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	RUN(60, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert(scene.heard[20].marker);
	ck_assert(!scene.heard[21].marker);
	ck_assert_uint_eq(scene.heard[20].index, 71);
	ck_assert_uint_eq(scene.changes, 1);
}
END_TEST

START_TEST(who_sends_nothing_for_two_seconds_is_gone)
{
	open_scene(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	/* The last packet came at 80 ms. */
	RUN(1980, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 0);
	RUN(20, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), SELECTOR_NOBODY);
	ck_assert_uint_eq(scene.changes, 2);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), UINT64_MAX);
	RUN(20, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert(scene.heard[5].marker);
	check_slots_run_on(1);
}
END_TEST

START_TEST(mute_is_at_once_and_ends_in_silence)
{
	unsigned int i;

	open_scene(1, 0);
	RUN(200, LOUD, 50, ABSENT, ABSENT, ABSENT);
	scene.count = 0;
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	note_output();
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), SELECTOR_NOBODY);
	ck_assert_uint_eq(scene.count, 0);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), scene.now_ns);
	RUN(1000, LOUD, 50, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(0), 0);
	ck_assert_uint_eq(scene.drops[STN_DROP_SOURCE_MUTED], 50);
	/* Three frames of 20 ms, then the other, who has been waiting, with preroll. */
	for (i = 0; i < 3; i++) {
		ck_assert_uint_eq(scene.heard[i].source, SOURCES);
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + 200 * 48 + i * 960);
		ck_assert(!scene.heard[i].marker);
	}
	ck_assert_uint_eq(heard_from(SOURCES), 3);
	ck_assert_uint_eq(scene.heard[3].source, 1);
	ck_assert(scene.heard[3].marker);
	check_slots_run_on(11);
}
END_TEST

START_TEST(mute_is_checked_before_the_level_is_read)
{
	uint64_t digest;

	open_scene(1, 0);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	digest = selector_source_digest(&scene.source[0]);
	RUN(500, 0, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_source_digest(&scene.source[0]), digest);
	ck_assert_uint_eq(scene.count, 0);
	ck_assert_uint_eq(scene.drops[STN_DROP_SOURCE_MUTED], 25);
	selector_mute(&scene.selector, &scene.source[0], false, scene.now_ns, &scene.out);
	speak(0, LOUD);
	ck_assert_uint_eq(scene.count, 1);
}
END_TEST

START_TEST(mute_releases_what_a_candidate_has_pending)
{
	open_scene(1, 0);
	RUN(100, SILENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), 5);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	note_output();
	ck_assert_uint_eq(scene.drops[STN_DROP_SOURCE_MUTED], 5);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	RUN(100, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	/* It held nothing, so nothing ends in silence. */
	ck_assert_uint_eq(scene.count, 0);
}
END_TEST

START_TEST(unmuted_speech_resumes_on_the_wall_clock)
{
	open_scene(1, 0);
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	RUN(5000, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_mute(&scene.selector, &scene.source[0], false, scene.now_ns, &scene.out);
	scene.count = 0;
	RUN(40, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.heard[0].timestamp, START_TICKS + 5200 * 48);
	ck_assert_uint_eq(scene.heard[0].index, 14);
	ck_assert(scene.heard[0].marker);
	ck_assert(!scene.heard[1].marker);
}
END_TEST

START_TEST(removal_ends_in_silence_and_a_rejoin_goes_on)
{
	open_scene(1, 0xfffe);
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_remove(&scene.selector, &scene.source[0], scene.now_ns, &scene.out);
	note_output();
	RUN(100, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(SOURCES), 3);
	/* Fresh keys, so fresh indices: lower than before is no matter. */
	selector_source_init(&scene.source[0], 0, 0xb0, false);
	scene.index[0] = 1;
	RUN(200, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(heard_from(0), 20);
	check_slots_run_on(0xffff); /* over 2^16 */
}
END_TEST

START_TEST(silence_frames_follow_the_clock_when_the_tick_is_late)
{
	open_scene(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	scene.count = 0;
	scene.now_ns += 45 * MS;
	tick();
	/* Due at 0, 20 and 40 ms: all three, one behind the other. */
	ck_assert_uint_eq(scene.count, 3);
	ck_assert_uint_eq(scene.heard[1].timestamp, scene.heard[0].timestamp + 960);
	ck_assert_uint_eq(scene.heard[2].timestamp, scene.heard[1].timestamp + 960);
	check_slots_run_on(6);
}
END_TEST

/* Ticks of an idle worker come a little late; the frames still join up, 20 ms apart. */
START_TEST(silence_frames_join_up_under_jitter)
{
	static const unsigned int ticks_ms[] = {0, 15, 32, 39, 55};
	static const unsigned int heard_ms[] = {1, 1, 2, 2, 3};
	uint64_t start_ns;
	unsigned int i;

	open_scene(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	start_ns = scene.now_ns;
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	scene.count = 0;
	for (i = 0; i < 5; i++) {
		scene.now_ns = start_ns + ticks_ms[i] * MS;
		tick();
		ck_assert_uint_eq(scene.count, heard_ms[i]);
	}
	for (i = 0; i < 3; i++)
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + 100 * 48 + i * 960);
}
END_TEST

START_TEST(silence_frames_much_later_are_about_now)
{
	open_scene(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	tick();
	scene.count = 0;
	scene.now_ns += 3000 * MS;
	tick();
	/* One now; the last in 20 ms. */
	ck_assert_uint_eq(scene.count, 1);
	ck_assert_uint_eq(scene.heard[0].timestamp, START_TICKS + 3100 * 48);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), scene.now_ns + 20 * MS);
}
END_TEST

START_TEST(a_loss_on_the_way_in_is_seen_by_listeners)
{
	open_scene(1, 0);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	scene.index[0] += 2;
	scene.timestamp[0] += 2 * 960;
	scene.now_ns += 40 * MS;
	RUN(40, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.heard[4].index, 5);
	ck_assert_uint_eq(scene.heard[5].index, 8);
	ck_assert_uint_eq(scene.heard[5].timestamp, scene.heard[4].timestamp + 3 * 960);
	ck_assert(!scene.heard[5].marker);
	/* One of the two comes after all: to its own place, once. */
	send_packet(0, scene.index[0] - 3, scene.timestamp[0] - 3 * 960, LOUD);
	ck_assert_uint_eq(scene.heard[7].index, 7);
	ck_assert_uint_eq(scene.heard[7].timestamp, scene.heard[4].timestamp + 2 * 960);
	send_packet(0, scene.index[0] - 3, scene.timestamp[0] - 3 * 960, LOUD);
	ck_assert_uint_eq(scene.count, 8);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
}
END_TEST

START_TEST(late_packets_of_the_previous_holder_are_reordered)
{
	open_scene(1, 0);
	RUN(1000, 60, ABSENT, ABSENT, ABSENT, ABSENT);
	scene.index[0]++; /* this one is still on its way */
	scene.timestamp[0] += 960;
	RUN(600, 60, 20, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(selector_holder(&scene.selector, 0), 1);
	scene.count = 0;
	send_packet(0, 5000 + 50, 50 * 960, 60);
	ck_assert_uint_eq(scene.count, 0);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
	/* The last one that was heard cannot wait to be heard again either. */
	send_packet(0, scene.source[0].passed - 1, 0, 60);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 2);
}
END_TEST

START_TEST(a_reordered_preroll_goes_out_in_order)
{
	unsigned int i;

	open_scene(1, 0);
	send_packet(0, 10, 9600, SILENT);
	send_packet(0, 12, 9600 + 2 * 960, SILENT);
	send_packet(0, 11, 9600 + 960, SILENT);
	send_packet(0, 11, 9600 + 960, SILENT);
	ck_assert_uint_eq(scene.drops[STN_DROP_SLOT_REORDERED], 1);
	send_packet(0, 9, 9600 - 960, LOUD);
	ck_assert_uint_eq(scene.count, 4);
	for (i = 0; i < 4; i++) {
		ck_assert_uint_eq(scene.heard[i].index, 1 + i);
		ck_assert_uint_eq(scene.heard[i].timestamp, START_TICKS + i * 960);
	}
}
END_TEST

START_TEST(a_flood_of_a_candidate_evicts_its_oldest)
{
	unsigned int i;

	open_scene(1, 0);
	for (i = 0; i < 200; i++)
		speak(0, SILENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 200 - PREROLL_PACKETS_MAX);
	/* Older than all that is kept: it goes itself, and nothing kept is lost for it. */
	send_packet(0, 5000 + 100, 0, SILENT);
	ck_assert_uint_eq(selector_pending(&scene.selector), PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(
		preroll_peek(&scene.source[0].preroll)->index, 5000 + 200 - PREROLL_PACKETS_MAX);
}
END_TEST

START_TEST(a_tick_releases_as_much_as_fits_and_asks_for_another)
{
	unsigned int i, ticks = 0;

	open_scene(1, 0);
	for (i = 0; i < 5 * PREROLL_PACKETS_MAX; i++)
		speak(i % 5, SILENT);
	scene.now_ns += 200 * MS;
	while (selector_next_tick_ns(&scene.selector) <= scene.now_ns) {
		tick();
		ticks++;
	}
	/* 240 packets, 64 a tick. */
	ck_assert_uint_eq(ticks, 4);
	ck_assert_uint_eq(scene.drops[STN_DROP_NOT_SELECTED], 5 * PREROLL_PACKETS_MAX);
	ck_assert_uint_eq(selector_pending(&scene.selector), 0);
	ck_assert_uint_eq(selector_next_tick_ns(&scene.selector), UINT64_MAX);
}
END_TEST

START_TEST(when_the_indices_are_used_up_nothing_is_sent)
{
	open_scene(1, SLOT_INDEX_MAX - 2);
	RUN(100, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 2);
	ck_assert_uint_eq(scene.heard[1].index, SLOT_INDEX_MAX);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	RUN(100, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT);
	ck_assert_uint_eq(scene.count, 2);
}
END_TEST

START_TEST(the_view_says_who_holds_what)
{
	struct selector_slot_view view;

	open_scene(2, 40);
	RUN(400, LOUD, ABSENT, ABSENT, ABSENT, ABSENT);
	selector_slot_view(&scene.selector, 0, &view);
	ck_assert_uint_eq(view.ssrc, 0xa0);
	ck_assert_uint_eq(view.holder, 0);
	ck_assert_uint_eq(view.level, LOUD);
	ck_assert_uint_eq(view.index, 60);
	ck_assert_uint_eq(view.packets, 20);
	ck_assert_uint_eq(view.last_ns, scene.now_ns - 20 * MS);
	selector_slot_view(&scene.selector, 1, &view);
	ck_assert_uint_eq(view.ssrc, 0xa1);
	ck_assert_uint_eq(view.holder, SELECTOR_NOBODY);
	ck_assert_uint_eq(view.level, SILENT);
	ck_assert_uint_eq(view.index, 40);
	ck_assert_uint_eq(view.packets, 0);
}
END_TEST

START_TEST(the_digest_sees_every_change)
{
	uint64_t digest, source;

	open_scene(1, 0);
	digest = selector_digest(&scene.selector);
	source = selector_source_digest(&scene.source[0]);
	ck_assert_uint_eq(digest, selector_digest(&scene.selector));
	speak(0, SILENT);
	ck_assert_uint_ne(digest, selector_digest(&scene.selector));
	ck_assert_uint_ne(source, selector_source_digest(&scene.source[0]));
	digest = selector_digest(&scene.selector);
	speak(0, LOUD);
	ck_assert_uint_ne(digest, selector_digest(&scene.selector));
	digest = selector_digest(&scene.selector);
	selector_mute(&scene.selector, &scene.source[0], true, scene.now_ns, &scene.out);
	ck_assert_uint_ne(digest, selector_digest(&scene.selector));
}
END_TEST

static void add_selection(Suite *suite)
{
	TCase *tcase = tcase_create("selection");

	tcase_add_test(tcase, one_speaker_is_heard_from_the_first_packet);
	tcase_add_test(tcase, of_five_speakers_the_three_loudest_are_heard);
	tcase_add_test(tcase, equally_loud_speakers_do_not_take_turns);
	tcase_add_test(tcase, flapping_levels_do_not_flap_the_slot);
	tcase_add_test(tcase, a_louder_challenger_must_stay_louder);
	tcase_add_test(tcase, a_challenge_is_not_kept_over_a_pause);
	tcase_add_loop_test(tcase, a_challenge_is_not_kept_over_quieter_speech, 0, 2);
	tcase_add_test(tcase, of_silent_holders_the_longest_silent_gives_way);
	tcase_add_test(tcase, a_silent_holder_gives_way_before_a_quiet_one);
	tcase_add_test(tcase, the_voice_bit_makes_a_quiet_source_active);
	tcase_add_test(tcase, a_silent_holder_gives_way_at_once_with_preroll);
	tcase_add_test(tcase, silence_alone_takes_no_slot);
	tcase_add_test(tcase, without_levels_the_payload_decides);
	tcase_add_test(tcase, dtx_keeps_the_slot_and_the_marker_says_resumed);
	tcase_add_test(tcase, who_sends_nothing_for_two_seconds_is_gone);
	suite_add_tcase(suite, tcase);
}

static void add_mute(Suite *suite)
{
	TCase *tcase = tcase_create("mute");

	tcase_add_test(tcase, mute_is_at_once_and_ends_in_silence);
	tcase_add_test(tcase, mute_is_checked_before_the_level_is_read);
	tcase_add_test(tcase, mute_releases_what_a_candidate_has_pending);
	tcase_add_test(tcase, unmuted_speech_resumes_on_the_wall_clock);
	tcase_add_test(tcase, removal_ends_in_silence_and_a_rejoin_goes_on);
	tcase_add_test(tcase, silence_frames_follow_the_clock_when_the_tick_is_late);
	tcase_add_test(tcase, silence_frames_join_up_under_jitter);
	tcase_add_test(tcase, silence_frames_much_later_are_about_now);
	suite_add_tcase(suite, tcase);
}

static void add_order(Suite *suite)
{
	TCase *tcase = tcase_create("order");

	tcase_add_test(tcase, a_loss_on_the_way_in_is_seen_by_listeners);
	tcase_add_test(tcase, late_packets_of_the_previous_holder_are_reordered);
	tcase_add_test(tcase, a_reordered_preroll_goes_out_in_order);
	tcase_add_test(tcase, a_flood_of_a_candidate_evicts_its_oldest);
	tcase_add_test(tcase, a_tick_releases_as_much_as_fits_and_asks_for_another);
	tcase_add_test(tcase, when_the_indices_are_used_up_nothing_is_sent);
	tcase_add_test(tcase, the_view_says_who_holds_what);
	tcase_add_test(tcase, the_digest_sees_every_change);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("select");

	add_selection(suite);
	add_mute(suite);
	add_order(suite);
	return unit_run(suite);
}
