/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "controlplane/audit.h"
#include "controlplane/rooms/audit_event.h"

static int64_t time_of(uint64_t ms)
{
	return ms > INT64_MAX ? INT64_MAX : (int64_t)ms;
}

static void refuse(
	struct conductor *c, struct request *request, enum verdict_code code, const char *why)
{
	struct verdict verdict;

	verdict_refuse(&verdict, code, "%s", why);
	conductor_refuse(c, request, &verdict);
}

void audit_answer(struct conductor *c, struct request *request)
{
	const struct event *event = &request->parsed.event;
	const struct audit_list *list = event_body(event);
	struct writer *answer = &request->plan.answer;
	struct audit_filter filter = {.room = event->room,
		.actor = list->by,
		.member = list->member,
		.action = list->action,
		.from_ms = time_of(list->from_ms),
		.to_ms = time_of(list->to_ms),
		.limit = (unsigned int)list->page.limit};
	uint64_t next = 0;

	if (list->page.after != NULL)
		filter.after = strtoull(list->page.after, NULL, 10);
	if (!audit_sees_all(c->registry, event->actor)) {
		/* A host sees this room, not another's of the same name that has ended. */
		const struct room *room = registry_room(c->registry, event->room);

		if (room == NULL) {
			refuse(c, request, VERDICT_NO_SUCH_ROOM, "the room has just been closed");
			return;
		}
		filter.room_id = room->put.room_id;
	}
	writer_begin_array(answer, "entries");
	if (store_audit_read(c->store, &filter, answer, &next) != 0) {
		refuse(c, request, VERDICT_UNAVAILABLE, "the database cannot be read");
		return;
	}
	writer_end_array(answer);
	if (next == 0)
		writer_null(answer, "next");
	else
		writer_id(answer, "next", next);
	conductor_finish(c, request);
}
