/* SPDX-License-Identifier: BSD-3-Clause */
#include "configs/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (path == NULL || path[0] == '\0')
		return 0;
	size_t length = strlen(path);
	/* sd_notify(3): an absolute path, or '@' for the abstract name space; others are not ours.
	 */
	if (path[0] != '/' && path[0] != '@')
		return -EAFNOSUPPORT;
	if (length >= sizeof(address.sun_path))
		return -E2BIG;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&address, size);
	int rc = sent < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int notify_ready(const char *status)
{
	char state[512];
	snprintf(state, sizeof(state), "READY=1%s%s",
		status == NULL ? "" : "\nSTATUS=", status == NULL ? "" : status);
	return notify_send(state);
}

int notify_stopping(void)
{
	return notify_send("STOPPING=1");
}

int notify_watchdog(void)
{
	return notify_send("WATCHDOG=1");
}

int notify_status(const char *format, ...)
{
	char state[512] = "STATUS=";
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(state + 7, sizeof(state) - 7, format, arguments);
	va_end(arguments);
	return notify_send(state);
}

uint64_t notify_watchdog_period_ms(void)
{
	const char *period = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	char *end;
	if (period == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	unsigned long long microseconds = strtoull(period, &end, 10);
	if (errno != 0 || end == period || *end != '\0')
		return 0;
	return microseconds / 2000;
}
