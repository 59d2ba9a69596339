/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One decrypted RTP stream as a listener hears it: order restored by a small jitter buffer, decoded
 * by libopus (with concealment where packets are missing), mixed into a recording at the place its
 * timestamp says, and everything noticeable counted. Single-threaded.
 */
#ifndef STENTOR_PERF_STREAM_H
#define STENTOR_PERF_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <opus/opus.h>

#include "perf/packet.h"
#include "perf/wav.h"

#define STREAM_PENDING 64
#define STREAM_DEPTH 5 /* packets that may wait for a missing one: 100 ms of speech */
#define STREAM_CSRCS_MAX 32
#define STREAM_PAYLOAD_MAX 1275 /* the largest Opus frame, RFC 6716 section 3.2.1 */

struct stream_pending {
	bool used;
	int64_t sequence;
	int64_t timestamp;
	unsigned int size;
	uint8_t payload[STREAM_PAYLOAD_MAX];
};

struct stream {
	uint32_t ssrc;
	int64_t lowest; /* unwrapped sequence numbers */
	int64_t highest;
	int64_t timestamp_highest; /* unwrapped, relative to the first packet's */
	uint32_t timestamp_first;
	uint64_t packets;
	uint64_t markers;
	uint64_t reordered; /* arrived behind a higher sequence number */
	uint64_t late;      /* too late to be played */
	uint64_t undecodable;
	uint64_t concealed; /* frames made up for missing ones */
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t gap_ns;  /* longest time between two packets */
	int64_t early_ns; /* extremes of arrival against the timestamp's clock */
	int64_t behind_ns;
	uint64_t samples; /* decoded, without concealment */
	uint32_t csrc[STREAM_CSRCS_MAX];
	unsigned int csrc_count;
	OpusDecoder *decoder;
	int64_t next;   /* sequence number that is played next */
	int64_t played; /* position in the recording that follows the last frame */
	int64_t base;   /* position of the first packet's timestamp */
	struct stream_pending pending[STREAM_PENDING];
	unsigned int pending_count;
};

/* start_ns is when the recording begins; view is the first packet. 0 or -ENOMEM. */
int stream_open(
	struct stream *stream, const struct packet_view *view, uint64_t now_ns, uint64_t start_ns);
/* view: authenticated, not a duplicate. */
void stream_take(
	struct stream *stream, const struct packet_view *view, uint64_t now_ns, struct wav *wav);
/* Plays what still waits. */
void stream_flush(struct stream *stream, struct wav *wav);
void stream_close(struct stream *stream);
/* Sequence numbers between the lowest and the highest that never arrived. */
uint64_t stream_lost(const struct stream *stream);

#endif
