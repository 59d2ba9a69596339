/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Somebody's report of somebody else, with what the relay itself knew at that moment. A report
 * stays when its room has ended. The open ones about somebody in a room are a case: found by that,
 * counted, and one of each reporter at most. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_REPORT_H
#define STENTOR_CONTROLPLANE_ROOMS_REPORT_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"

#define REPORT_TEXT_MAX 1024
#define REPORT_NOTE_SIZE 257
#define EVIDENCE_MAX 4096
#define REPORT_CASE_SIZE (20 + 1 + EVENT_ID_MAX + 1)          /* "ROOMID/member" */
#define REPORT_KEY_SIZE (REPORT_CASE_SIZE + EVENT_ID_MAX + 1) /* "ROOMID/member/reporter" */

enum report_state { REPORT_OPEN, REPORT_UPHELD, REPORT_DISMISSED, REPORT_STATE_COUNT };

/* NULL-terminated; a report's category is the position. */
extern const char *const report_category_names[];

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
	/* While it is open; no columns. */
	char key[REPORT_KEY_SIZE];      /* its name in registry->open_reports */
	char file[REPORT_CASE_SIZE];    /* of the first: the case's name in registry->cases */
	struct report *next, *previous; /* of the case; previous NULL: the first */
	uint32_t reporters;             /* of the first: how many count, guests do not */
};

extern const struct record_kind report_kind;

/* The open report of that reporter about that user in that room, or NULL. */
struct report *registry_open_report(const struct registry *registry, uint64_t room_id,
	const char *member, const char *reporter);

/* How many have open reports about the user in that room. A guest is nobody in particular, and so
 * does not count. */
uint32_t registry_reporters(const struct registry *registry, uint64_t room_id, const char *member);
/* Whether there is any open report about the user in that room. */
bool registry_reported(const struct registry *registry, uint64_t room_id, const char *member);

#endif
