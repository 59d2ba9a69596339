// SPDX-License-Identifier: BSD-3-Clause
#include "perf/runlog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "perf/argument.h"
#include "perf/pacer.h"

static void boot_id(char text[64])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file == NULL || fgets(text, 64, file) == NULL)
		text[0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
}

static json_t *describe(const struct runlog *log)
{
	json_t *speakers = json_array();
	char boot[64];

	for (unsigned int i = 0; i < log->speakers; i++) {
		const struct runlog_speaker *s = &log->speaker[i];
		json_t *times = json_array();

		for (uint32_t n = 0; n < s->count; n++)
			json_array_append_new(times, json_integer((json_int_t)s->send_ns[n]));
		json_array_append_new(
			speakers, json_pack("{s:I, s:o}", "listeners", (json_int_t)s->listeners,
					  "send_ns", times));
	}
	boot_id(boot);
	return json_pack("{s:s, s:i, s:i, s:o}", "boot", boot, "repeat", (int)log->repeat,
		"repeats", (int)log->repeats, "speakers", speakers);
}

int runlog_write(const char *path, const struct runlog *log)
{
	json_t *object = describe(log);
	char partial[4096];
	int error = 0;

	if (snprintf(partial, sizeof(partial), "%s.partial", path) >= (int)sizeof(partial))
		error = -ENAMETOOLONG;
	else if (json_dump_file(object, partial, JSON_COMPACT) < 0 || rename(partial, path) < 0)
		error = errno != 0 ? -errno : -EIO;
	json_decref(object);
	return error;
}

static int take_speaker(struct runlog_speaker *out, const json_t *object)
{
	const json_t *times = json_object_get(object, "send_ns");
	json_int_t listeners = json_integer_value(json_object_get(object, "listeners"));
	size_t count = json_array_size(times);

	if (listeners < 1 || listeners > UINT32_MAX || count > PACER_SENDS_MAX)
		return -EPROTO;
	out->send_ns = calloc(count + 1, sizeof(*out->send_ns));
	if (out->send_ns == NULL)
		return -ENOMEM;
	out->listeners = (uint32_t)listeners;
	out->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(times, i);

		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return -EPROTO;
		out->send_ns[i] = (uint64_t)json_integer_value(value);
	}
	return 0;
}

static int take_repeat(struct runlog *log, const json_t *object)
{
	json_int_t repeat = json_integer_value(json_object_get(object, "repeat"));
	json_int_t repeats = json_integer_value(json_object_get(object, "repeats"));

	if (repeat < 1 || repeat > repeats || repeats > REPEATS_MAX)
		return -EPROTO;
	log->repeat = (unsigned int)repeat;
	log->repeats = (unsigned int)repeats;
	return 0;
}

int runlog_read(const char *path, struct runlog *log)
{
	json_t *object = json_load_file(path, 0, NULL), *speakers, *speaker;
	const char *boot = json_string_value(json_object_get(object, "boot"));
	char ours[64];
	int error;
	size_t i;

	memset(log, 0, sizeof(*log));
	error = take_repeat(log, object);
	boot_id(ours);
	log->same_machine = boot != NULL && ours[0] != '\0' && strcmp(boot, ours) == 0;
	speakers = json_object_get(object, "speakers");
	if (json_array_size(speakers) < 1 || json_array_size(speakers) > RUNLOG_SPEAKERS_MAX)
		error = -EPROTO;
	json_array_foreach(speakers, i, speaker)
	{
		if (error)
			break;
		log->speakers = (unsigned int)i + 1;
		error = take_speaker(&log->speaker[i], speaker);
	}
	json_decref(object);
	if (error)
		runlog_free(log);
	return error;
}

void runlog_free(struct runlog *log)
{
	for (unsigned int i = 0; i < RUNLOG_SPEAKERS_MAX; i++)
		free(log->speaker[i].send_ns);
	memset(log, 0, sizeof(*log));
}

uint64_t runlog_due(const struct runlog *log, uint64_t before_ns)
{
	uint64_t due = 0;

	for (unsigned int i = 0; i < log->speakers; i++)
		for (uint32_t n = 0; n < log->speaker[i].count; n++)
			if (log->speaker[i].send_ns[n] < before_ns)
				due += log->speaker[i].listeners;
	return due;
}
