/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/pin.h"
#include "controlplane/rooms/registry.h"

static const struct column pin_columns[] = {{"id", COLUMN_NUMBER, offsetof(struct pin, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct pin, room_id), 0},
	{"actor", COLUMN_USER, offsetof(struct pin, actor), 0},
	{"at_ms", COLUMN_SIGNED, offsetof(struct pin, at_ms), 0},
	{"text", COLUMN_TEXT, offsetof(struct pin, text), PIN_TEXT_SIZE},
	{"url", COLUMN_TEXT, offsetof(struct pin, url), PIN_TEXT_SIZE}, {NULL}};

static int pin_link(struct registry *registry, void *record)
{
	struct pin *pin = record;
	struct room *room = registry_room_by_id(registry, pin->room_id);

	return room == NULL ? -ENOENT : roster_add(&room->pins, pin->id, pin);
}

static void pin_unlink(struct registry *registry, void *record)
{
	const struct pin *pin = record;
	struct room *room = registry_room_by_id(registry, pin->room_id);

	if (room != NULL)
		roster_remove(&room->pins, pin->id);
}

const struct record_kind pin_kind = {
	"pins", pin_columns, sizeof(struct pin), pin_link, pin_unlink, NULL};
