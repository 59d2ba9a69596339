// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/core/replay.h"

#include <string.h>

static uint64_t bit(uint64_t index)
{
	return UINT64_C(1) << index % 64;
}

static unsigned int word(uint64_t index)
{
	return (unsigned int)(index % REPLAY_WINDOW / 64);
}

void replay_init(struct replay *replay, uint64_t next)
{
	replay->next = next;
	memset(replay->seen, next ? 0xff : 0, sizeof(replay->seen));
}

enum replay_verdict replay_check(const struct replay *replay, uint64_t index)
{
	if (index >= replay->next)
		return REPLAY_NEW;
	if (replay->next - index > REPLAY_WINDOW)
		return REPLAY_TOO_OLD;
	return replay->seen[word(index)] & bit(index) ? REPLAY_DUPLICATE : REPLAY_NEW;
}

void replay_commit(struct replay *replay, uint64_t index)
{
	if (index >= replay->next) {
		/* What is skipped enters the window as not received. Nearly always nothing is. */
		if (index - replay->next >= REPLAY_WINDOW) {
			memset(replay->seen, 0, sizeof(replay->seen));
		} else {
			for (uint64_t skipped = replay->next; skipped < index; skipped++)
				replay->seen[word(skipped)] &= ~bit(skipped);
		}
		replay->next = index + 1;
	}
	replay->seen[word(index)] |= bit(index);
}
