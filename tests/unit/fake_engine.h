/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An engine that protects nothing and hides nothing: what it appends in place of a tag tells which
 * key and which ROC a copy was made with. For tests of what is built around engines. One thread.
 */
#ifndef STENTOR_TESTS_UNIT_FAKE_ENGINE_H
#define STENTOR_TESTS_UNIT_FAKE_ENGINE_H

#include "dataplane/crypto/engine.h"

extern const struct engine fake_engine;

struct fake_tag {
	uint32_t roc;
	uint8_t key[12]; /* the first bytes of the lane's master key; of shorter tags, fewer */
};
_Static_assert(sizeof(struct fake_tag) == ENGINE_TAG_MAX, "in place of a GCM tag");

/* Made by open(). refuse: how many key_set() calls from now on succeed before one fails. */
struct fake_core {
	unsigned int runs;
	unsigned int longest_run;
	int refuse; /* negative: never */
};

#endif
