/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To be preloaded: CLOCK_REALTIME is off by as many milliseconds as the int64_t in the file
 * CLOCK_FILE says at that moment; every other clock is right. Any thread.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift_ms;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	void *memory = MAP_FAILED;

	if (fd >= 0) {
		memory = mmap(NULL, sizeof(*shift_ms), PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (memory == MAP_FAILED) {
		fprintf(stderr, "shifted_clock: CLOCK_FILE cannot be mapped\n");
		_exit(126);
	}
	shift_ms = memory;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	static int (*next)(clockid_t clock, struct timespec * time);
	int64_t ms = shift_ms == NULL ? 0 : *shift_ms;
	int rc;

	if (next == NULL)
		next = (__typeof__(next))dlsym(RTLD_NEXT, "clock_gettime");
	rc = next(clock, time);
	if (rc != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
		return rc;
	time->tv_sec += ms / 1000;
	time->tv_nsec += ms % 1000 * 1000000;
	if (time->tv_nsec >= 1000000000) {
		time->tv_sec++;
		time->tv_nsec -= 1000000000;
	} else if (time->tv_nsec < 0) {
		time->tv_sec--;
		time->tv_nsec += 1000000000;
	}
	return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
