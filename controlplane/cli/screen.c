// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/cli/screen.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define ROWS_DEFAULT 24
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static volatile sig_atomic_t ended;

static void end(int number)
{
	(void)number;
	ended = 1;
}

static void resized(int number)
{
	(void)number; /* interrupts the wait, the size is read at each show */
}

/*
 * The signals are blocked but for the wait: one that comes while the screen is being drawn is taken
 * at the next wait, so the terminal is never left half-way.
 */
static void block_signals(struct screen *screen)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction action = {.sa_handler = end};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		sigaction(ending[i], &action, NULL);
		sigaddset(&set, ending[i]);
	}
	action.sa_handler = resized;
	sigaction(SIGWINCH, &action, NULL);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &screen->signals);
}

void screen_open(struct screen *screen, bool wanted)
{
	struct termios raw;

	memset(screen, 0, sizeof(*screen));
	screen->rows = ROWS_DEFAULT;
	screen->live = wanted && isatty(STDOUT_FILENO);
	block_signals(screen);
	if (!screen->live)
		return;
	if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &screen->saved) == 0) {
		screen->keys = true;
		raw = screen->saved;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	fputs(ENTER, stdout);
	fflush(stdout);
}

void screen_close(struct screen *screen)
{
	if (screen->live) {
		fputs(LEAVE, stdout);
		fflush(stdout);
	}
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->saved);
	screen->live = screen->keys = false;
	sigprocmask(SIG_SETMASK, &screen->signals, NULL);
}

void screen_show(struct screen *screen, const char *text, size_t size)
{
	const char *end_of_text = text + size;
	struct winsize window;

	if (!screen->live) {
		fwrite(text, 1, size, stdout);
		fflush(stdout);
		return;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 1)
		screen->rows = window.ws_row;
	fputs(HOME, stdout);
	for (unsigned int row = 0; text < end_of_text && row + 1 < screen->rows; row++) {
		const char *newline = memchr(text, '\n', (size_t)(end_of_text - text));
		size_t length = (size_t)((newline ? newline : end_of_text) - text);

		fwrite(text, 1, length, stdout);
		fputs(CLEAR_LINE "\n", stdout);
		text += length + 1;
	}
	fputs(CLEAR_BELOW, stdout);
	fflush(stdout);
}

bool screen_wait(struct screen *screen, int timeout_ms)
{
	struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
	struct pollfd keyboard = {.fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN};
	char key = 0;

	if (ppoll(&keyboard, 1, &timeout, &screen->signals) > 0 && read(STDIN_FILENO, &key, 1) <= 0)
		screen->keys = false;
	return ended || key == 'q' || key == 'Q';
}
