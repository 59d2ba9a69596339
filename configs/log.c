/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_INTERVAL_NS 1000000000ull

const char *const log_level_names[] = {"error", "warn", "info", "debug", NULL};
_Static_assert(sizeof(log_level_names) / sizeof(log_level_names[0]) == LOG_LEVEL_COUNT + 1,
	"a name for each level");

/* syslog(3) priorities, which journald reads from "<N>". */
static const int priority[LOG_LEVEL_COUNT] = {3, 4, 6, 7};

/* Written by log_open() before other threads start, read by all. */
static int threshold = LOG_LEVEL_INFO;
static bool to_journal;

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream; it must still be our stderr. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;
	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

void log_open(enum log_level level)
{
	__atomic_store_n(&to_journal, stderr_is_journal(), __ATOMIC_RELAXED);
	__atomic_store_n(&threshold, (int)level, __ATOMIC_RELAXED);
}

static size_t print_prefix(char *line, size_t room, enum log_level level, const char *event)
{
	uint64_t now = now_ns();
	int size;
	if (__atomic_load_n(&to_journal, __ATOMIC_RELAXED))
		size = snprintf(line, room, "<%d>%s", priority[level], event);
	else
		size = snprintf(line, room, "%llu.%06llu %s %s",
			(unsigned long long)(now / 1000000000ull),
			(unsigned long long)(now / 1000ull % 1000000ull), log_level_names[level],
			event);
	return size < 0 ? 0 : (size_t)size < room ? (size_t)size : room - 1;
}

/* Ends the line, cut with "..." if it was too long, with nothing in it that could forge another. */
static void write_line(char *line, size_t size, bool cut)
{
	if (cut)
		memcpy(line + size - 3, "...", 3);
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[size] = '\n';
	/* A log that cannot be written has nowhere to complain to. */
	ssize_t written = write(STDERR_FILENO, line, size + 1);
	(void)written;
}

static void __attribute__((format(printf, 4, 0))) log_arguments(enum log_level level,
	const char *event, uint64_t suppressed, const char *format, va_list arguments)
{
	char line[LOG_LINE_MAX];
	size_t room = sizeof(line) - 1; /* the last byte is the newline's */
	int saved = errno;

	size_t size = print_prefix(line, room, level, event);
	if (suppressed > 0 && size + 1 < room) {
		int more = snprintf(line + size, room - size, " suppressed=%llu",
			(unsigned long long)suppressed);
		size = more < 0 || (size_t)more >= room - size ? room - 1 : size + (size_t)more;
	}
	bool cut = size >= room - 1;
	if (format != NULL && !cut) {
		line[size++] = ' ';
		int more = vsnprintf(line + size, room - size, format, arguments);
		cut = more > 0 && (size_t)more >= room - size;
		size = cut ? room - 1 : size + (more > 0 ? (size_t)more : 0);
	}
	write_line(line, size, cut);
	errno = saved;
}

static bool enabled(enum log_level level)
{
	return (int)level <= __atomic_load_n(&threshold, __ATOMIC_RELAXED);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;
	if (!enabled(level))
		return;
	va_start(arguments, format);
	log_arguments(level, event, 0, format, arguments);
	va_end(arguments);
}

void log_limited(
	struct log_limit *limit, enum log_level level, const char *event, const char *format, ...)
{
	va_list arguments;
	if (!enabled(level))
		return;
	uint64_t now = now_ns();
	uint64_t next = __atomic_load_n(&limit->next_ns, __ATOMIC_RELAXED);
	/* Of several threads here at once, the one that moves next_ns on prints. */
	if (now < next ||
		!__atomic_compare_exchange_n(&limit->next_ns, &next, now + LIMIT_INTERVAL_NS, false,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		__atomic_fetch_add(&limit->suppressed, 1, __ATOMIC_RELAXED);
		return;
	}
	uint64_t suppressed = __atomic_exchange_n(&limit->suppressed, 0, __ATOMIC_RELAXED);
	va_start(arguments, format);
	log_arguments(level, event, suppressed, format, arguments);
	va_end(arguments);
}
