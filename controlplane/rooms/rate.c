/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/event.h"
#include "controlplane/rooms/rate.h"

#define SECOND_NS 1000000000u
#define LOOKED_AT 8 /* buckets, to find one that may go */

struct rate_bucket {
	char actor[EVENT_ID_MAX + 1]; /* first: the name in the table */
	uint64_t full_ns;
};

void rate_clear(struct rate *rate)
{
	for (uint32_t i = 0; i < rate->count; i++)
		free(rate->buckets[i]);
	free(rate->buckets);
	hash_clear(&rate->actors);
	*rate = (struct rate){.actors.seed = rate->actors.seed};
}

/* The fullest of the next few; all of them are looked at in turn. NULL: there are none. */
static struct rate_bucket *fullest(struct rate *rate)
{
	struct rate_bucket *best = NULL;

	for (uint32_t i = 0; i < LOOKED_AT && i < rate->count; i++) {
		struct rate_bucket *bucket = rate->buckets[rate->hand];

		rate->hand = (rate->hand + 1) % rate->count;
		if (best == NULL || bucket->full_ns < best->full_ns)
			best = bucket;
	}
	return best;
}

static struct rate_bucket *append(struct rate *rate)
{
	struct rate_bucket *bucket;

	if (rate->count == rate->capacity) {
		uint32_t capacity = rate->capacity == 0 ? 64 : rate->capacity * 2;
		struct rate_bucket **buckets =
			realloc(rate->buckets, capacity * sizeof(*rate->buckets));

		if (buckets == NULL)
			return NULL;
		rate->buckets = buckets;
		rate->capacity = capacity;
	}
	bucket = calloc(1, sizeof(*bucket));
	if (bucket != NULL)
		rate->buckets[rate->count++] = bucket;
	return bucket;
}

/* A full one for that actor, in the place of another if need be; NULL: out of memory. */
static struct rate_bucket *add(struct rate *rate, const char *actor, uint64_t now_ns)
{
	struct rate_bucket *bucket = fullest(rate);
	bool fresh = false;

	if (bucket == NULL || (bucket->full_ns > now_ns && rate->count < RATE_ACTORS_MAX)) {
		struct rate_bucket *appended = append(rate);

		fresh = appended != NULL;
		bucket = fresh ? appended : bucket;
	}
	if (bucket == NULL)
		return NULL;
	if (!fresh)
		hash_remove(&rate->actors, bucket->actor);
	*bucket = (struct rate_bucket){0};
	strncpy(bucket->actor, actor, EVENT_ID_MAX);
	if (hash_add(&rate->actors, bucket) == 0)
		return bucket;
	/* Only one that was just appended can fail: the others leave their place behind. */
	free(rate->buckets[--rate->count]);
	rate->hand = 0;
	return NULL;
}

uint64_t rate_take(
	struct rate *rate, const struct rate_limit *limit, const char *actor, uint64_t now_ns)
{
	struct rate_bucket *bucket;
	uint64_t one_ns, full_ns;

	if (limit->per_second == 0)
		return 0;
	bucket = hash_find(&rate->actors, actor);
	if (bucket == NULL)
		bucket = add(rate, actor, now_ns);
	if (bucket == NULL)
		return 0; /* a moderator is not to wait for memory */
	one_ns = SECOND_NS / limit->per_second;
	full_ns = (bucket->full_ns > now_ns ? bucket->full_ns : now_ns) + one_ns;
	if (full_ns - now_ns > limit->burst * one_ns)
		return full_ns - now_ns - limit->burst * one_ns;
	bucket->full_ns = full_ns;
	return 0;
}
