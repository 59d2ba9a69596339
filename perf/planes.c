// SPDX-License-Identifier: BSD-3-Clause
#include "perf/planes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "perf/endpoint.h"
#include "perf/tally.h"

#define SYNCS 101
#define PATH_SIZE (PATH_MAX + 64)

static const char *const program[PLANE_COUNT] = {
	"controlplane/stentor-controlplane", "dataplane/stentor-dataplane"};

/* build/perf/stentor-bench: two up. */
static int find_build(struct planes *planes)
{
	ssize_t size = readlink("/proc/self/exe", planes->build, sizeof(planes->build) - 1);
	char *slash;

	if (size < 0)
		return -errno;
	planes->build[size] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(planes->build, '/');
		if (!slash)
			return -ENOENT;
		*slash = '\0';
	}
	return 0;
}

static int write_config(const struct planes *planes, uint32_t members)
{
	char path[PATH_SIZE];
	FILE *file;

	snprintf(path, sizeof(path), "%s/stentor.conf", planes->folder);
	file = fopen(path, "w");
	if (!file)
		return -errno;
	fprintf(file,
		"controlplane = { events_socket = \"%s\"; table_socket = \"%s/table.sock\";\n"
		"database = \"%s/db\"; http = false; host_min_followers = 0;\n"
		"moderation_per_second = 0; };\n",
		planes->events, planes->folder, planes->folder);
	fprintf(file,
		"dataplane = { ports = ( { driver = \"null\"; addresses = [ \"10.255.255.254/8\" "
		"];\ngateway_mac = \"02:00:00:00:00:01\"; } );\n"
		"table_socket = \"%s/table.sock\"; index_store = \"%s/index\";\n"
		"huge_pages = \"never\"; legs_max = %u; };\n",
		planes->folder, planes->folder, members + 16384);
	return fclose(file) == 0 ? 0 : -EIO;
}

int planes_open(struct planes *planes, const char *where, uint32_t members)
{
	int error;

	*planes = (struct planes){0};
	error = find_build(planes);
	if (error)
		return error;
	snprintf(planes->folder, sizeof(planes->folder), "%s/stentor-bench-XXXXXX", where);
	if (!mkdtemp(planes->folder)) {
		error = -errno;
		planes->folder[0] = '\0';
		return error;
	}
	snprintf(planes->events, sizeof(planes->events), "%s/events.sock", planes->folder);
	return write_config(planes, members);
}

static void remove_folder(const struct planes *planes)
{
	static const char *const name[] = {"stentor.conf", "events.sock", "table.sock", "db",
		"db-wal", "db-shm", "db-journal", "index", "controlplane.log", "dataplane.log",
		"dtls.pem", "sync"};

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		char path[PATH_SIZE];

		snprintf(path, sizeof(path), "%s/%s", planes->folder, name[i]);
		unlink(path);
	}
	if (rmdir(planes->folder) < 0)
		fprintf(stderr, "%s: %s\n", planes->folder, strerror(errno));
}

void planes_close(struct planes *planes)
{
	for (int which = 0; which < PLANE_COUNT; which++)
		planes_kill(planes, (enum plane)which);
	if (planes->folder[0] != '\0')
		remove_folder(planes);
	planes->folder[0] = '\0';
}

static void become(const struct planes *planes, enum plane which)
{
	char path[PATH_SIZE], config[PATH_SIZE], log[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", planes->build, program[which]);
	snprintf(config, sizeof(config), "%s/stentor.conf", planes->folder);
	snprintf(log, sizeof(log), "%s/%s.log", planes->folder,
		which == PLANE_CONTROL ? "controlplane" : "dataplane");
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
		_exit(126);
	execl(path, path, "--config", config, (char *)NULL);
	_exit(127);
}

int planes_start(struct planes *planes, enum plane which)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(planes, which);
	planes->pid[which] = pid;
	return 0;
}

void planes_kill(struct planes *planes, enum plane which)
{
	if (planes->pid[which] == 0)
		return;
	kill(planes->pid[which], SIGKILL);
	while (waitpid(planes->pid[which], NULL, 0) < 0 && errno == EINTR)
		continue;
	planes->pid[which] = 0;
}

int planes_sync_us(const struct planes *planes, double *us)
{
	char path[PATH_SIZE], block[4096] = {0};
	double took[SYNCS];
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/sync", planes->folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (int i = 0; !error && i < SYNCS; i++) {
		uint64_t start_ns = clock_monotonic_ns();

		if (pwrite(fd, block, sizeof(block), (off_t)sizeof(block) * i) !=
				(ssize_t)sizeof(block) ||
			fdatasync(fd) < 0)
			error = -EIO;
		took[i] = (double)(clock_monotonic_ns() - start_ns) / 1e3;
	}
	close(fd);
	if (!error)
		*us = tally_percentile(took, SYNCS, 50);
	return error;
}
