// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs a fuzz target over the files and directories named: each input as it is, cut at every byte,
 * and with every single byte inverted. Inputs lie in heap blocks of exactly their size, so that
 * AddressSanitizer sees one byte too many. No input at all is a failure.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)
/* Longer inputs run as they are only: the variants cost the square of the size. */
#define VARIANTS_MAX 4096u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long runs;

static void run(const uint8_t *data, size_t size, size_t inverted)
{
	uint8_t *block = malloc(size ? size : 1);

	if (block == NULL)
		abort();
	memcpy(block, data, size);
	if (inverted < size)
		block[inverted] ^= 0xff;
	/* malloc(0) need not give a block that can be watched; the last byte of one of size 1 can.
	 */
	LLVMFuzzerTestOneInput(size ? block : block + 1, size);
	free(block);
	runs++;
}

static int run_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(path, "rb");
	size_t size, i;

	if (file == NULL) {
		perror(path);
		return -1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run(data, size, SIZE_MAX);
	for (i = 0; size <= VARIANTS_MAX && i < size; i++) {
		run(data, i, SIZE_MAX);
		run(data, size, i);
	}
	return 0;
}

static int run_path(const char *path)
{
	struct stat status;
	struct dirent *entry;
	int result = 0;
	DIR *directory;

	if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
		return run_file(path);
	directory = opendir(path);
	if (directory == NULL) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(directory)) != NULL) {
		char child[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (run_file(child) != 0)
			result = -1;
	}
	closedir(directory);
	return result;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (run_path(argv[i]) != 0)
			return 1;
	printf("%lu inputs\n", runs);
	return runs == 0;
}
