/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/webrtc/gate.h"

struct gate_address {
	struct gate_address *next;
	struct gate_place *oldest, *newest;
	unsigned int count;
	uint8_t family;
	uint8_t prefix[8]; /* an IPv4 address, or the first half of an IPv6 address */
};

int gate_open(struct gate *gate, unsigned int max, unsigned int address_max, uint64_t seed)
{
	*gate = (struct gate){
		.max = max, .address_max = address_max, .seed = seed, .bucket_count = 1};
	while (gate->bucket_count < max)
		gate->bucket_count *= 2;
	gate->bucket = calloc(gate->bucket_count, sizeof(*gate->bucket));
	return gate->bucket == NULL ? -ENOMEM : 0;
}

void gate_close(struct gate *gate)
{
	assert(gate->count == 0);
	free(gate->bucket);
	gate->bucket = NULL;
}

static void prefix_of(const struct stn_address *address, uint8_t prefix[8])
{
	memset(prefix, 0, 8);
	memcpy(prefix, address->address, address->family == 6 ? 8 : 4);
}

static struct gate_address **bucket_of(
	const struct gate *gate, uint8_t family, const uint8_t prefix[8])
{
	uint64_t h;

	memcpy(&h, prefix, sizeof(h));
	h = (h ^ gate->seed ^ family) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return &gate->bucket[(h ^ (h >> 32)) & (gate->bucket_count - 1)];
}

static struct gate_address *find(struct gate_address *at, uint8_t family, const uint8_t prefix[8])
{
	while (at != NULL && (at->family != family || memcmp(at->prefix, prefix, 8) != 0))
		at = at->next;
	return at;
}

static struct gate_address *make(struct gate_address **bucket, uint8_t family, uint8_t prefix[8])
{
	struct gate_address *address = calloc(1, sizeof(*address));

	if (address == NULL)
		return NULL;
	address->family = family;
	memcpy(address->prefix, prefix, 8);
	address->next = *bucket;
	*bucket = address;
	return address;
}

static void append(struct gate_address *address, struct gate_place *place)
{
	place->newer = NULL;
	place->older = address->newest;
	if (address->newest != NULL)
		address->newest->newer = place;
	else
		address->oldest = place;
	address->newest = place;
}

static void take_out(struct gate_address *address, struct gate_place *place)
{
	if (place->newer != NULL)
		place->newer->older = place->older;
	else
		address->newest = place->older;
	if (place->older != NULL)
		place->older->newer = place->newer;
	else
		address->oldest = place->newer;
}

void gate_hear(struct gate_place *place, uint64_t now_ns)
{
	place->heard_ns = now_ns;
	if (place->address == NULL || place->newer == NULL)
		return;
	take_out(place->address, place);
	append(place->address, place);
}

int gate_enter(struct gate *gate, struct gate_place *place, const struct stn_address *from,
	uint64_t now_ns, struct gate_place **idle)
{
	struct gate_address **bucket, *address;
	uint8_t prefix[8];

	*idle = NULL;
	prefix_of(from, prefix);
	bucket = bucket_of(gate, from->family, prefix);
	address = find(*bucket, from->family, prefix);
	if (gate->count >= gate->max || (address != NULL && address->count >= gate->address_max)) {
		if (address != NULL && now_ns >= address->oldest->heard_ns + GATE_IDLE_NS)
			*idle = address->oldest;
		return -ENOBUFS;
	}
	if (address == NULL)
		address = make(bucket, from->family, prefix);
	if (address == NULL)
		return -ENOMEM;
	*place = (struct gate_place){.address = address, .heard_ns = now_ns};
	append(address, place);
	address->count++;
	gate->count++;
	return 0;
}

static void forget(struct gate *gate, struct gate_address *address)
{
	struct gate_address **at = bucket_of(gate, address->family, address->prefix);

	while (*at != address)
		at = &(*at)->next;
	*at = address->next;
	free(address);
}

void gate_leave(struct gate *gate, struct gate_place *place)
{
	struct gate_address *address = place->address;

	if (address == NULL)
		return;
	take_out(address, place);
	place->address = NULL;
	gate->count--;
	if (--address->count == 0)
		forget(gate, address);
}
