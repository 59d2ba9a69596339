/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * moderation.report, moderation.reports, moderation.resolve. What the relay knows at that moment is
 * the evidence. When enough different people have open reports of somebody in a room, they are held
 * silent there until somebody has looked.
 */
#include <errno.h>
#include <string.h>

#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/report.h"

#define THE_PROGRAM "stentor" /* acts, in the audit */

struct report_request {
	const char *member, *text;
	int category;
};

static const struct field report_fields[] = {
	{.name = "member",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct report_request, member)},
	{.name = "category",
		.kind = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = report_category_names,
		.offset = offsetof(struct report_request, category)},
	{.name = "text",
		.kind = FIELD_TEXT,
		.max = REPORT_TEXT_MAX,
		.offset = offsetof(struct report_request, text)},
	{.name = NULL}};

/* Who holds which slot now, and as what the reported is there. */
static char *evidence_of(const struct plan *plan, const struct registry *registry,
	const struct room *room, const char *user)
{
	const struct member *member = registry_member(room, user);
	struct writer writer = {0};

	writer_begin_object(&writer, NULL);
	writer_int(&writer, "at_ms", plan->now.wall_ms);
	writer_begin_array(&writer, "slots");
	for (uint32_t slot = 0; slot < room->put.slot_count; slot++) {
		const struct member *holder = registry_member_by_id(registry, room->holder[slot]);

		writer_begin_object(&writer, NULL);
		writer_uint(&writer, "slot", slot);
		writer_uint(&writer, "ssrc", room->put.slot_ssrc[slot]);
		writer_string(&writer, "member", holder == NULL ? NULL : holder->user.text);
		writer_end_object(&writer);
	}
	writer_end_array(&writer);
	writer_string(&writer, "role", member == NULL ? NULL : admission_role_names[member->role]);
	writer_bool(&writer, "muted", hash_find(&room->silenced, user) != NULL);
	writer_end_object(&writer);
	writer_append(&writer, "", 1);
	if (!writer.failed)
		return writer.text; /* now the report's */
	writer_clear(&writer);
	return NULL;
}

/* Place for one more: the oldest that is resolved goes. */
static bool make_place(struct plan *plan, struct registry *registry)
{
	struct report *report;
	uint64_t id = 0;

	if (registry->limits.reports_max == 0 ||
		registry->reports.count < registry->limits.reports_max)
		return true;
	while ((report = roster_next(&registry->reports, &id)) != NULL) {
		if (report->state != REPORT_OPEN)
			return plan_record(plan, registry, RECORD_REPORT, report, NULL);
	}
	return verdict_refuse(&plan->verdict, VERDICT_CAPACITY,
		"reports_max: %u reports are not resolved yet", registry->limits.reports_max);
}

static struct report *make_report(struct plan *plan, struct registry *registry,
	const struct room *room, const struct event *event)
{
	const struct report_request *body = event_body(event);
	struct report *report = record_make(RECORD_REPORT, registry->next_id++);

	if (report == NULL)
		return NULL;
	report->room_id = room->put.room_id;
	report->room = room->name;
	report->host = room->host;
	strncpy(report->reporter.text, event->actor, EVENT_ID_MAX);
	strncpy(report->member.text, body->member, EVENT_ID_MAX);
	report->category = (uint32_t)body->category;
	report->at_ms = plan->now.wall_ms;
	if (body->text != NULL)
		report->text = strdup(body->text);
	report->evidence = evidence_of(plan, registry, room, body->member);
	if (report->evidence != NULL && (body->text == NULL || report->text != NULL))
		return report;
	record_free(RECORD_REPORT, report);
	return NULL;
}

static bool announce_report(struct plan *plan, struct registry *registry, struct room *room,
	const struct report *report)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "report.opened");
	writer_id(&writer, "report", report->id);
	writer_string(&writer, "reporter", report->reporter.text);
	writer_string(&writer, "member", report->member.text);
	writer_string(&writer, "category", report_category_names[report->category]);
	writer_uint(&writer, "distinct",
		registry_reporters(registry, report->room_id, report->member.text));
	return plan_event_end(plan, registry, room, &writer);
}

