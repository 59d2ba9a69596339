/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host pins to the top of a room: a text, a link, or both. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_PIN_H
#define STENTOR_CONTROLPLANE_ROOMS_PIN_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"

#define PIN_TEXT_SIZE 513
#define PINS_MAX 8 /* of a room */

struct pin {
	uint64_t id;
	uint64_t room_id;
	struct user_id actor;
	int64_t at_ms;
	char text[PIN_TEXT_SIZE], url[PIN_TEXT_SIZE];
};

extern const struct record_kind pin_kind;

#endif
