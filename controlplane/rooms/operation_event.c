/* SPDX-License-Identifier: BSD-3-Clause */
/* status, subscribe, leg.list, explain. */
#include "controlplane/rooms/admission.h"
#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/operation_event.h"
#include "controlplane/rooms/plan.h"
#include "controlplane/rooms/secret.h"

static const struct field subscribe_fields[] = {{.name = "from",
							.kind = FIELD_UINT,
							.max = INT64_MAX,
							.fallback = -1,
							.offset = offsetof(struct subscribe, from)},
	{.name = NULL}};

static const struct field explain_fields[] = {
	{.name = "member", .kind = FIELD_ID, .offset = offsetof(struct explain, member)},
	{.name = "address",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = 64,
		.offset = offsetof(struct explain, address)},
	{.name = "port",
		.kind = FIELD_UINT,
		.min = 1,
		.max = 65535,
		.offset = offsetof(struct explain, port)},
	{.name = "ssrc",
		.kind = FIELD_UINT,
		.max = UINT32_MAX,
		.offset = offsetof(struct explain, ssrc)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct explain, limit)},
	{.name = NULL}};

static const struct field leg_list_fields[] = {
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct page, after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct page, limit)},
	{.name = NULL}};

static void status(struct registry *registry, const struct event *event, struct plan *plan)
{
	plan->query = PLAN_QUERY_STATUS;
}

static void subscribe(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct subscribe *body = event_body(event);

	if (event->room != NULL && event_find_room(registry, event, &plan->verdict) == NULL)
		return;
	if (body->from != SUBSCRIBE_LIVE && body->from > registry->sequence) {
		verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"from: %llu has not happened yet, the last is %llu",
			(unsigned long long)body->from, (unsigned long long)registry->sequence);
		return;
	}
	plan->query = PLAN_QUERY_SUBSCRIBE;
}

static void explain(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct explain *body = event_body(event);
	struct stn_address address;
	const struct room *room;

	if (body->member != NULL && event->room != NULL && body->address == NULL) {
		room = event_find_room(registry, event, &plan->verdict);
		if (room != NULL && event_find_member(room, body->member, &plan->verdict) != NULL)
			plan->query = PLAN_QUERY_EXPLAIN;
		return;
	}
	if (body->address == NULL || body->port == 0 || body->member != NULL) {
		verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"either room and member, or address and port");
		return;
	}
	if (admission_address(body->address, body->port, &address) != 0) {
		verdict_refuse(&plan->verdict, VERDICT_INVALID,
			"address: \"%.64s\" is not an IPv4 or IPv6 address", body->address);
		return;
	}
	plan->query = PLAN_QUERY_EXPLAIN;
}

static void describe_leg(struct writer *writer, const struct member *member)
{
	const struct stn_op_leg_put *put = &member->put;
	bool group = put->protection == STN_PROTECTION_GROUP;
	unsigned int suite = group ? member->room->put.group_key.suite : put->tx.suite;
	char remote[64];

	admission_address_text(&put->remote, remote, sizeof(remote));
	writer_begin_object(writer, NULL);
	if (put->leg_id == 0)
		writer_null(writer, "leg"); /* a seat: no session yet */
	else
		writer_id(writer, "leg", put->leg_id);
	writer_string(writer, "room", member->room->name.text);
	writer_string(writer, "member", member->user.text);
	writer_string(writer, "role", admission_role_names[member->role]);
	writer_string(writer, "remote", put->remote.family == 0 ? NULL : remote);
	writer_string(writer, "transport", admission_transport_names[member_webrtc(member)]);
	writer_string(writer, "protection", admission_protection_names[group]);
	writer_string(writer, "suite", suite == STN_SUITE_NONE ? NULL : secret_suite_name(suite));
	writer_uint(writer, "payload_type", member->room->put.profile[put->profile].payload_type);
	writer_bool(writer, "muted", member_muted(member));
	writer_bool(writer, "connected", member->connected);
	writer_bool(writer, "programmed", member->programmed);
	writer_end_object(writer);
}

static void leg_list(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct page *page = event_body(event);
	const struct roster *roster = &registry->members;
	const struct member *member = NULL;
	uint64_t id, last;

	if (event->room != NULL) {
		const struct room *room = event_find_room(registry, event, &plan->verdict);

		if (room == NULL)
			return;
		roster = &room->roster;
	}
	if (!page_start(page, &id, &plan->verdict))
		return;
	writer_begin_array(&plan->answer, "legs");
	for (uint64_t count = 0; count < page->limit; count++) {
		member = roster_next(roster, &id);
		if (member == NULL)
			break;
		describe_leg(&plan->answer, member);
	}
	writer_end_array(&plan->answer);
	last = id;
	if (member == NULL || roster_next(roster, &id) == NULL)
		writer_null(&plan->answer, "next");
	else
		writer_id(&plan->answer, "next", last);
}

const struct event_type operation_event_types[] = {{"status", NULL, 0, 0, status},
	{"subscribe", subscribe_fields, sizeof(struct subscribe), EVENT_TAKES_ROOM, subscribe},
	{"leg.list", leg_list_fields, sizeof(struct page), EVENT_TAKES_ROOM, leg_list},
	{"explain", explain_fields, sizeof(struct explain), EVENT_TAKES_ROOM, explain}, {NULL}};
