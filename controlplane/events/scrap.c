/* SPDX-License-Identifier: BSD-3-Clause */
#include <malloc.h>
#include <setjmp.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/events/scrap.h"

#define CHUNK_FIRST 4096 /* an ordinary request needs half of it */
#define CHUNK_MORE 32768

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

/* Of the line under way: jansson's functions have no context. */
struct way {
	struct scrap *scrap; /* NULL: somebody else's tree, of malloc() */
	jmp_buf starved;
};

static _Thread_local struct way way;

static struct chunk *grow(struct scrap *scrap, size_t need)
{
	size_t size = scrap->chunks == NULL ? CHUNK_FIRST : CHUNK_MORE;
	struct chunk *chunk;

	if (size < sizeof(*chunk) + need)
		size = sizeof(*chunk) + need;
	chunk = malloc(size);
	if (chunk == NULL)
		return NULL;
	*chunk = (struct chunk){scrap->chunks, size - sizeof(*chunk), 0};
	scrap->chunks = chunk;
	return chunk;
}

static void *allocate(size_t size)
{
	struct chunk *chunk;
	void *memory;

	if (way.scrap == NULL)
		return malloc(size);
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	chunk = way.scrap->chunks;
	if (chunk == NULL || chunk->size - chunk->used < size)
		chunk = grow(way.scrap, size);
	if (chunk == NULL)
		longjmp(way.starved, 1);
	memory = chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

static void release(void *memory)
{
	if (way.scrap != NULL || memory == NULL)
		return;
	explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void scrap_setup(void)
{
	json_set_alloc_funcs(allocate, release);
}

json_t *scrap_parse(
	struct scrap *scrap, const char *line, size_t size, json_error_t *error, bool *starved)
{
	json_t *volatile root = NULL;

	way.scrap = scrap;
	*starved = setjmp(way.starved) != 0;
	if (!*starved)
		root = json_loadb(line, size, JSON_REJECT_DUPLICATES, error);
	way.scrap = NULL;
	return root;
}

void scrap_delete(json_t *object, const char *key)
{
	struct scrap somewhere = {0};

	way.scrap = &somewhere; /* so that nothing is freed; deleting allocates nothing */
	json_object_del(object, key);
	way.scrap = NULL;
}

void scrap_clear(struct scrap *scrap)
{
	while (scrap->chunks != NULL) {
		struct chunk *chunk = scrap->chunks;

		scrap->chunks = chunk->next;
		explicit_bzero(chunk->bytes, chunk->used);
		free(chunk);
	}
}
