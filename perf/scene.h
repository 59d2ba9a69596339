/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What measurements in the lab begin with: a room, its one speaker in a namespace of their own, and
 * keyed listeners in another one whose copies an XDP program counts. Single-threaded but for the
 * pacer. The process enters namespaces on the way; sockets stay where they were made.
 */
#ifndef STENTOR_PERF_SCENE_H
#define STENTOR_PERF_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/sink.h"
#include "perf/director.h"
#include "perf/endpoint.h"
#include "perf/pacer.h"
#include "perf/talker.h"

struct scene_plan {
	const char *room;
	const char *events;
	const char *speaker_netns; /* NULL: where the process is */
	const char *listeners_netns;
	const char *interface; /* the listeners' end */
	struct sockaddr_storage relay;
	struct sockaddr_storage speaker;
	struct director_crowd crowd;
	uint32_t others; /* seats for more than the crowd */
	unsigned int payload_size;
	bool any_ssrc;   /* the sink counts every SSRC, not the first one's only */
	bool voice_only; /* and what the relay itself says when a speaker is gone is no copy */
};

struct scene {
	struct director director;
	struct media_key key;
	struct talker talker;
	struct pacer pacer;
	struct sink *sink;
	int fd; /* the speaker's, connected to the relay */
	double join_seconds;
};

void scene_init(struct scene *scene);
/* Speaker, sink, room, crowd. 0, or a negative errno with what was wrong on standard error. */
int scene_open(struct scene *scene, const struct scene_plan *plan);
/* The parts of it. With director.file set the room is written there instead. */
int scene_open_speaker(struct scene *scene, const struct scene_plan *plan);
int scene_open_sink(struct scene *scene, const struct scene_plan *plan);
int scene_fill_room(struct scene *scene, const struct scene_plan *plan);
/* What scene_fill_room() did is undone; with director.file set that is written there. */
int scene_empty_room(struct scene *scene, const struct scene_plan *plan);
/* After scene_init(), any number of times. */
void scene_close(struct scene *scene);

/* Sockets made from now on belong to that namespace. */
int scene_enter(const char *netns);
/* The speaker begins; pacer_stop() ends it. */
int scene_speak(struct scene *scene);
/* Until nothing has arrived at the listeners for a while. */
int scene_wait_quiet(const struct scene *scene);
void scene_pause_ns(uint64_t ns);

#endif
