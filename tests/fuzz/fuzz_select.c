// SPDX-License-Identifier: BSD-3-Clause
/* The first byte gives the number of slots, the rest are steps of the model. */
#include "tests/fuzz/fuzz.h"
#include "tests/support/select_model.h"

/* Of one step: SLOT_JUMP_MAX, or a whole preroll spread over late indices and gaps. */
#define ADVANCE_MAX ((SLOT_JUMP_MAX + 1) * PREROLL_PACKETS_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct select_model *model;
	size_t steps, i;

	if (size < 1 + MODEL_STEP_SIZE)
		return 0;
	steps = (size - 1) / MODEL_STEP_SIZE;
	model = select_model_open(1 + data[0] % STN_SLOTS_MAX, steps, steps * ADVANCE_MAX);
	for (i = 0; i < steps; i++)
		select_model_step(model, data + 1 + i * MODEL_STEP_SIZE);
	select_model_drain(model);
	select_model_close(model);
	return 0;
}
