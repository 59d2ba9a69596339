/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A speaker made of other people's software: frames from an Ogg Opus file, a tone coded by libopus
 * or bytes of a given size, put into RTP and protected by libsrtp2. One call makes one packet; when
 * and whether it is sent is the caller's business. Single-threaded.
 */
#ifndef STENTOR_PERF_TALKER_H
#define STENTOR_PERF_TALKER_H

#include <stdbool.h>
#include <stdint.h>

#include <opus/opus.h>
#include <srtp2/srtp.h>

#include "perf/mediakey.h"
#include "perf/packet.h"
#include "perf/speech.h"

struct talker_plan {
	const struct media_key *key; /* NULL: plain RTP */
	const char *file;            /* Ogg Opus, played round and round */
	double tone_hz;              /* without a file: a tone of this pitch ... */
	double tone_dbfs;
	unsigned int payload_size; /* ... or, when not 0, so many bytes of no meaning */
	bool dtx;                  /* tone: libopus may leave frames out when silent() */
	uint32_t ssrc;
	uint32_t timestamp;
	uint32_t roc; /* rollover count to start at */
	uint16_t sequence;
	uint8_t payload_type;
	uint8_t level_id; /* RFC 6464 extension id, 0: none */
	int level;        /* 0 to 127, or -1: as loud as the frame really is */
};

struct talker {
	struct talker_plan plan;
	srtp_t srtp;
	struct speech speech;
	size_t frame; /* of the file, next */
	OpusEncoder *encoder;
	uint64_t samples; /* of the tone so far */
	uint16_t sequence;
	uint32_t timestamp;
	bool marker; /* the next packet begins a talkspurt */
};

/* 0 or -errno; says on standard error what was wrong. */
int talker_open(struct talker *talker, const struct talker_plan *plan);
void talker_close(struct talker *talker);
/*
 * Makes the next 20 ms: out takes PACKET_MAX bytes. Returns the size, 0 when DTX leaves the frame
 * out, or -errno. silent makes a tone pause (the frame is silence). Time moves on in any case.
 */
int talker_next(struct talker *talker, bool silent, uint8_t *out);
/* 20 ms pass without a packet; the next one has the marker bit. */
void talker_skip(struct talker *talker);

#endif
