// SPDX-License-Identifier: BSD-3-Clause
#include "perf/speech.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ogg/ogg.h>
#include <opus/opus.h>

#include "perf/wav.h"

#define READ_SIZE 65536
#define HEADER_PACKETS 2   /* OpusHead and OpusTags, RFC 7845 section 3 */
#define FRAME_MAX 5760     /* 120 ms */
#define PACKETS_MAX 200000 /* over an hour of 20 ms frames */

struct reader {
	struct speech *speech;
	OpusDecoder *decoder;
	size_t seen;
	size_t capacity;
};

static int append(struct reader *reader, const ogg_packet *packet)
{
	struct speech *speech = reader->speech;
	int16_t pcm[FRAME_MAX];
	int samples = opus_decode(
		reader->decoder, packet->packet, (opus_int32)packet->bytes, pcm, FRAME_MAX, 0);
	uint8_t *data;

	if (samples < 0 || speech->count == PACKETS_MAX)
		return -EBADMSG;
	if (speech->count == reader->capacity) {
		size_t capacity = reader->capacity ? 2 * reader->capacity : 1024;
		struct speech_packet *grown = realloc(speech->packet, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		speech->packet = grown;
		reader->capacity = capacity;
	}
	data = realloc(speech->data, speech->size + (size_t)packet->bytes + 1);
	if (!data)
		return -ENOMEM;
	speech->data = data;
	memcpy(data + speech->size, packet->packet, (size_t)packet->bytes);
	speech->packet[speech->count++] = (struct speech_packet){
		.offset = speech->size,
		.size = (unsigned int)packet->bytes,
		.samples = (unsigned int)samples,
		.dbfs = wav_dbfs(pcm, (size_t)samples),
	};
	speech->size += (size_t)packet->bytes;
	return 0;
}

static int take_packets(struct reader *reader, ogg_stream_state *stream)
{
	ogg_packet packet;
	int error = 0;

	while (!error && ogg_stream_packetout(stream, &packet) == 1) {
		size_t position = reader->seen++;

		if (position == 0 && (packet.bytes < 19 || memcmp(packet.packet, "OpusHead", 8)))
			error = -EBADMSG;
		else if (position >= HEADER_PACKETS)
			error = append(reader, &packet);
	}
	return error;
}

static int read_pages(struct reader *reader, FILE *file, ogg_sync_state *sync)
{
	ogg_stream_state stream;
	bool opened = false;
	ogg_page page;
	int error = 0;

	for (;;) {
		int have = ogg_sync_pageout(sync, &page);

		if (have == 0) {
			char *buffer = ogg_sync_buffer(sync, READ_SIZE);
			size_t got = buffer ? fread(buffer, 1, READ_SIZE, file) : 0;

			if (got == 0)
				break;
			ogg_sync_wrote(sync, (long)got);
			continue;
		}
		if (have < 0)
			continue;
		if (!opened) {
			ogg_stream_init(&stream, ogg_page_serialno(&page));
			opened = true;
		}
		if (ogg_stream_pagein(&stream, &page) == 0)
			error = take_packets(reader, &stream);
		if (error)
			break;
	}
	if (opened)
		ogg_stream_clear(&stream);
	return error;
}

int speech_open(struct speech *speech, const char *path)
{
	struct reader reader = {.speech = speech};
	ogg_sync_state sync;
	FILE *file = fopen(path, "rb");
	int error = 0;

	if (!file)
		return -errno;
	memset(speech, 0, sizeof(*speech));
	ogg_sync_init(&sync);
	reader.decoder = opus_decoder_create(WAV_RATE, 1, &error);
	error = reader.decoder ? read_pages(&reader, file, &sync) : -ENOMEM;
	if (!error && speech->count == 0)
		error = -EBADMSG;
	if (error)
		speech_close(speech);
	if (reader.decoder)
		opus_decoder_destroy(reader.decoder);
	ogg_sync_clear(&sync);
	fclose(file);
	return error;
}

void speech_close(struct speech *speech)
{
	free(speech->data);
	free(speech->packet);
	memset(speech, 0, sizeof(*speech));
}
