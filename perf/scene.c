// SPDX-License-Identifier: BSD-3-Clause
#include "perf/scene.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SSRC 0x53544e01u
#define PAYLOAD_TYPE 111
#define QUIET_NS 400000000u
#define TIMEOUT_MS 10000

void scene_init(struct scene *scene)
{
	scene->fd = scene->director.client.fd = -1;
}

int scene_enter(const char *netns)
{
	int fd, error = 0;

	if (netns == NULL)
		return 0;
	fd = open(netns, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		error = -errno;
		fprintf(stderr, "%s: %s\n", netns, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	return error;
}

int scene_open_speaker(struct scene *scene, const struct scene_plan *p)
{
	const struct talker_plan plan = {
		.key = &scene->key,
		.payload_size = p->payload_size,
		.ssrc = SSRC,
		.payload_type = PAYLOAD_TYPE,
		.tone_dbfs = -20,
		.level = -1,
	};
	int error = scene_enter(p->speaker_netns);

	if (error)
		return error;
	scene->fd = endpoint_bind(&p->speaker);
	if (scene->fd < 0 || connect(scene->fd, (const struct sockaddr *)&p->relay,
				     endpoint_size(&p->relay)) < 0) {
		error = scene->fd < 0 ? scene->fd : -errno;
		fprintf(stderr, "the speaker's socket: %s\n", strerror(-error));
		return error;
	}
	error = media_key_random(&scene->key, p->crowd.suite);
	return error ? error : talker_open(&scene->talker, &plan);
}

int scene_open_sink(struct scene *scene, const struct scene_plan *p)
{
	const struct sink_config config = {
		.address = p->crowd.address,
		.port_base = p->crowd.port,
		.ports_per_address = p->crowd.ports_per_address,
		.listener_count = p->crowd.count,
		.ear = SINK_NOBODY,
		/* Opus silence is three bytes (RFC 6716), then the tag. */
		.silence_size = 3 + (p->crowd.suite == MEDIA_SUITE_CM80 ? 10 : 16),
		.first_ssrc = !p->any_ssrc,
		.voice_only = p->voice_only,
	};
	char message[256] = "";
	int error = scene_enter(p->listeners_netns);

	if (error)
		return error;
	error = sink_open(&scene->sink, p->interface, &config, message, sizeof(message));
	if (error)
		fprintf(stderr, "%s\n", message);
	return error;
}

static void name_room(struct scene *scene, const struct scene_plan *p)
{
	scene->director.room = p->room;
	scene->director.host = "speaker";
	scene->director.timeout_ms = TIMEOUT_MS;
}

int scene_fill_room(struct scene *scene, const struct scene_plan *p)
{
	int error = 0;

	if (scene->director.file == NULL)
		error = director_open(&scene->director, p->events);
	name_room(scene, p);
	if (!error)
		error = director_open_room(&scene->director, p->crowd.count + p->others + 10);
	if (!error)
		error = director_join_speaker(&scene->director, &p->speaker, &scene->key, SSRC);
	if (!error)
		error = director_join_crowd(&scene->director, &p->crowd, &scene->join_seconds);
	return error;
}

int scene_empty_room(struct scene *scene, const struct scene_plan *p)
{
	name_room(scene, p);
	return director_close_room(&scene->director);
}

int scene_open(struct scene *scene, const struct scene_plan *plan)
{
	int error = scene_open_speaker(scene, plan);

	if (!error)
		error = scene_open_sink(scene, plan);
	return error ? error : scene_fill_room(scene, plan);
}

void scene_close(struct scene *scene)
{
	pacer_stop(&scene->pacer);
	talker_close(&scene->talker);
	sink_close(scene->sink);
	scene->sink = NULL;
	director_close(&scene->director);
	if (scene->fd >= 0)
		close(scene->fd);
	scene->fd = -1;
}

int scene_speak(struct scene *scene)
{
	return pacer_start(&scene->pacer, &scene->talker, scene->fd);
}

void scene_pause_ns(uint64_t ns)
{
	struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	nanosleep(&t, NULL);
}

int scene_wait_quiet(const struct scene *scene)
{
	struct sink_totals totals;

	for (;;) {
		int error = sink_read_totals(scene->sink, &totals);

		if (error || clock_monotonic_ns() > totals.last_ns + QUIET_NS)
			return error;
		scene_pause_ns(QUIET_NS / 10);
	}
}
