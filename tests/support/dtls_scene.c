/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/clock.h"
#include "tests/support/dtls_scene.h"

#define NOW_S 1700000000
#define TIMEOUT_NS 60000000000ULL
#define STEP_NS 10000000ULL /* of the clock, when everybody waits */
#define DELAY_NS 30000000ULL

static void put(
	struct scene *scene, enum scene_way way, uint64_t due_ns, const uint8_t *bytes, size_t size)
{
	struct scene_datagram *datagram = &scene->queue[scene->waiting];

	assert(scene->waiting < SCENE_QUEUE_MAX && size <= sizeof(datagram->bytes));
	datagram->way = way;
	datagram->due_ns = due_ns;
	datagram->size = size;
	memcpy(datagram->bytes, bytes, size);
	scene->waiting++;
}

static void travel(struct scene *scene, enum scene_way way, const uint8_t *bytes, size_t size)
{
	unsigned int number = scene->number[way]++;
	enum scene_fate fate = scene->fate ? scene->fate(scene, way, number) : SCENE_PASS;

	scene->bytes[way] += size;
	if (size > scene->largest[way])
		scene->largest[way] = size;
	if (fate == SCENE_LOSE)
		return;
	put(scene, way, scene->now_ns + (fate == SCENE_DELAY ? DELAY_NS : 0), bytes, size);
	if (fate == SCENE_DOUBLE)
		put(scene, way, scene->now_ns, bytes, size);
}

static void peer_sends(void *context, const uint8_t *bytes, size_t size)
{
	travel(context, SCENE_UP, bytes, size);
}

static void relay_sends(void *context, const uint8_t *bytes, size_t size)
{
	travel(context, SCENE_DOWN, bytes, size);
}

void scene_send_down(struct scene *scene, const uint8_t *bytes, size_t size)
{
	travel(scene, SCENE_DOWN, bytes, size);
}

void scene_open(struct scene *scene)
{
	int rc;

	memset(scene, 0, sizeof(*scene));
	rc = certificate_make(&scene->ours, 30, NOW_S);
	assert(rc == 0);
	rc = certificate_make(&scene->theirs, 30, NOW_S);
	assert(rc == 0);
	memcpy(scene->expected, scene->theirs->fingerprint, sizeof(scene->expected));
	scene->context = handshake_context(scene->ours);
	assert(scene->context != NULL);
	scene->facts.certificate = scene->theirs;
	clock_set(0);
}

void scene_start(struct scene *scene)
{
	struct handshake_sink sink = {relay_sends, scene};
	int rc = handshake_open(&scene->handshake, scene->context, scene->expected, &sink,
		scene->now_ns + TIMEOUT_NS);

	assert(rc == 0);
	scene->state = HANDSHAKE_RUNNING;
	scene->facts.send = peer_sends;
	scene->facts.context = scene;
	dtls_peer_open(&scene->peer, &scene->facts);
	dtls_peer_start(&scene->peer);
}

static void settle(struct scene *scene, enum handshake_state state)
{
	if (scene->state == HANDSHAKE_RUNNING && state != HANDSHAKE_RUNNING)
		handshake_take(scene->handshake, &scene->result);
	scene->state = state;
}

/* As dtls.c does it: what a connected leg receives goes to its association. */
static void relay_receives(struct scene *scene, const uint8_t *bytes, size_t size)
{
	uint8_t kept[RECORD_DATAGRAM_MAX], out[ASSOCIATION_OUT_MAX];

	if (scene->state == HANDSHAKE_CONNECTED) {
		struct association *association = &scene->result.association;

		if (association_receive(association, bytes, size) == ASSOCIATION_FINISHED) {
			size = association_write_finished(association, out);
			relay_sends(scene, out, size);
		}
		return;
	}
	size = record_filter(bytes, size, kept);
	if (size > 0)
		settle(scene, handshake_receive(scene->handshake, kept, size, scene->now_ns));
}

void scene_inject(struct scene *scene, const uint8_t *bytes, size_t size)
{
	uint8_t *block = malloc(size + 1); /* so that one byte too many is seen */

	assert(block != NULL);
	memcpy(block + 1, bytes, size);
	relay_receives(scene, block + 1, size);
	free(block);
}

/* Takes the oldest datagram that is due on one of the ways, a set of bits. */
static bool take(struct scene *scene, unsigned int ways, struct scene_datagram *out)
{
	for (unsigned int i = 0; i < scene->waiting; i++) {
		if (scene->queue[i].due_ns > scene->now_ns ||
			(ways & 1u << scene->queue[i].way) == 0)
			continue;
		*out = scene->queue[i];
		scene->waiting--;
		memmove(&scene->queue[i], &scene->queue[i + 1],
			(scene->waiting - i) * sizeof(scene->queue[0]));
		return true;
	}
	return false;
}

bool scene_take_up(struct scene *scene, struct scene_datagram *out)
{
	return take(scene, 1u << SCENE_UP, out);
}

void scene_deliver_down(struct scene *scene)
{
	struct scene_datagram datagram;

	while (take(scene, 1u << SCENE_DOWN, &datagram))
		dtls_peer_receive(&scene->peer, datagram.bytes, datagram.size);
}

static bool deliver(struct scene *scene)
{
	struct scene_datagram datagram;

	if (!take(scene, 1u << SCENE_UP | 1u << SCENE_DOWN, &datagram))
		return false;
	if (datagram.way == SCENE_UP) {
		if (scene->before)
			scene->before(scene);
		scene_inject(scene, datagram.bytes, datagram.size);
	} else {
		dtls_peer_receive(&scene->peer, datagram.bytes, datagram.size);
	}
	return true;
}

static void pass_time(struct scene *scene)
{
	scene->now_ns += STEP_NS;
	clock_set(scene->now_ns);
	dtls_peer_tick(&scene->peer);
	if (scene->now_ns >= handshake_deadline_ns(scene->handshake))
		settle(scene, handshake_tick(scene->handshake, scene->now_ns));
}

void scene_run(struct scene *scene, uint64_t limit_ns)
{
	while (scene->now_ns < limit_ns) {
		if (deliver(scene))
			continue;
		if (scene->waiting == 0 &&
			(scene->state == HANDSHAKE_FAILED ||
				(scene->state == HANDSHAKE_CONNECTED && scene->peer.connected)))
			break;
		pass_time(scene);
	}
}

void scene_close(struct scene *scene)
{
	dtls_peer_close(&scene->peer);
	handshake_close(scene->handshake);
	SSL_CTX_free(scene->context);
	certificate_release(scene->ours);
	certificate_release(scene->theirs);
}