static bool act(struct plan *plan, struct registry *registry, struct room *room,
	const struct silence *terms, const char *user, const char *reason)
{
	struct audit audit = {
		THE_PROGRAM, terms == NULL ? "moderation.unmute" : "moderation.mute", user, reason};

	if (!plan_audit(plan, room, &audit))
		return false;
	audit.actor = NULL; /* nobody, to those who watch */
	return outgoing_silence(plan, registry, room, &audit, terms);
}

/* Silent without an end, and only a host may change that; unless it is so already. */
static bool hold(struct plan *plan, struct registry *registry, struct room *room, const char *user)
{
	const struct silence *before = hash_find(&room->silenced, user);
	struct silence terms = {.held_rank = RANK_COUNT};

	if (before != NULL && before->by_rank >= RANK_HOST && before->until_ns == 0)
		return true;
	if (before != NULL) {
		terms = *before;
		terms.held_rank = before->by_rank;
	}
	terms.held = true;
	terms.by_rank = terms.by_rank > RANK_HOST ? terms.by_rank : RANK_HOST;
	return act(plan, registry, room, &terms, user, "held");
}

/* Enough is when the number is reached, so that a host who lifts a hold has the last word. */
static bool is_enough(
	const struct registry *registry, const struct room *room, const struct report *report)
{
	const char *user = report->member.text;
	uint32_t count = registry->limits.report_hold_count;

	return count != 0 && registry_reporters(registry, report->room_id, user) == count &&
	       policy_rank(registry, room, user) < RANK_HOST;
}

static bool check_report(const struct registry *registry, const struct room *room,
	const struct event *event, struct verdict *verdict)
{
	const struct report_request *body = event_body(event);

	if (strcmp(event->actor, body->member) == 0)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED, "nobody reports themself");
	if (registry_open_report(registry, room->put.room_id, body->member, event->actor) != NULL)
		return verdict_refuse(verdict, VERDICT_ALREADY_EXISTS,
			"\"%s\" has reported \"%s\" here, and nobody has resolved it yet",
			event->actor, body->member);
	return true;
}

static void report(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct report_request *body = event_body(event);
	struct room *room = event_find_room(registry, event, &plan->verdict);
	struct audit audit = {event->actor, "moderation.report", body->member,
		report_category_names[body->category]};
	struct report *report;

	if (room == NULL || !check_report(registry, room, event, &plan->verdict) ||
		!make_place(plan, registry))
		return;
	report = make_report(plan, registry, room, event);
	if (report == NULL || !plan_record(plan, registry, RECORD_REPORT, NULL, report)) {
		record_free(RECORD_REPORT, report);
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return;
	}
	writer_string(&plan->answer, "room", room->name.text);
	writer_string(&plan->answer, "member", body->member);
	writer_id(&plan->answer, "report", report->id);
	if (plan_audit(plan, room, &audit) && announce_report(plan, registry, room, report) &&
		is_enough(registry, room, report))
		hold(plan, registry, room, body->member);
}

/* ---- the queue ---- */

struct report_list {
	struct page page;
	const char *member;
	int state;
};

static const char *const state_names[] = {"open", "resolved", NULL};

static const struct field list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct report_list, page.after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct report_list, page.limit)},
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(struct report_list, member)},
	{.name = "state",
		.kind = FIELD_CHOICE,
		.choices = state_names,
		.offset = offsetof(struct report_list, state)},
	{.name = NULL}};

static const char *resolution_of(const struct report *report)
{
	static const char *const names[REPORT_STATE_COUNT] = {NULL, "upheld", "dismissed"};

	return names[report->state];
}

static void write_report(struct writer *writer, const struct report *report)
{
	bool open = report->state == REPORT_OPEN;

	writer_begin_object(writer, NULL);
	writer_id(writer, "report", report->id);
	writer_string(writer, "room", report->room.text);
	writer_string(writer, "member", report->member.text);
	writer_string(writer, "reporter", report->reporter.text);
	writer_string(writer, "category", report_category_names[report->category]);
	writer_string(writer, "text", report->text == NULL ? "" : report->text);
	writer_raw(writer, "\"evidence\":", strlen("\"evidence\":"));
	writer_append(writer, report->evidence, strlen(report->evidence));
	writer_string(writer, "state", state_names[!open]);
	writer_int(writer, "at_ms", report->at_ms);
	writer_string(writer, "resolution", resolution_of(report));
	writer_string(writer, "resolved_by", open ? NULL : report->resolved_by.text);
	writer_string(writer, "note", open ? NULL : report->note);
	if (open)
		writer_null(writer, "resolved_ms");
	else
		writer_int(writer, "resolved_ms", report->resolved_ms);
	writer_end_object(writer);
}

