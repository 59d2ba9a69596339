/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/report.h"

static const struct column report_columns[] = {
	{"id", COLUMN_NUMBER, offsetof(struct report, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct report, room_id), 0},
	{"room", COLUMN_USER, offsetof(struct report, room), 0},
	{"host", COLUMN_USER, offsetof(struct report, host), 0},
	{"reporter", COLUMN_USER, offsetof(struct report, reporter), 0},
	{"member", COLUMN_USER, offsetof(struct report, member), 0},
	{"category", COLUMN_SMALL, offsetof(struct report, category), UINT32_MAX},
	{"state", COLUMN_SMALL, offsetof(struct report, state), REPORT_STATE_COUNT - 1},
	{"at_ms", COLUMN_SIGNED, offsetof(struct report, at_ms), 0},
	{"resolved_ms", COLUMN_SIGNED, offsetof(struct report, resolved_ms), 0},
	{"resolved_by", COLUMN_TEXT, offsetof(struct report, resolved_by), sizeof(struct user_id)},
	{"note", COLUMN_TEXT, offsetof(struct report, note), REPORT_NOTE_SIZE},
	{"text", COLUMN_STRING, offsetof(struct report, text), REPORT_TEXT_MAX},
	{"evidence", COLUMN_STRING, offsetof(struct report, evidence), EVIDENCE_MAX}, {NULL}};

static int report_link(struct registry *registry, void *record)
{
	return roster_add(&registry->reports, record_id(record), record);
}

static void report_unlink(struct registry *registry, void *record)
{
	roster_remove(&registry->reports, record_id(record));
}

const struct record_kind report_kind = {
	"reports", report_columns, sizeof(struct report), report_link, report_unlink, NULL};
