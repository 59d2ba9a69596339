/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <openssl/ssl.h>

#include "controlplane/webrtc/dtls.h"
#include "controlplane/webrtc/gate.h"
#include "controlplane/webrtc/pool.h"

#define BUCKETS_FIRST 64

/* How long a leg's next ClientHello is ignored after its first failure; doubles with each. */
#define HOLD_FIRST_NS 100000000ULL
#define HOLD_MAX_NS 10000000000ULL

struct run;

struct leg {
	struct leg *next; /* in its bucket */
	uint64_t leg_id;
	SSL_CTX *context;                /* NULL once connected */
	struct run *run;                 /* the handshake under way */
	struct association *association; /* NULL until connected */
	struct leg *left_next;           /* in dtls->left */
	uint64_t hold_until_ns;
	struct stn_address remote; /* of the last datagram */
	uint8_t failures;
	bool left;
	uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
};

/* A handshake under way, or what still has to come back from its thread. */
struct run {
	struct leg *leg; /* NULL: nobody waits for it any more */
	struct pool_task *task;
	struct gate_place place;
};

struct dtls {
	struct dtls_callbacks callbacks;
	void *context;
	struct pool *pool;
	struct gate gate;
	SSL_CTX *ssl_context; /* for legs to come */
	uint64_t timeout_ns;
	uint64_t seed;
	struct leg **bucket;
	size_t bucket_count; /* power of two */
	struct leg *left;    /* whose closed() is due */
	struct dtls_stats stats;
};

static const char *const failure_names[] = {
	[0] = "none",
	[DTLS_FAILURE_TIMEOUT] = "timeout",
	[DTLS_FAILURE_PROTOCOL] = "protocol",
	[DTLS_FAILURE_NO_CERTIFICATE] = "no_certificate",
	[DTLS_FAILURE_FINGERPRINT] = "fingerprint",
	[DTLS_FAILURE_NO_PROFILE] = "no_profile",
	[DTLS_FAILURE_BUDGET] = "budget",
};
_Static_assert(sizeof(failure_names) / sizeof(failure_names[0]) == DTLS_FAILURE_COUNT,
	"a name for each failure");

const char *dtls_failure_name(unsigned int failure)
{
	return failure < DTLS_FAILURE_COUNT ? failure_names[failure] : "unknown";
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- legs by id ---- */

static struct leg **place_of(struct leg **bucket, size_t count, uint64_t seed, uint64_t leg_id)
{
	uint64_t h = (leg_id ^ seed) * 0x9e3779b97f4a7c15u;

	return &bucket[(h ^ (h >> 32)) & (count - 1)];
}

/* Where the leg hangs, or the end of its bucket. */
static struct leg **locate(const struct dtls *dtls, uint64_t leg_id)
{
	struct leg **at = place_of(dtls->bucket, dtls->bucket_count, dtls->seed, leg_id);

	while (*at != NULL && (*at)->leg_id != leg_id)
		at = &(*at)->next;
	return at;
}

/* More buckets are wished for, not needed. */
static void grow(struct dtls *dtls)
{
	size_t count = dtls->bucket_count * 2;
	struct leg **bigger = calloc(count, sizeof(*bigger));

	if (bigger == NULL)
		return;
	for (size_t i = 0; i < dtls->bucket_count; i++) {
		struct leg *leg = dtls->bucket[i], *next;

		for (; leg != NULL; leg = next) {
			struct leg **at = place_of(bigger, count, dtls->seed, leg->leg_id);

			next = leg->next;
			leg->next = *at;
			*at = leg;
		}
	}
	free(dtls->bucket);
	dtls->bucket = bigger;
	dtls->bucket_count = count;
}

int dtls_expect(
	struct dtls *dtls, uint64_t leg_id, const uint8_t fingerprint[DTLS_FINGERPRINT_SIZE])
{
	struct leg **at, *leg;

	if (dtls->stats.legs >= dtls->bucket_count)
		grow(dtls);
	at = locate(dtls, leg_id);
	if (*at != NULL)
		return -EEXIST;
	leg = calloc(1, sizeof(*leg));
	if (leg == NULL)
		return -ENOMEM;
	SSL_CTX_up_ref(dtls->ssl_context);
	leg->context = dtls->ssl_context;
	leg->leg_id = leg_id;
	memcpy(leg->fingerprint, fingerprint, DTLS_FINGERPRINT_SIZE);
	*at = leg;
	dtls->stats.legs++;
	return 0;
}

/* ---- handshakes ---- */

static void free_run(struct run *run)
{
	SSL_CTX_free(run->task->context);
	pool_task_free(run->task);
	free(run);
}

/* Its place is free at once; its memory when the thread has let go of it. */
static void end_run(struct dtls *dtls, struct run *run)
{
	run->leg->run = NULL;
	run->leg = NULL;
	gate_leave(&dtls->gate, &run->place);
	pool_finish(dtls->pool, run->task);
}

static struct run *run_of_place(struct gate_place *place)
{
	return (struct run *)((char *)place - offsetof(struct run, place));
}

static bool enter(
	struct dtls *dtls, struct run *run, const struct stn_address *remote, uint64_t now)
{
	struct gate_place *idle;
	int rc = gate_enter(&dtls->gate, &run->place, remote, now, &idle);

	if (rc == -ENOBUFS && idle != NULL) {
		dtls->stats.evicted++;
		end_run(dtls, run_of_place(idle));
		rc = gate_enter(&dtls->gate, &run->place, remote, now, &idle);
	}
	return rc == 0;
}

static struct run *start_run(
	struct dtls *dtls, struct leg *leg, const struct stn_address *remote, uint64_t now)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL)
		return NULL;
	run->task = pool_task_make();
	if (run->task == NULL || !enter(dtls, run, remote, now)) {
		pool_task_free(run->task);
		free(run);
		return NULL;
	}
	run->leg = leg;
	SSL_CTX_up_ref(leg->context);
	run->task->context = leg->context;
	run->task->owner = run;
	run->task->timeout_at_ns = now + dtls->timeout_ns;
	memcpy(run->task->fingerprint, leg->fingerprint, DTLS_FINGERPRINT_SIZE);
	leg->run = run;
	pool_start(dtls->pool, run->task);
	dtls->stats.started++;
	return run;
}

