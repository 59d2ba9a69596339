// SPDX-License-Identifier: BSD-3-Clause
/*
 * A long random walk through the selector, checked at every step by tests/support/select_model.c.
 * STENTOR_SEED repeats a run.
 */
#include "tests/support/select_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define STEPS 2000000
#define INDICES_MAX (64u << 20)

/* xorshift64*: Marsaglia 2003, Vigna 2016. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static int walk(unsigned int slot_count, uint64_t *random)
{
	struct select_model *model = select_model_open(slot_count, STEPS, INDICES_MAX);
	uint64_t bytes;
	size_t i;

	for (i = 0; i < STEPS; i++) {
		bytes = draw(random);
		select_model_step(model, (const uint8_t *)&bytes);
	}
	select_model_drain(model);
	printf("%u slots: %zu packets, %lu emitted (%lu late), %lu released, %lu silence frames, "
	       "%lu changes of hands\n",
		slot_count, model->handle_count, model->emitted, model->late, model->released,
		model->silence, model->taken);
	/* A walk that does not get around proves nothing. */
	i = model->emitted > STEPS / 10 && model->late > 100 && model->released > STEPS / 10 &&
	    model->silence > 1000 && model->taken > 1000;
	select_model_close(model);
	return i ? 0 : 1;
}

int main(void)
{
	const char *given = getenv("STENTOR_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 2 + 1;
	uint64_t random = seed;
	int failed;

	printf("STENTOR_SEED=%lu\n", seed);
	fflush(stdout);
	failed = walk(1, &random) + walk(3, &random) + walk(STN_SLOTS_MAX, &random);
	printf("100%%: Checks: 3, Failures: %d, Errors: 0\n", failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
