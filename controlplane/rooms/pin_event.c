/* SPDX-License-Identifier: BSD-3-Clause */
/* pin.add, pin.remove. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/pin.h"
#include "controlplane/rooms/policy.h"

struct pin_add {
	const char *text, *url;
};

static const struct field pin_add_fields[] = {{.name = "text",
						      .kind = FIELD_TEXT,
						      .min = 1,
						      .max = PIN_TEXT_SIZE - 1,
						      .offset = offsetof(struct pin_add, text)},
	{.name = "url",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = PIN_TEXT_SIZE - 1,
		.offset = offsetof(struct pin_add, url)},
	{.name = NULL}};

/* What a page may make a link of: http and https, a host, nothing that ends a line or a word. */
static bool url_valid(const char *url)
{
	const char *host = strncasecmp(url, "https://", 8) == 0  ? url + 8
			   : strncasecmp(url, "http://", 7) == 0 ? url + 7
								 : "";

	if (*host == '\0' || strchr("/?#:@", *host) != NULL)
		return false;
	for (const unsigned char *at = (const unsigned char *)url; *at != '\0'; at++) {
		if (*at <= ' ' || *at == 0x7f)
			return false;
	}
	return true;
}

static bool valid(const struct pin_add *body, struct verdict *verdict)
{
	if (body->text == NULL && body->url == NULL)
		return verdict_refuse(
			verdict, VERDICT_INVALID, "text or url: one of them, or both");
	if (body->url != NULL && !url_valid(body->url))
		return verdict_refuse(verdict, VERDICT_INVALID,
			"url: must begin with http:// or https:// and a host, without spaces");
	return true;
}

static struct pin *make(struct registry *registry, const struct event *event,
	const struct room *room, struct plan *plan)
{
	const struct pin_add *body = event_body(event);
	struct pin *pin = record_make(RECORD_PIN, registry->next_id++);

	if (pin == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	pin->room_id = room->put.room_id;
	pin->at_ms = plan->now.wall_ms;
	strncpy(pin->actor.text, event->actor, EVENT_ID_MAX);
	strncpy(pin->text, body->text == NULL ? "" : body->text, PIN_TEXT_SIZE - 1);
	strncpy(pin->url, body->url == NULL ? "" : body->url, PIN_TEXT_SIZE - 1);
	return pin;
}

static const char *or_null(const char *text)
{
	return *text == '\0' ? NULL : text;
}

static void pin_add(struct registry *registry, const struct event *event, struct plan *plan)
{
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {.actor = event->actor, .action = "pin.add"};
	struct writer writer = {0};
	struct pin *pin;

	if (room == NULL ||
		!policy_at_least(
			registry, room, event->actor, RANK_COHOST, "pin", &plan->verdict) ||
		!valid(event_body(event), &plan->verdict))
		return;
	if (room->pins.count >= PINS_MAX) {
		verdict_refuse(&plan->verdict, VERDICT_CAPACITY,
			"\"%s\" has its %d pins: remove one first", room->name.text, PINS_MAX);
		return;
	}
	pin = make(registry, event, room, plan);
	if (pin == NULL)
		return;
	if (!plan_record(plan, registry, RECORD_PIN, NULL, pin)) {
		record_free(RECORD_PIN, pin);
		return;
	}
	if (!plan_audit(plan, room, &audit))
		return;
	outgoing_begin(&writer, plan, registry, room, "pin.added");
	writer_string(&writer, "actor", event->actor);
	writer_id(&writer, "pin", pin->id);
	writer_string(&writer, "text", or_null(pin->text));
	writer_string(&writer, "url", or_null(pin->url));
	plan_event_end(plan, registry, room, &writer);
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "pin", pin->id);
}

struct pin_remove {
	const char *pin;
};

static const struct field pin_remove_fields[] = {
	{.name = "pin",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct pin_remove, pin)},
	{.name = NULL}};

static struct pin *find(const struct room *room, const char *text, struct verdict *verdict)
{
	uint64_t id = 0;
	char *end = NULL;
	struct pin *pin;

	if (*text >= '0' && *text <= '9') {
		errno = 0;
		id = strtoull(text, &end, 10);
		if (errno != 0 || *end != '\0')
			id = 0;
	}
	pin = id == 0 ? NULL : roster_find(&room->pins, id);
	if (pin == NULL)
		verdict_refuse(verdict, VERDICT_NO_SUCH_THING, "no pin \"%s\" in \"%s\"", text,
			room->name.text);
	return pin;
}

static void pin_remove(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct pin_remove *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {.actor = event->actor, .action = "pin.remove"};
	struct writer writer = {0};
	struct pin *pin;

	if (room == NULL || !policy_at_least(registry, room, event->actor, RANK_COHOST,
				    "remove a pin", &plan->verdict))
		return;
	pin = find(room, body->pin, &plan->verdict);
	if (pin == NULL || !plan_record(plan, registry, RECORD_PIN, pin, NULL) ||
		!plan_audit(plan, room, &audit))
		return;
	outgoing_begin(&writer, plan, registry, room, "pin.removed");
	writer_string(&writer, "actor", event->actor);
	writer_id(&writer, "pin", pin->id);
	plan_event_end(plan, registry, room, &writer);
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "pin", pin->id);
}

const struct event_type pin_event_types[] = {
	{"pin.add", pin_add_fields, sizeof(struct pin_add),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		pin_add},
	{"pin.remove", pin_remove_fields, sizeof(struct pin_remove),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		pin_remove},
	{NULL}};