/* Whom the list is for, and what of it they see. */
struct reader {
	const char *actor; /* NULL: whoever may see all */
	uint64_t room_id;  /* where they moderate now; 0: nowhere */
};

static bool may_read(const struct registry *registry, const struct event *event,
	struct reader *reader, struct verdict *verdict)
{
	const struct user *user =
		event->actor == NULL ? NULL : registry_user(registry, event->actor);
	const struct room *room = event->room == NULL ? NULL : registry_room(registry, event->room);

	*reader = (struct reader){0};
	if (event->actor == NULL || (user != NULL && user->moderator))
		return true;
	reader->actor = event->actor;
	if (event->room == NULL)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"only a moderator of the platform sees the reports of all rooms, \"%s\" is "
			"not: name a room",
			event->actor);
	if (room == NULL)
		return true; /* what they hosted under that name */
	reader->room_id = room->put.room_id;
	return policy_at_least(
		registry, room, event->actor, RANK_COHOST, "see its reports", verdict);
}

static bool is_listed(
	const struct report *report, const struct event *event, const struct reader *reader)
{
	const struct report_list *body = event_body(event);

	return (report->state != REPORT_OPEN) == (body->state != 0) &&
	       (event->room == NULL || strcmp(report->room.text, event->room) == 0) &&
	       (body->member == NULL || strcmp(report->member.text, body->member) == 0) &&
	       (reader->actor == NULL || report->room_id == reader->room_id ||
		       strcmp(report->host.text, reader->actor) == 0);
}

static struct report *next_listed(const struct registry *registry, const struct event *event,
	const struct reader *reader, uint64_t *id)
{
	struct report *report;

	do
		report = roster_next(&registry->reports, id);
	while (report != NULL && !is_listed(report, event, reader));
	return report;
}

static void list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct report_list *body = event_body(event);
	const struct report *report = NULL;
	struct reader reader;
	uint64_t id, last;

	if (!may_read(registry, event, &reader, &plan->verdict) ||
		!page_start(&body->page, &id, &plan->verdict))
		return;
	writer_begin_array(&plan->answer, "reports");
	for (uint64_t count = 0; count < body->page.limit; count++) {
		report = next_listed(registry, event, &reader, &id);
		if (report == NULL)
			break;
		write_report(&plan->answer, report);
	}
	writer_end_array(&plan->answer);
	last = id;
	if (report == NULL || next_listed(registry, event, &reader, &id) == NULL)
		writer_null(&plan->answer, "next");
	else
		writer_id(&plan->answer, "next", last);
}

/* ---- what becomes of one ---- */

struct resolution {
	const char *report, *note;
	int resolution;
};

static const char *const resolution_names[] = {"upheld", "dismissed", NULL};

static const struct field resolve_fields[] = {
	{.name = "report",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct resolution, report)},
	{.name = "resolution",
		.kind = FIELD_CHOICE,
		.flags = FIELD_REQUIRED,
		.choices = resolution_names,
		.offset = offsetof(struct resolution, resolution)},
	{.name = "note",
		.kind = FIELD_TEXT,
		.max = REPORT_NOTE_SIZE - 1,
		.offset = offsetof(struct resolution, note)},
	{.name = NULL}};

/* The report the request names, in the room it names if it does. */
static struct report *find_report(
	const struct registry *registry, const struct event *event, struct verdict *verdict)
{
	const struct resolution *body = event_body(event);
	struct report *report = NULL;
	struct page page = {.after = body->report};
	uint64_t id;

	if (page_start(&page, &id, verdict))
		report = roster_find(&registry->reports, id);
	if (report != NULL && (event->room == NULL || strcmp(report->room.text, event->room) == 0))
		return report;
	verdict_refuse(verdict, VERDICT_NO_SUCH_THING, "there is no report \"%s\"", body->report);
	return NULL;
}

