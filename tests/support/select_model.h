/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Drives a selector with operations decoded from bytes, random or fuzzed, and aborts when one of
 * its promises is broken: every handle comes out once, no index is given out twice, timestamps grow
 * with the index, a muted source is never emitted, nothing stays pending.
 */
#ifndef STENTOR_TESTS_SUPPORT_SELECT_MODEL_H
#define STENTOR_TESTS_SUPPORT_SELECT_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/core/select.h"

#define MODEL_SOURCES 6
#define MODEL_STEP_SIZE 8

struct model_source {
	struct selector_source source;
	uint64_t index;
	uint32_t timestamp;
	uint64_t seen; /* bit n: index - n was sent */
};

struct model_slot {
	uint64_t start; /* index before the first one given out */
	uint64_t highest;
	uint32_t timestamp; /* of the highest */
	uint8_t *given;     /* bit set from start on */
};

enum handle_state { HANDLE_NEW, HANDLE_IN, HANDLE_EMITTED, HANDLE_RELEASED };

struct select_model {
	struct selector selector;
	struct selector_output out;
	struct model_source source[MODEL_SOURCES];
	struct model_slot slot[STN_SLOTS_MAX];
	uint64_t now_ns;
	size_t indices_max;
	size_t handles_max;
	size_t handle_count;
	struct {
		uint8_t state; /* enum handle_state */
		uint8_t source;
		struct selector_packet packet;
	} * handle;
	uint32_t leg_next;
	uint64_t emitted, released, silence, late, taken;
};

/* Room for so many steps; a slot's indices may advance by so much in all. */
struct select_model *select_model_open(
	unsigned int slot_count, size_t steps_max, size_t indices_max);
void select_model_step(struct select_model *model, const uint8_t bytes[MODEL_STEP_SIZE]);
/* Lets time pass: nothing may be left pending. */
void select_model_drain(struct select_model *model);
void select_model_close(struct select_model *model);

#endif
