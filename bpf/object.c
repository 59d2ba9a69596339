/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/steer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int object_take(char *path, size_t size, const char *candidate)
{
	if (strlen(candidate) >= size)
		return -ENAMETOOLONG;
	if (access(candidate, R_OK) < 0)
		return -ENOENT;
	if (strchr(candidate, ',')) /* separates DPDK's device arguments */
		return -EINVAL;
	memcpy(path, candidate, strlen(candidate) + 1);
	return 0;
}

int steer_object_path(const char *configured, char *path, size_t size)
{
	/* Programs lie in build/X, tests in build/tests/X, the object in build/bpf. */
	static const char *const built[] = {"../bpf/steer.bpf.o", "../../bpf/steer.bpf.o"};
	char candidate[PATH_MAX];

	if (configured && *configured)
		return object_take(path, size, configured);
	ssize_t length = readlink("/proc/self/exe", candidate, sizeof(candidate) - 1);
	for (size_t i = 0; length > 0 && i < sizeof(built) / sizeof(built[0]); i++) {
		candidate[length] = '\0';
		char *name = strrchr(candidate, '/') + 1;
		size_t left = sizeof(candidate) - (size_t)(name - candidate);
		if ((size_t)snprintf(name, left, "%s", built[i]) >= left)
			continue;
		int rc = object_take(path, size, candidate);
		if (rc != -ENOENT)
			return rc;
	}
	return object_take(path, size, STEER_OBJECT_INSTALLED);
}
