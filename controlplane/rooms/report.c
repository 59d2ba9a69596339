/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/report.h"
#include "controlplane/rooms/session_event.h"

const char *const report_category_names[] = {"spam", "harassment", "hate", "violence", "sexual",
	"self_harm", "impersonation", "copyright", "other", NULL};
#define CATEGORY_COUNT (sizeof(report_category_names) / sizeof(report_category_names[0]) - 1)

static const struct column report_columns[] = {
	{"id", COLUMN_NUMBER, offsetof(struct report, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct report, room_id), 0},
	{"room", COLUMN_USER, offsetof(struct report, room), 0},
	{"host", COLUMN_USER, offsetof(struct report, host), 0},
	{"reporter", COLUMN_USER, offsetof(struct report, reporter), 0},
	{"member", COLUMN_USER, offsetof(struct report, member), 0},
	{"category", COLUMN_SMALL, offsetof(struct report, category), CATEGORY_COUNT - 1},
	{"state", COLUMN_SMALL, offsetof(struct report, state), REPORT_STATE_COUNT - 1},
	{"at_ms", COLUMN_SIGNED, offsetof(struct report, at_ms), 0},
	{"resolved_ms", COLUMN_SIGNED, offsetof(struct report, resolved_ms), 0},
	{"resolved_by", COLUMN_TEXT, offsetof(struct report, resolved_by), sizeof(struct user_id)},
	{"note", COLUMN_TEXT, offsetof(struct report, note), REPORT_NOTE_SIZE},
	{"text", COLUMN_STRING, offsetof(struct report, text), REPORT_TEXT_MAX},
	{"evidence", COLUMN_STRING, offsetof(struct report, evidence), EVIDENCE_MAX}, {NULL}};

static void write_case(char *name, uint64_t room_id, const char *member)
{
	snprintf(name, REPORT_CASE_SIZE, "%" PRIu64 "/%s", room_id, member);
}

static void write_key(char *key, uint64_t room_id, const char *member, const char *reporter)
{
	snprintf(key, REPORT_KEY_SIZE, "%" PRIu64 "/%s/%s", room_id, member, reporter);
}

static struct report *find_case(
	const struct registry *registry, uint64_t room_id, const char *member)
{
	char name[REPORT_CASE_SIZE];
	char *found;

	write_case(name, room_id, member);
	found = hash_find(&registry->cases, name);
	return found == NULL ? NULL : (struct report *)(found - offsetof(struct report, file));
}

static uint32_t counts(const struct report *report)
{
	return strncmp(report->reporter.text, SESSION_GUEST_PREFIX, strlen(SESSION_GUEST_PREFIX)) !=
	       0;
}

/* Behind the first of its case, or as the first. */
static int join_case(struct registry *registry, struct report *report)
{
	struct report *first = find_case(registry, report->room_id, report->member.text);

	report->next = report->previous = NULL;
	write_case(report->file, report->room_id, report->member.text);
	if (first == NULL) {
		report->reporters = counts(report);
		return hash_add(&registry->cases, report->file);
	}
	report->previous = first;
	report->next = first->next;
	if (report->next != NULL)
		report->next->previous = report;
	first->next = report;
	first->reporters += counts(report);
	return 0;
}

static void leave_case(struct registry *registry, struct report *report)
{
	struct report *first = find_case(registry, report->room_id, report->member.text);

	first->reporters -= counts(report);
	if (report->next != NULL)
		report->next->previous = report->previous;
	if (report->previous != NULL) {
		report->previous->next = report->next;
		return;
	}
	hash_remove(&registry->cases, report->file);
	if (report->next != NULL) {
		report->next->reporters = report->reporters;
		hash_add(&registry->cases, report->next->file); /* the place is still there */
	}
}

static int report_link(struct registry *registry, void *record)
{
	struct report *report = record;
	int rc = roster_add(&registry->reports, report->id, report);

	if (rc != 0 || report->state != REPORT_OPEN)
		return rc;
	write_key(report->key, report->room_id, report->member.text, report->reporter.text);
	rc = hash_add(&registry->open_reports, report->key);
	if (rc != 0)
		goto unlist;
	rc = join_case(registry, report);
	if (rc == 0)
		return 0;
	hash_remove(&registry->open_reports, report->key);
unlist:
	roster_remove(&registry->reports, report->id);
	return rc;
}

static void report_unlink(struct registry *registry, void *record)
{
	struct report *report = record;

	roster_remove(&registry->reports, report->id);
	if (report->state != REPORT_OPEN)
		return;
	hash_remove(&registry->open_reports, report->key);
	leave_case(registry, report);
}

struct report *registry_open_report(
	const struct registry *registry, uint64_t room_id, const char *member, const char *reporter)
{
	char key[REPORT_KEY_SIZE];
	char *found;

	write_key(key, room_id, member, reporter);
	found = hash_find(&registry->open_reports, key);
	return found == NULL ? NULL : (struct report *)(found - offsetof(struct report, key));
}

uint32_t registry_reporters(const struct registry *registry, uint64_t room_id, const char *member)
{
	const struct report *first = find_case(registry, room_id, member);

	return first == NULL ? 0 : first->reporters;
}

bool registry_reported(const struct registry *registry, uint64_t room_id, const char *member)
{
	return find_case(registry, room_id, member) != NULL;
}

const struct record_kind report_kind = {
	"reports", report_columns, sizeof(struct report), report_link, report_unlink, NULL};
