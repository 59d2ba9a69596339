// SPDX-License-Identifier: BSD-3-Clause
#include "perf/stream.h"

#include <errno.h>
#include <string.h>

#define FRAME_MAX 5760 /* 120 ms at 48 kHz */
#define CONCEAL_MAX 10 /* frames made up in a row; libopus has faded out by then */
#define FRAME 960

int stream_open(
	struct stream *stream, const struct packet_view *view, uint64_t now_ns, uint64_t start_ns)
{
	int error = 0;

	memset(stream, 0, sizeof(*stream));
	stream->decoder = opus_decoder_create(WAV_RATE, 1, &error);
	if (!stream->decoder)
		return -ENOMEM;
	stream->ssrc = view->ssrc;
	stream->lowest = stream->highest = stream->next = view->sequence;
	stream->timestamp_first = view->timestamp;
	stream->first_ns = stream->last_ns = now_ns;
	stream->base = (int64_t)((now_ns - start_ns) * (WAV_RATE / 1000) / 1000000);
	stream->played = stream->base;
	return 0;
}

void stream_close(struct stream *stream)
{
	if (stream->decoder)
		opus_decoder_destroy(stream->decoder);
	stream->decoder = NULL;
}

uint64_t stream_lost(const struct stream *stream)
{
	return (uint64_t)(stream->highest - stream->lowest + 1) - stream->packets;
}

static void mix(struct stream *stream, struct wav *wav, const int16_t *pcm, int count)
{
	if (stream->played >= 0)
		wav_mix(wav, (size_t)stream->played, pcm, (size_t)count);
	stream->played += count;
}

static void conceal(struct stream *stream, struct wav *wav, int64_t until)
{
	int16_t pcm[FRAME];

	for (unsigned int i = 0; i < CONCEAL_MAX && stream->played + FRAME <= until; i++) {
		int count = opus_decode(stream->decoder, NULL, 0, pcm, FRAME, 0);

		if (count <= 0)
			return;
		mix(stream, wav, pcm, count);
		stream->concealed++;
	}
}

static void play(struct stream *stream, struct wav *wav, struct stream_pending *pending)
{
	int64_t position = stream->base + pending->timestamp;
	int16_t pcm[FRAME_MAX];
	int count;

	if (pending->sequence > stream->next)
		conceal(stream, wav, position);
	count = opus_decode(
		stream->decoder, pending->payload, (opus_int32)pending->size, pcm, FRAME_MAX, 0);
	stream->next = pending->sequence + 1;
	pending->used = false;
	stream->pending_count--;
	if (count < 0) {
		stream->undecodable++;
		return;
	}
	stream->played = position;
	mix(stream, wav, pcm, count);
	stream->samples += (uint64_t)count;
}

static void drain(struct stream *stream, struct wav *wav, unsigned int depth)
{
	while (stream->pending_count > 0) {
		struct stream_pending *oldest = NULL;

		for (unsigned int i = 0; i < STREAM_PENDING; i++) {
			struct stream_pending *p = &stream->pending[i];

			if (p->used && (!oldest || p->sequence < oldest->sequence))
				oldest = p;
		}
		if (oldest->sequence > stream->next && stream->pending_count <= depth)
			return;
		play(stream, wav, oldest);
	}
}

static void count_packet(
	struct stream *stream, const struct packet_view *view, uint64_t now_ns, int64_t timestamp)
{
	int64_t off =
		(int64_t)(now_ns - stream->first_ns) - timestamp * 1000000 / (WAV_RATE / 1000);
	unsigned int known;

	if (now_ns - stream->last_ns > stream->gap_ns)
		stream->gap_ns = now_ns - stream->last_ns;
	if (off < stream->early_ns)
		stream->early_ns = off;
	if (off > stream->behind_ns)
		stream->behind_ns = off;
	stream->last_ns = now_ns;
	stream->packets++;
	stream->markers += view->marker;
	for (unsigned int i = 0; i < view->csrc_count; i++) {
		for (known = 0; known < stream->csrc_count; known++)
			if (stream->csrc[known] == view->csrc[i])
				break;
		if (known == stream->csrc_count && known < STREAM_CSRCS_MAX)
			stream->csrc[stream->csrc_count++] = view->csrc[i];
	}
}

void stream_take(
	struct stream *stream, const struct packet_view *view, uint64_t now_ns, struct wav *wav)
{
	int64_t sequence = stream->highest + (int16_t)(view->sequence - (uint16_t)stream->highest);
	int64_t timestamp = stream->timestamp_highest +
			    (int32_t)(view->timestamp - (uint32_t)(stream->timestamp_first +
								   stream->timestamp_highest));

	count_packet(stream, view, now_ns, timestamp);
	if (sequence < stream->highest)
		stream->reordered++;
	if (sequence < stream->lowest)
		stream->lowest = sequence;
	if (sequence > stream->highest)
		stream->highest = sequence;
	if (timestamp > stream->timestamp_highest)
		stream->timestamp_highest = timestamp;
	if (sequence < stream->next) {
		stream->late++;
		return;
	}
	if (view->payload_size > STREAM_PAYLOAD_MAX) {
		stream->undecodable++;
		return;
	}
	for (unsigned int i = 0; i < STREAM_PENDING; i++) {
		struct stream_pending *p = &stream->pending[i];

		if (p->used)
			continue;
		p->used = true;
		p->sequence = sequence;
		p->timestamp = timestamp;
		p->size = view->payload_size;
		memcpy(p->payload, view->payload, view->payload_size);
		stream->pending_count++;
		break;
	}
	drain(stream, wav, STREAM_DEPTH);
}

void stream_flush(struct stream *stream, struct wav *wav)
{
	drain(stream, wav, 0);
}
