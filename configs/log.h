/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One event a line to stderr: when, level, event name, key=value pairs. Any thread but a polling
 * one; a line is one write(2), so lines of threads never mix. Never log keys, tokens or
 *credentials.
 *
 *	log_info("port_open", "port=%u driver=%s queues=%u", id, driver, queues);
 *	  -> "1234.567890 info port_open port=0 driver=af_xdp queues=1"
 *
 * Under journald (JOURNAL_STREAM) the time is left out and "<6>" carries the level. Control bytes
 * in values are printed as '?', so that nobody can forge a line.
 */
#ifndef STENTOR_CONFIGS_LOG_H
#define STENTOR_CONFIGS_LOG_H

#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};

/* NULL-terminated, in the order of enum log_level: for an OPTION_ENUM. */
extern const char *const log_level_names[];

#define LOG_LINE_MAX 1024 /* bytes; longer lines are cut and end in "..." */

/* Lets through what is at least as important as level. Before it is called: info. */
void log_open(enum log_level level);

/* event: snake case. format: "key=%u other=%s", or NULL. Preserves errno. */
void log_event(enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(event_, ...) log_event(LOG_LEVEL_ERROR, event_, __VA_ARGS__)
#define log_warn(event_, ...) log_event(LOG_LEVEL_WARN, event_, __VA_ARGS__)
#define log_info(event_, ...) log_event(LOG_LEVEL_INFO, event_, __VA_ARGS__)
#define log_debug(event_, ...) log_event(LOG_LEVEL_DEBUG, event_, __VA_ARGS__)

/* One line per interval for what a stranger can provoke. Zero-initialised; one per place. */
struct log_limit {
	uint64_t next_ns;    /* written by any logging thread, atomically */
	uint64_t suppressed; /* the same */
};

/* Like log_event, at most once a second per limit; says how many were left out: suppressed=N. */
void log_limited(struct log_limit *limit, enum log_level level, const char *event,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
