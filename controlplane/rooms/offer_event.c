/* SPDX-License-Identifier: BSD-3-Clause */
/* ticket.offer. */
#include <inttypes.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"
#include "controlplane/rooms/ticket.h"

#define QUANTITY_MAX 1000000
#define TIME_MAX_MS (INT64_MAX / 2000000)
#define NOT_GIVEN UINT64_MAX

struct ticket_offer {
	uint64_t price, quantity, sale_from_ms, sale_until_ms; /* NOT_GIVEN: as it is */
	const char *currency;
};

static const struct field ticket_offer_fields[] = {
	{.name = "price",
		.kind = FIELD_UINT,
		.max = PRICE_MAX,
		.fallback = -1,
		.offset = offsetof(struct ticket_offer, price)},
	{.name = "currency",
		.kind = FIELD_TEXT,
		.min = CURRENCY_SIZE - 1,
		.max = CURRENCY_SIZE - 1,
		.offset = offsetof(struct ticket_offer, currency)},
	{.name = "quantity",
		.kind = FIELD_UINT,
		.min = 1,
		.max = QUANTITY_MAX,
		.fallback = -1,
		.offset = offsetof(struct ticket_offer, quantity)},
	{.name = "sale_from_ms",
		.kind = FIELD_UINT,
		.min = 1,
		.max = TIME_MAX_MS,
		.fallback = -1,
		.offset = offsetof(struct ticket_offer, sale_from_ms)},
	{.name = "sale_until_ms",
		.kind = FIELD_UINT,
		.max = TIME_MAX_MS,
		.fallback = -1,
		.offset = offsetof(struct ticket_offer, sale_until_ms)},
	{.name = NULL}};

/* The first offer of a room says everything that has no fallback. */
static bool offer_whole(const struct ticket_offer *body, struct verdict *verdict)
{
	const char *missing = NULL;

	if (body->price == NOT_GIVEN)
		missing = "price";
	else if (body->currency == NULL)
		missing = "currency";
	else if (body->quantity == NOT_GIVEN)
		missing = "quantity";
	return missing == NULL || verdict_refuse(verdict, VERDICT_INVALID,
					  "%s: missing, and there is no offer yet", missing);
}

static bool offer_may_change(
	const struct offer *offer, const struct ticket_offer *body, struct verdict *verdict)
{
	if (body->currency != NULL && strcmp(body->currency, offer->currency) != 0 &&
		offer->issued > 0)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"currency: stays %s while %u tickets are out", offer->currency,
			offer->issued);
	if (body->quantity != NOT_GIVEN && body->quantity < offer->issued)
		return verdict_refuse(
			verdict, VERDICT_CONFLICT, "quantity: %u tickets are out", offer->issued);
	return true;
}

/* What is given takes the place of what is there. */
static void offer_fill(struct offer *offer, const struct ticket_offer *body)
{
	if (body->price != NOT_GIVEN)
		offer->price = body->price;
	if (body->currency != NULL)
		memcpy(offer->currency, body->currency, CURRENCY_SIZE);
	if (body->quantity != NOT_GIVEN)
		offer->quantity = (uint32_t)body->quantity;
	if (body->sale_from_ms != NOT_GIVEN)
		offer->sale_from_ms = (int64_t)body->sale_from_ms;
	if (body->sale_until_ms != NOT_GIVEN)
		offer->sale_until_ms = (int64_t)body->sale_until_ms;
}

void offer_describe(struct writer *writer, const char *name, const struct offer *offer)
{
	if (offer == NULL) {
		writer_null(writer, name);
		return;
	}
	if (name != NULL)
		writer_begin_object(writer, name);
	writer_id(writer, "offer", offer->id);
	writer_uint(writer, "price", offer->price);
	writer_string(writer, "currency", offer->currency);
	writer_uint(writer, "quantity", offer->quantity);
	writer_uint(writer, "left", offer->quantity - offer->issued);
	writer_int(writer, "sale_from_ms", offer->sale_from_ms);
	if (offer->sale_until_ms == 0)
		writer_null(writer, "sale_until_ms");
	else
		writer_int(writer, "sale_until_ms", offer->sale_until_ms);
	if (name != NULL)
		writer_end_object(writer);
}

/* The offer as it shall be, not in the registry; NULL with the verdict set. */
static struct offer *offer_make(struct registry *registry, const struct room *room,
	const struct ticket_offer *body, struct plan *plan)
{
	struct offer *offer = room->offer == NULL ? record_make(RECORD_OFFER, registry->next_id++)
						  : record_copy(RECORD_OFFER, room->offer);

	if (offer == NULL) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return NULL;
	}
	if (room->offer == NULL) {
		offer->room_id = room->put.room_id;
		offer->sale_from_ms = plan->now.wall_ms;
	}
	offer_fill(offer, body);
	if (offer->sale_until_ms == 0 || offer->sale_until_ms > offer->sale_from_ms)
		return offer;
	verdict_refuse(&plan->verdict, VERDICT_INVALID,
		"sale_until_ms: the sale begins at %" PRId64 " only", offer->sale_from_ms);
	record_free(RECORD_OFFER, offer);
	return NULL;
}

static bool announce_offer(
	struct plan *plan, struct registry *registry, struct room *room, const char *actor)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "ticket.offered");
	writer_string(&writer, "actor", actor);
	offer_describe(&writer, NULL, room->offer);
	return plan_event_end(plan, registry, room, &writer);
}

static void offer(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct ticket_offer *body = event_body(event);
	struct audit audit = {.actor = event->actor, .action = "ticket.offer"};
	struct verdict *verdict = &plan->verdict;
	struct offer *fresh;
	struct room *room;

	if (body->currency != NULL && !currency_valid(body->currency, verdict))
		return;
	room = event_find_room(registry, event, verdict);
	if (room == NULL ||
		!policy_at_least(registry, room, event->actor, RANK_HOST, "offer tickets", verdict))
		return;
	if (room->rules.access != ACCESS_TICKETED) {
		verdict_refuse(verdict, VERDICT_CONFLICT,
			"\"%s\" is not ticketed: change its access by room.update",
			room->name.text);
		return;
	}
	if (room->offer == NULL ? !offer_whole(body, verdict)
				: !offer_may_change(room->offer, body, verdict))
		return;
	fresh = offer_make(registry, room, body, plan);
	if (fresh == NULL || !ticket_put(plan, registry, RECORD_OFFER, room->offer, fresh) ||
		!plan_audit(plan, room, &audit) ||
		!announce_offer(plan, registry, room, event->actor))
		return;
	writer_string(&plan->answer, "room", room->name.text);
	offer_describe(&plan->answer, NULL, room->offer);
}

const struct event_type offer_event_types[] = {
	{"ticket.offer", ticket_offer_fields, sizeof(struct ticket_offer),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES | EVENT_PAGE, offer},
	{NULL}};
