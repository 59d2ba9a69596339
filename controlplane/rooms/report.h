/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Somebody's report of somebody else, with what the relay itself knew at that moment. A report
 * stays when its room has ended. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REPORT_H
#define STENTOR_CONTROLPLANE_ROOMS_REPORT_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"

#define REPORT_TEXT_MAX 1024
#define REPORT_NOTE_SIZE 257
#define EVIDENCE_MAX 4096

enum report_state { REPORT_OPEN, REPORT_UPHELD, REPORT_DISMISSED, REPORT_STATE_COUNT };

struct report {
	uint64_t id;
	uint64_t room_id;
	struct user_id room, host, reporter, member;
	uint32_t category; /* position in report_category_names */
	uint32_t state;    /* enum report_state */
	int64_t at_ms, resolved_ms;
	struct user_id resolved_by; /* empty while it is open */
	char note[REPORT_NOTE_SIZE];
	char *text;     /* NULL: none */
	char *evidence; /* a JSON object */
};

extern const struct record_kind report_kind;

#endif
