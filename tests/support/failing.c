/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * To be preloaded: the n-th write, sync or allocation of a real program fails, once or
 * several times in a row. What fails is told through a file of struct failing (FAILING_FILE) that
 * another process maps too; of files only those whose path begins with FAILING_PREFIX. Any thread.
 */
#undef _FILE_OFFSET_BITS /* else pwrite() is pwrite64(), and one of them could not be defined */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum kind { KIND_NONE, KIND_WRITE, KIND_SYNC, KIND_ALLOCATION };

/* As tests/crash/fail.py packs it. */
struct failing {
	uint32_t kind;  /* 0: nothing fails, nothing is counted */
	uint32_t first; /* the first that fails, from 1 */
	uint32_t last;  /* the last that does */
	uint32_t error;
	_Atomic uint32_t seen;
	_Atomic uint32_t failed;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static struct failing *failing;
static const char *prefix;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAILING_FILE");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *memory = MAP_FAILED;

	if (fd >= 0) {
		memory = mmap(NULL, sizeof(*failing), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (memory == MAP_FAILED) {
		fprintf(stderr, "failing: FAILING_FILE cannot be mapped\n");
		_exit(126);
	}
	prefix = getenv("FAILING_PREFIX");
	failing = memory;
}

static bool fails(enum kind kind)
{
	uint32_t seen;

	if (failing == NULL || failing->kind != (uint32_t)kind)
		return false;
	seen = atomic_fetch_add(&failing->seen, 1) + 1;
	if (seen < failing->first || seen > failing->last)
		return false;
	atomic_fetch_add(&failing->failed, 1);
	errno = kind == KIND_ALLOCATION ? ENOMEM : (int)failing->error;
	return true;
}

static bool watched(int fd)
{
	char link[32], path[512];
	ssize_t size;

	if (failing == NULL || failing->kind == KIND_NONE || failing->kind == KIND_ALLOCATION)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (size < 0 || prefix == NULL)
		return false;
	path[size] = '\0';
	return strncmp(path, prefix, strlen(prefix)) == 0;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t size)
{
	return watched(fd) && fails(KIND_WRITE) ? -1 : NEXT(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
	return watched(fd) && fails(KIND_WRITE) ? -1 : NEXT(pwrite)(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
	return watched(fd) && fails(KIND_WRITE) ? -1 : NEXT(pwrite64)(fd, bytes, size, at);
}

int fsync(int fd)
{
	return watched(fd) && fails(KIND_SYNC) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return watched(fd) && fails(KIND_SYNC) ? -1 : NEXT(fdatasync)(fd);
}

void *malloc(size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return fails(KIND_ALLOCATION) ? NULL : __libc_realloc(memory, size);
}
