/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both real programs in a folder of their own, the data plane on a null port: no namespaces, no
 * network. Single-threaded; whatever was started is killed by planes_close().
 */
#ifndef STENTOR_PERF_PLANES_H
#define STENTOR_PERF_PLANES_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

enum plane { PLANE_CONTROL, PLANE_DATA, PLANE_COUNT };

struct planes {
	char folder[PATH_MAX];
	char build[PATH_MAX]; /* the build directory that this program is in */
	char events[PATH_MAX + 16];
	pid_t pid[PLANE_COUNT]; /* 0: does not run */
};

/* Makes a folder in `where` and the configuration in it. 0 or a negative errno. */
int planes_open(struct planes *planes, const char *where, uint32_t members);
/* Any number of times. */
void planes_close(struct planes *planes);
int planes_start(struct planes *planes, enum plane which);
/* SIGKILL, and until it is gone. */
void planes_kill(struct planes *planes, enum plane which);

/* The median of what a write and fdatasync() of 4 KiB take in that folder. */
int planes_sync_us(const struct planes *planes, double *us);

#endif
