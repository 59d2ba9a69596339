// SPDX-License-Identifier: BSD-3-Clause
#include "perf/wav.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int grow(struct wav *wav, size_t count)
{
	size_t capacity = wav->capacity ? wav->capacity : WAV_RATE;
	int16_t *sample;

	if (count > (size_t)WAV_RATE * WAV_SECONDS_MAX)
		return -EFBIG;
	while (capacity < count)
		capacity *= 2;
	if (capacity != wav->capacity) {
		sample = realloc(wav->sample, capacity * sizeof(*sample));
		if (!sample)
			return -ENOMEM;
		wav->sample = sample;
		wav->capacity = capacity;
	}
	if (count > wav->count) {
		memset(wav->sample + wav->count, 0, (count - wav->count) * sizeof(*wav->sample));
		wav->count = count;
	}
	return 0;
}

int wav_mix(struct wav *wav, size_t position, const int16_t *sample, size_t count)
{
	int error = grow(wav, position + count);

	if (error)
		return error;
	for (size_t i = 0; i < count; i++) {
		int sum = wav->sample[position + i] + sample[i];

		if (sum > INT16_MAX)
			sum = INT16_MAX;
		if (sum < INT16_MIN)
			sum = INT16_MIN;
		wav->sample[position + i] = (int16_t)sum;
	}
	return 0;
}

static double energy(const int16_t *sample, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += (double)sample[i] * sample[i];
	return sum;
}

static double decibels(double mean_square)
{
	double db = mean_square > 0 ? 10 * log10(mean_square / (32768.0 * 32768.0)) : -120;

	return db < -120 ? -120 : db;
}

double wav_dbfs(const int16_t *sample, size_t count)
{
	return decibels(count ? energy(sample, count) / (double)count : 0);
}

void wav_measure(const struct wav *wav, double threshold_dbfs, struct wav_level *level)
{
	double speech = 0;
	size_t windows = 0;

	for (size_t at = 0; at + WAV_WINDOW <= wav->count; at += WAV_WINDOW) {
		double sum = energy(wav->sample + at, WAV_WINDOW);

		if (decibels(sum / WAV_WINDOW) < threshold_dbfs)
			continue;
		speech += sum;
		windows++;
	}
	level->seconds = (double)wav->count / WAV_RATE;
	level->speech_seconds = (double)(windows * WAV_WINDOW) / WAV_RATE;
	level->speech_dbfs = decibels(windows ? speech / (double)(windows * WAV_WINDOW) : 0);
	level->rms_dbfs = wav_dbfs(wav->sample, wav->count);
}

static void put_le(uint8_t *p, uint32_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

int wav_write(const struct wav *wav, const char *path)
{
	uint32_t size = (uint32_t)(wav->count * 2);
	uint8_t header[44] = "RIFF....WAVEfmt ";
	FILE *file = fopen(path, "wb");
	int error = 0;

	if (!file)
		return -errno;
	put_le(header + 4, 36 + size, 4);
	put_le(header + 16, 16, 4);
	put_le(header + 20, 1, 2); /* PCM */
	put_le(header + 22, 1, 2); /* channels */
	put_le(header + 24, WAV_RATE, 4);
	put_le(header + 28, WAV_RATE * 2, 4);
	put_le(header + 32, 2, 2);
	put_le(header + 34, 16, 2);
	memcpy(header + 36, "data", 4);
	put_le(header + 40, size, 4);
	if (fwrite(header, sizeof(header), 1, file) != 1 ||
		fwrite(wav->sample, 2, wav->count, file) != wav->count)
		error = -EIO;
	if (fclose(file) && !error)
		error = -errno;
	return error;
}

void wav_close(struct wav *wav)
{
	free(wav->sample);
	memset(wav, 0, sizeof(*wav));
}
