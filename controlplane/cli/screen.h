/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The terminal of a live display: alternate screen, no cursor, keys without Enter; given back as it
 * was by screen_close() and by the signals that end the program. When standard output is no
 * terminal it does nothing but wait. One in a process, since the terminal is.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_SCREEN_H
#define STENTOR_CONTROLPLANE_CLI_SCREEN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct screen {
	bool live; /* standard output is a terminal and was taken over */
	bool keys; /* standard input is one, too */
	unsigned int rows;
	struct termios saved;
	sigset_t signals; /* mask to restore, and to wait under */
};

/* wanted false: as if it were no terminal. */
void screen_open(struct screen *screen, bool wanted);
void screen_close(struct screen *screen);
/* Shows text, size bytes, from the top of the screen; lines beyond its end are left out. */
void screen_show(struct screen *screen, const char *text, size_t size);
/* Waits; true when it is time to stop (q, Ctrl-C, a signal that ends programs). */
bool screen_wait(struct screen *screen, int timeout_ms);

#endif