static void receive_handshake(struct dtls *dtls, struct leg *leg, const uint8_t *bytes, size_t size)
{
	uint8_t kept[RECORD_DATAGRAM_MAX];
	uint64_t now = now_ns();

	size = record_filter(bytes, size, kept);
	if (size == 0)
		return;
	if (leg->run == NULL) {
		if (!record_has_hello(kept, size))
			return;
		if (now < leg->hold_until_ns || start_run(dtls, leg, &leg->remote, now) == NULL) {
			dtls->stats.refused++;
			return;
		}
	}
	gate_hear(&leg->run->place, now);
	if (pool_receive(dtls->pool, leg->run->task, &leg->remote, kept, size) != 0)
		dtls->stats.refused++;
}

static void send_out(struct dtls *dtls, const struct leg *leg, const uint8_t *bytes, size_t size)
{
	if (size > 0)
		dtls->callbacks.send(dtls->context, leg->leg_id, &leg->remote, bytes, size);
}

static void receive_connected(struct dtls *dtls, struct leg *leg, const uint8_t *bytes, size_t size)
{
	uint8_t out[ASSOCIATION_OUT_MAX];

	switch (association_receive(leg->association, bytes, size)) {
	case ASSOCIATION_FINISHED:
		send_out(dtls, leg, out, association_write_finished(leg->association, out));
		break;
	case ASSOCIATION_CLOSED:
		if (leg->left)
			break;
		leg->left = true;
		leg->left_next = dtls->left;
		dtls->left = leg;
		pool_wake(dtls->pool);
		break;
	case ASSOCIATION_NOTHING:
		break;
	}
}

void dtls_receive(struct dtls *dtls, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct leg *leg = *locate(dtls, leg_id);

	if (leg == NULL || size > RECORD_DATAGRAM_MAX)
		return;
	leg->remote = *remote;
	if (leg->association != NULL)
		receive_connected(dtls, leg, bytes, size);
	else
		receive_handshake(dtls, leg, bytes, size);
}

static void take_left(struct dtls *dtls, const struct leg *leg)
{
	struct leg **at = &dtls->left;

	while (*at != NULL && *at != leg)
		at = &(*at)->left_next;
	if (*at != NULL)
		*at = leg->left_next;
}

static void free_leg(struct dtls *dtls, struct leg *leg)
{
	if (leg->run != NULL)
		end_run(dtls, leg->run);
	if (leg->association != NULL)
		association_erase(leg->association);
	free(leg->association);
	SSL_CTX_free(leg->context);
	free(leg);
	dtls->stats.legs--;
}

void dtls_forget(struct dtls *dtls, uint64_t leg_id)
{
	struct leg **at = locate(dtls, leg_id), *leg = *at;
	uint8_t out[ASSOCIATION_OUT_MAX];

	if (leg == NULL)
		return;
	*at = leg->next;
	if (leg->left)
		take_left(dtls, leg);
	if (leg->association != NULL)
		send_out(dtls, leg, out, association_write_close(leg->association, out));
	free_leg(dtls, leg);
}

/* ---- what comes back ---- */

