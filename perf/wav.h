/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording: 48 kHz mono samples, mixed in at any position, measured, written as a WAV file.
 * Grows by itself up to WAV_SECONDS_MAX; whatever lies behind that is refused.
 */
#ifndef STENTOR_PERF_WAV_H
#define STENTOR_PERF_WAV_H

#include <stddef.h>
#include <stdint.h>

#define WAV_RATE 48000
#define WAV_SECONDS_MAX 3600
#define WAV_WINDOW 960 /* 20 ms: what counts as speech is judged by windows of this size */

struct wav {
	int16_t *sample;
	size_t count;
	size_t capacity;
};

struct wav_level {
	double seconds;        /* length of the recording */
	double speech_seconds; /* windows above the threshold */
	double speech_dbfs;    /* RMS over those windows; -120 when there are none */
	double rms_dbfs;       /* RMS over everything */
};

/* Adds count samples at position, saturating. -ENOMEM, or -EFBIG behind the limit. */
int wav_mix(struct wav *wav, size_t position, const int16_t *sample, size_t count);
void wav_measure(const struct wav *wav, double threshold_dbfs, struct wav_level *level);
int wav_write(const struct wav *wav, const char *path);
void wav_close(struct wav *wav);
/* RMS of some samples in dB below full scale, never under -120. */
double wav_dbfs(const int16_t *sample, size_t count);

#endif
