/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/registry.h"

static const struct event_type *const families[] = {
	room_event_types,
	update_event_types,
	member_event_types,
	floor_event_types,
	moderation_event_types,
	operation_event_types,
	person_event_types,
	schedule_event_types,
	share_event_types,
	pin_event_types,
	role_event_types,
	ban_event_types,
	report_event_types,
	offer_event_types,
	ticket_event_types,
	ledger_event_types,
	reaction_event_types,
	reminder_event_types,
	audit_event_types,
	discovery_event_types,
	timeline_event_types,
};

const struct event_type *event_type_at(size_t position)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		for (const struct event_type *type = families[i]; type->name != NULL; type++) {
			if (position-- == 0)
				return type;
		}
	}
	return NULL;
}

const struct event_type *event_type_find(const char *name)
{
	const struct event_type *type;

	for (size_t position = 0; (type = event_type_at(position)) != NULL; position++) {
		if (strcmp(type->name, name) == 0)
			return type;
	}
	return NULL;
}

bool page_start(const struct page *page, uint64_t *id, struct verdict *verdict)
{
	char *end;

	*id = 0;
	if (page->after == NULL)
		return true;
	errno = 0;
	*id = strtoull(page->after, &end, 10);
	if (errno == 0 && *end == '\0' && page->after[0] >= '0' && page->after[0] <= '9')
		return true;
	return verdict_refuse(verdict, VERDICT_INVALID,
		"after: \"%s\" is not what an earlier answer gave as next", page->after);
}

struct room *event_find_room(
	const struct registry *registry, const struct event *event, struct verdict *verdict)
{
	struct room *room = registry_room(registry, event->room);

	if (room == NULL)
		verdict_refuse(
			verdict, VERDICT_NO_SUCH_ROOM, "no room \"%s\" is open", event->room);
	return room;
}

struct member *event_find_member(const struct room *room, const char *user, struct verdict *verdict)
{
	struct member *member = registry_member(room, user);

	if (member == NULL)
		verdict_refuse(verdict, VERDICT_NO_SUCH_MEMBER, "\"%s\" is not in \"%s\"", user,
			room->name.text);
	return member;
}