static struct report *resolved(
	const struct plan *plan, const struct report *report, const struct event *event)
{
	const struct resolution *body = event_body(event);
	struct report *after = record_copy(RECORD_REPORT, report);

	if (after == NULL)
		return NULL;
	after->state = body->resolution == 0 ? REPORT_UPHELD : REPORT_DISMISSED;
	after->resolved_ms = plan->now.wall_ms;
	strncpy(after->resolved_by.text, event->actor, EVENT_ID_MAX);
	if (body->note != NULL)
		strncpy(after->note, body->note, REPORT_NOTE_SIZE - 1);
	return after;
}

static bool announce_resolution(struct plan *plan, struct registry *registry, struct room *room,
	const struct report *report)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "report.resolved");
	writer_string(&writer, "actor", report->resolved_by.text);
	writer_id(&writer, "report", report->id);
	writer_string(&writer, "member", report->member.text);
	writer_string(&writer, "resolution", resolution_of(report));
	return plan_event_end(plan, registry, room, &writer);
}

/* As it was before, if that has not ended meanwhile. */
static bool lift(
	struct plan *plan, struct registry *registry, struct room *room, const struct silence *held)
{
	struct silence before = *held;
	const struct user_id user = held->user;
	bool over = before.until_ms != 0 && before.until_ms <= plan->now.wall_ms;

	before.held = false;
	before.by_rank = before.held_rank;
	before.held_rank = 0;
	return act(plan, registry, room, held->held_rank == RANK_COUNT || over ? NULL : &before,
		user.text, "dismissed");
}

/* From now on it is a mute like any other of a host. */
static bool confirm(struct plan *plan, struct room *room, const struct silence *held,
	const struct report *report)
{
	struct silence after = {.by = report->resolved_by, .by_rank = held->by_rank};
	const struct user_id user = held->user;

	return plan_silence(plan, room, user.text, &after);
}

/* What the decision means for a hold. */
static bool follow(struct plan *plan, struct registry *registry, struct room *room,
	const struct report *report)
{
	const struct silence *silence =
		room == NULL ? NULL : hash_find(&room->silenced, report->member.text);

	if (silence == NULL || !silence->held)
		return true;
	if (report->state == REPORT_UPHELD)
		return confirm(plan, room, silence, report);
	return registry_reported(registry, report->room_id, report->member.text) ||
	       lift(plan, registry, room, silence);
}

static void resolve(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct resolution *body = event_body(event);
	struct report *report = find_report(registry, event, &plan->verdict), *after;
	struct audit audit = {event->actor, "moderation.resolve", NULL, body->note};
	struct room *room;

	if (report == NULL || !policy_resolve(registry, report, event->actor, &plan->verdict))
		return;
	if (report->state != REPORT_OPEN) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT, "it is %s by \"%s\" already",
			resolution_of(report), report->resolved_by.text);
		return;
	}
	room = registry_room_by_id(registry, report->room_id);
	after = resolved(plan, report, event);
	if (after == NULL || !plan_record(plan, registry, RECORD_REPORT, report, after)) {
		record_free(RECORD_REPORT, after);
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return;
	}
	audit.member = after->member.text;
	writer_string(&plan->answer, "room", after->room.text);
	writer_string(&plan->answer, "member", after->member.text);
	writer_id(&plan->answer, "report", after->id);
	writer_string(&plan->answer, "resolution", resolution_of(after));
	if (plan_audit(plan, room, &audit) && announce_resolution(plan, registry, room, after))
		follow(plan, registry, room, after);
}

const struct event_type report_event_types[] = {
	{"moderation.report", report_fields, sizeof(struct report_request),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		report},
	{"moderation.reports", list_fields, sizeof(struct report_list),
		EVENT_TAKES_ROOM | EVENT_PAGE | EVENT_RATED, list},
	{"moderation.resolve", resolve_fields, sizeof(struct resolution),
		EVENT_NEEDS_ACTOR | EVENT_TAKES_ROOM | EVENT_CHANGES | EVENT_PAGE | EVENT_RATED,
		resolve},
	{NULL}};
