/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/reaction.h"

#define GRID_NS 50000000u /* rooms are told about together, 20 times a second at most */

int reaction_find(const struct registry *registry, const char *emoji)
{
	for (uint32_t i = 0; i < registry->limits.reaction_count; i++) {
		if (strcmp(registry->limits.reactions[i], emoji) == 0)
			return (int)i;
	}
	return -1;
}

static void append(struct registry *registry, struct reactions *reactions)
{
	if (registry->reacting_last == NULL)
		registry->reacting_last = &registry->reacting;
	reactions->next = NULL;
	reactions->link = registry->reacting_last;
	*reactions->link = reactions;
	registry->reacting_last = &reactions->next;
}

static void detach(struct reactions *reactions)
{
	struct registry *registry = reactions->room->registry;

	if (reactions->link == NULL)
		return;
	*reactions->link = reactions->next;
	if (reactions->next != NULL)
		reactions->next->link = reactions->link;
	else
		registry->reacting_last = reactions->link;
	reactions->link = NULL;
}

int reaction_add(struct room *room, unsigned int emoji, uint32_t count, uint64_t now_ns)
{
	struct reactions *reactions = room->reactions;

	if (reactions == NULL) {
		reactions = room->reactions = calloc(1, sizeof(*reactions));
		if (reactions == NULL)
			return -ENOMEM;
		reactions->room = room;
	}
	reactions->total[emoji] += count;
	reactions->pending[emoji] += count;
	if (reactions->link != NULL)
		return 0;
	/* Rising with now_ns, so that the list stays in order. */
	reactions->flush_ns = now_ns + REACTION_WINDOW_MS * 1000000ull + GRID_NS - 1;
	reactions->flush_ns -= reactions->flush_ns % GRID_NS;
	append(room->registry, reactions);
	return 0;
}

void reaction_take_back(struct room *room, unsigned int emoji, uint32_t count)
{
	room->reactions->total[emoji] -= count;
	room->reactions->pending[emoji] -= count;
}

void reaction_told(struct reactions *reactions)
{
	memset(reactions->pending, 0, sizeof(reactions->pending));
	detach(reactions);
}

void reaction_free(struct reactions *reactions)
{
	if (reactions != NULL)
		detach(reactions);
	free(reactions);
}

void reaction_describe(struct writer *writer, const char *name, const struct room *room)
{
	const struct registry_limits *limits = &room->registry->limits;

	writer_begin_object(writer, name);
	for (uint32_t i = 0; room->reactions != NULL && i < limits->reaction_count; i++) {
		if (room->reactions->total[i] != 0)
			writer_uint(writer, limits->reactions[i], room->reactions->total[i]);
	}
	writer_end_object(writer);
}
