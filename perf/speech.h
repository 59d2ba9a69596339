/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Opus packets of an Ogg file (RFC 7845, mono, one stream), each with its duration and how loud
 * it is, all in memory. Read once, immutable afterwards.
 */
#ifndef STENTOR_PERF_SPEECH_H
#define STENTOR_PERF_SPEECH_H

#include <stddef.h>
#include <stdint.h>

struct speech_packet {
	size_t offset; /* into data */
	unsigned int size;
	unsigned int samples; /* at 48 kHz */
	double dbfs;          /* of the decoded audio */
};

struct speech {
	uint8_t *data;
	size_t size;
	struct speech_packet *packet;
	size_t count;
};

/* 0, -errno of reading, -EBADMSG when it is no Ogg Opus. On failure nothing is left to close. */
int speech_open(struct speech *speech, const char *path);
void speech_close(struct speech *speech);

#endif