static void report_failure(
	struct dtls *dtls, struct leg *leg, enum dtls_failure failure, const char *reason)
{
	uint64_t hold_ns = HOLD_FIRST_NS << (leg->failures < 7 ? leg->failures : 7);

	leg->hold_until_ns = now_ns() + (hold_ns < HOLD_MAX_NS ? hold_ns : HOLD_MAX_NS);
	if (leg->failures < UINT8_MAX)
		leg->failures++;
	dtls->stats.failed[failure]++;
	dtls->callbacks.failed(dtls->context, leg->leg_id, failure, reason);
}

static void finish(struct dtls *dtls, struct run *run)
{
	struct handshake_result *result = &run->task->result;
	struct leg *leg = run->leg;

	if (leg == NULL)
		return;
	end_run(dtls, run);
	if (run->task->state != HANDSHAKE_CONNECTED) {
		report_failure(dtls, leg, result->failure, result->reason);
		return;
	}
	leg->association = malloc(sizeof(*leg->association));
	if (leg->association == NULL) {
		report_failure(dtls, leg, DTLS_FAILURE_PROTOCOL, "no memory");
		return;
	}
	*leg->association = result->association;
	SSL_CTX_free(leg->context);
	leg->context = NULL;
	dtls->stats.connected++;
	dtls->callbacks.connected(dtls->context, leg->leg_id, &result->keys);
}

static void handle(struct dtls *dtls, struct pool_event *event)
{
	struct run *run = event->task->owner;

	switch (event->kind) {
	case POOL_SEND:
		if (run->leg != NULL)
			dtls->callbacks.send(dtls->context, run->leg->leg_id, &event->remote,
				event->bytes, event->size);
		break;
	case POOL_DONE:
		finish(dtls, run);
		break;
	case POOL_CLOSED:
		free_run(run);
		break;
	}
}

void dtls_process(struct dtls *dtls)
{
	struct pool_event *event = pool_take(dtls->pool), *next;

	for (; event != NULL; event = next) {
		next = event->next;
		handle(dtls, event);
		pool_event_free(event);
	}
	while (dtls->left != NULL) {
		struct leg *leg = dtls->left;

		dtls->left = leg->left_next;
		dtls->stats.closed++;
		dtls->callbacks.closed(dtls->context, leg->leg_id);
	}
}

int dtls_fd(const struct dtls *dtls)
{
	return pool_fd(dtls->pool);
}

void dtls_read_stats(const struct dtls *dtls, struct dtls_stats *out)
{
	*out = dtls->stats;
	out->under_way = dtls->gate.count;
}

int dtls_rotate(struct dtls *dtls, const struct certificate *certificate)
{
	SSL_CTX *context = handshake_context(certificate);

	if (context == NULL)
		return -ENOMEM;
	SSL_CTX_free(dtls->ssl_context);
	dtls->ssl_context = context;
	return 0;
}

int dtls_open(struct dtls **out, const struct dtls_config *config,
	const struct dtls_callbacks *callbacks, void *context)
{
	struct dtls *dtls = calloc(1, sizeof(*dtls));
	uint64_t gate_seed;
	int rc = -ENOMEM;

	if (dtls == NULL)
		return -ENOMEM;
	dtls->callbacks = *callbacks;
	dtls->context = context;
	dtls->timeout_ns = config->handshake_timeout_ms * 1000000u;
	dtls->bucket_count = BUCKETS_FIRST;
	dtls->bucket = calloc(dtls->bucket_count, sizeof(*dtls->bucket));
	if (getrandom(&dtls->seed, sizeof(dtls->seed), 0) != sizeof(dtls->seed) ||
		getrandom(&gate_seed, sizeof(gate_seed), 0) != sizeof(gate_seed))
		rc = -EIO;
	else if (dtls->bucket != NULL)
		rc = dtls_rotate(dtls, config->certificate);
	if (rc == 0)
		rc = gate_open(&dtls->gate, config->handshakes_max, config->handshakes_address_max,
			gate_seed);
	if (rc == 0)
		rc = pool_open(&dtls->pool, config->threads);
	if (rc != 0) {
		dtls_close(dtls);
		return rc;
	}
	*out = dtls;
	return 0;
}

static void drop(struct pool_task *task)
{
	free_run(task->owner);
}

void dtls_close(struct dtls *dtls)
{
	if (dtls == NULL)
		return;
	for (size_t i = 0; dtls->bucket != NULL && i < dtls->bucket_count; i++) {
		struct leg *leg = dtls->bucket[i], *next;

		for (; leg != NULL; leg = next) {
			next = leg->next;
			free_leg(dtls, leg);
		}
	}
	pool_close(dtls->pool, drop);
	gate_close(&dtls->gate);
	SSL_CTX_free(dtls->ssl_context);
	free(dtls->bucket);
	free(dtls);
}
