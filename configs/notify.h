/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sd_notify protocol (sd_notify(3)) without libsystemd: datagrams to $NOTIFY_SOCKET. Without
 * that variable everything here succeeds and does nothing. Called from the main thread; a send
 * never blocks: a lost datagram is reported as -EAGAIN and is harmless.
 */
#ifndef STENTOR_CONFIGS_NOTIFY_H
#define STENTOR_CONFIGS_NOTIFY_H

#include <stdint.h>

/* Newline-separated assignments, "READY=1\nSTATUS=...". 0 or negative errno. */
int notify_send(const char *state);

/* READY=1 with a status line for systemctl status; status may be NULL. */
int notify_ready(const char *status);

/* STOPPING=1: the first thing an orderly stop does. */
int notify_stopping(void);

/* WATCHDOG=1: send every notify_watchdog_period_ms(). */
int notify_watchdog(void);

/* STATUS=... */
int notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Half of $WATCHDOG_USEC when $WATCHDOG_PID is this process; 0: systemd does not watch. */
uint64_t notify_watchdog_period_ms(void);

#endif
