/* SPDX-License-Identifier: BSD-3-Clause */
/* A browser's session as session.c of the program asks for it, with an offer that always fits. */
#include <string.h>

#include "controlplane/rooms/session_event.h"
#include "tests/model/driver.h"

static const char *text_of(json_t *command, const char *name)
{
	const char *text = json_string_value(json_object_get(command, name));

	return text == NULL ? "" : text;
}

static struct member *member_of(struct driver *driver, json_t *command)
{
	struct room *room = registry_room(&driver->registry, text_of(command, "room"));

	return room == NULL ? NULL : registry_member(room, text_of(command, "member"));
}

void session_begin(struct driver *driver, struct plan *plan, json_t *command)
{
	struct session_wish wish = {.speaks = json_is_true(json_object_get(command, "speaks")),
		.receives = true,
		.profile = {.payload_type = 111},
		.payload_type = 111,
		.mid = "0",
		.remote_ufrag = "ufrag",
		.remote_pwd = "0123456789012345678901",
		.remote_ufrag_size = 5,
		.remote_pwd_size = 22};
	struct event event = {.type = &session_put_type};
	struct session_put *body = (struct session_put *)event.body;
	const struct member *member = member_of(driver, command);

	body->wish = &wish;
	wish.member_id = member == NULL ? 1 : member_id(member); /* 1 is nobody's */
	session_put_type.handle(&driver->registry, &event, plan);
}

void session_over(struct driver *driver, struct plan *plan, json_t *command)
{
	struct event event = {.type = &session_end_type};
	struct session_end *body = (struct session_end *)event.body;
	const struct member *member = member_of(driver, command);

	body->leg_id = member == NULL ? 0 : member->put.leg_id;
	body->seat = json_is_true(json_object_get(command, "left")) ? SEAT_LEFT : SEAT_LOST;
	session_end_type.handle(&driver->registry, &event, plan);
}
