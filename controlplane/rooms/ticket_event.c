/* SPDX-License-Identifier: BSD-3-Clause */
/* ticket.offer, ticket.issue, ticket.refund. What a request says is checked before whom it is
 * about.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/fee.h"
#include "controlplane/rooms/ledger.h"
#include "controlplane/rooms/outgoing.h"
#include "controlplane/rooms/policy.h"

#define REASON_MAX 256
#define CARD_DIGITS_MIN 13
#define CARD_DIGITS_MAX 19

struct ticket_issue {
	const char *user, *reference, *currency;
	uint64_t price, provider_fee;
};

static const struct field ticket_issue_fields[] = {
	{.name = "user",
		.kind = FIELD_ID,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct ticket_issue, user)},
	{.name = "reference",
		.kind = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.min = 1,
		.max = REFERENCE_SIZE - 1,
		.offset = offsetof(struct ticket_issue, reference)},
	{.name = "price",
		.kind = FIELD_UINT,
		.flags = FIELD_REQUIRED,
		.max = PRICE_MAX,
		.offset = offsetof(struct ticket_issue, price)},
	{.name = "currency",
		.kind = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.min = CURRENCY_SIZE - 1,
		.max = CURRENCY_SIZE - 1,
		.offset = offsetof(struct ticket_issue, currency)},
	{.name = "provider_fee",
		.kind = FIELD_UINT,
		.max = PRICE_MAX,
		.offset = offsetof(struct ticket_issue, provider_fee)},
	{.name = NULL}};

/* ISO/IEC 7812-1: 13 to 19 digits, perhaps in groups, the last of them Luhn's check digit. */
static bool looks_like_card(const char *reference)
{
	unsigned int digits = 0, sum = 0;

	for (const char *at = reference + strlen(reference); at-- > reference;) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (*at == ' ' || *at == '-')
			continue;
		if (digit > 9)
			return false;
		if (digits++ % 2 == 1)
			digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return digits >= CARD_DIGITS_MIN && digits <= CARD_DIGITS_MAX && sum % 10 == 0;
}

static bool issue_valid(const struct ticket_issue *body, struct verdict *verdict)
{
	for (const char *at = body->reference; *at != '\0'; at++) {
		if (*at < 0x20 || *at > 0x7e)
			return verdict_refuse(verdict, VERDICT_INVALID,
				"reference: printable characters of ASCII only");
	}
	if (looks_like_card(body->reference))
		return verdict_refuse(verdict, VERDICT_INVALID,
			"reference: looks like a card number; give the provider's name of the "
			"payment");
	if (body->provider_fee > body->price)
		return verdict_refuse(verdict, VERDICT_INVALID,
			"provider_fee: at most the price, %" PRIu64, body->price);
	return currency_valid(body->currency, verdict);
}

/* Whom the host does not let in is sold nothing. */
static bool welcome(const struct registry *registry, const struct room *room, const char *user,
	struct verdict *verdict)
{
	if (!policy_shut_out(registry, room, user))
		return true;
	return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
		"\"%s\" is not let into \"%s\": nothing is sold to them", user, room->name.text);
}

static bool unsold(const struct registry *registry, const struct room *room,
	const struct ticket_issue *body, struct verdict *verdict)
{
	const struct ticket *ticket = ticket_by_reference(registry, body->reference);

	if (ticket != NULL)
		return verdict_refuse(verdict, VERDICT_ALREADY_EXISTS,
			"reference: is that of ticket %" PRIu64 " already", ticket->id);
	ticket = ticket_of_user(registry, room->put.room_id, body->user);
	if (ticket != NULL)
		return verdict_refuse(verdict, VERDICT_ALREADY_EXISTS,
			"\"%s\" has ticket %" PRIu64 " for \"%s\"", body->user, ticket->id,
			room->name.text);
	return true;
}

static bool on_sale(const struct offer *offer, const struct ticket_issue *body,
	const struct moment *now, struct verdict *verdict)
{
	if (body->price != offer->price || strcmp(body->currency, offer->currency) != 0)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"price: the offer is %" PRIu64 " %s, not %" PRIu64 " %s", offer->price,
			offer->currency, body->price, body->currency);
	if (now->wall_ms < offer->sale_from_ms)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"the sale begins at %" PRId64 ", it is %" PRId64, offer->sale_from_ms,
			now->wall_ms);
	if (offer->sale_until_ms != 0 && now->wall_ms >= offer->sale_until_ms)
		return verdict_refuse(verdict, VERDICT_CONFLICT,
			"the sale ended at %" PRId64 ", it is %" PRId64, offer->sale_until_ms,
			now->wall_ms);
	return true;
}

static bool tickets_left(
	const struct registry *registry, const struct offer *offer, struct verdict *verdict)
{
	if (offer->issued >= offer->quantity)
		return verdict_refuse(verdict, VERDICT_CAPACITY,
			"quantity: all %u tickets are sold", offer->quantity);
	if (registry->limits.tickets_max != 0 &&
		registry->tickets.count >= registry->limits.tickets_max)
		return verdict_refuse(verdict, VERDICT_CAPACITY, "tickets_max: %u tickets are kept",
			registry->limits.tickets_max);
	return true;
}

static struct ticket *ticket_make(struct registry *registry, const struct room *room,
	const struct ticket_issue *body, const struct moment *now)
{
	const struct registry_limits *limits = &registry->limits;
	struct ticket *ticket = record_make(RECORD_TICKET, registry->next_id++);
	uint64_t base = body->price - body->provider_fee;

	if (ticket == NULL)
		return NULL;
	ticket->room_id = room->put.room_id;
	ticket->room = room->name;
	ticket->host = room->host;
	strncpy(ticket->user.text, body->user, EVENT_ID_MAX);
	ticket->state = TICKET_ISSUED;
	ticket->price = body->price;
	ticket->provider_fee = body->provider_fee;
	ticket->fee = fee_of(limits->fee_tiers, limits->fee_tier_count,
		ledger_gross(registry, room->host.text, body->currency), base);
	ticket->share = base - ticket->fee;
	memcpy(ticket->currency, body->currency, CURRENCY_SIZE);
	strncpy(ticket->reference, body->reference, REFERENCE_SIZE - 1);
	ticket->issued_ms = now->wall_ms;
	return ticket;
}

/* The movement of that ticket; a refund is the issue negated. */
static struct entry *entry_make(struct registry *registry, const struct ticket *ticket,
	enum entry_kind kind, const struct moment *now)
{
	struct entry *entry = record_make(RECORD_ENTRY, registry->next_id++);
	int64_t sign = kind == ENTRY_REFUND ? -1 : 1;

	if (entry == NULL)
		return NULL;
	entry->ticket_id = ticket->id;
	entry->kind = kind;
	entry->price = sign * (int64_t)ticket->price;
	entry->provider_fee = sign * (int64_t)ticket->provider_fee;
	entry->fee = sign * (int64_t)ticket->fee;
	entry->share = sign * (int64_t)ticket->share;
	entry->at_ms = now->wall_ms;
	return entry;
}

/* One ticket of the offer more, or less, is out. */
static bool count_out(struct plan *plan, struct registry *registry, struct room *room, int step)
{
	struct offer *offer = record_copy(RECORD_OFFER, room->offer);

	if (offer != NULL)
		offer->issued += (uint32_t)step;
	return ticket_put(plan, registry, RECORD_OFFER, room->offer, offer);
}

static bool announce_issue(struct plan *plan, struct registry *registry, struct room *room,
	const struct ticket *ticket)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "ticket.issued");
	writer_id(&writer, "ticket", ticket->id);
	writer_string(&writer, "user", ticket->user.text);
	writer_uint(&writer, "price", ticket->price);
	writer_string(&writer, "currency", ticket->currency);
	writer_uint(&writer, "left", room->offer->quantity - room->offer->issued);
	return plan_event_end(plan, registry, room, &writer);
}

static bool issue_ticket(struct plan *plan, struct registry *registry, struct room *room,
	const struct ticket_issue *body)
{
	struct ticket *ticket = ticket_make(registry, room, body, &plan->now);

	if (!ticket_put(plan, registry, RECORD_TICKET, NULL, ticket) ||
		!ticket_put(plan, registry, RECORD_ENTRY, NULL,
			entry_make(registry, ticket, ENTRY_ISSUE, &plan->now)) ||
		!count_out(plan, registry, room, 1) ||
		!announce_issue(plan, registry, room, ticket))
		return false;
	writer_string(&plan->answer, "room", room->name.text);
	writer_id(&plan->answer, "ticket", ticket->id);
	writer_id(&plan->answer, "offer", room->offer->id);
	writer_string(&plan->answer, "user", ticket->user.text);
	writer_uint(&plan->answer, "left", room->offer->quantity - room->offer->issued);
	writer_uint(&plan->answer, "share", ticket->share);
	writer_uint(&plan->answer, "fee", ticket->fee);
	writer_uint(&plan->answer, "provider_fee", ticket->provider_fee);
	return true;
}

static void issue(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct ticket_issue *body = event_body(event);
	struct audit audit = {event->actor, "ticket.issue", body->user, NULL};
	struct verdict *verdict = &plan->verdict;
	struct room *room;

	if (!issue_valid(body, verdict))
		return;
	room = event_find_room(registry, event, verdict);
	if (room == NULL || !welcome(registry, room, body->user, verdict))
		return;
	if (room->offer == NULL) {
		verdict_refuse(verdict, VERDICT_NO_SUCH_THING, "\"%s\" offers no tickets",
			room->name.text);
		return;
	}
	if (!unsold(registry, room, body, verdict) ||
		!on_sale(room->offer, body, &plan->now, verdict) ||
		!tickets_left(registry, room->offer, verdict))
		return;
	if (issue_ticket(plan, registry, room, body))
		plan_audit(plan, room, &audit);
}

struct ticket_refund {
	const char *ticket, *reference, *reason;
};

static const struct field ticket_refund_fields[] = {
	{.name = "ticket", .kind = FIELD_ID, .offset = offsetof(struct ticket_refund, ticket)},
	{.name = "reference",
		.kind = FIELD_TEXT,
		.min = 1,
		.max = REFERENCE_SIZE - 1,
		.offset = offsetof(struct ticket_refund, reference)},
	{.name = "reason",
		.kind = FIELD_TEXT,
		.max = REASON_MAX,
		.offset = offsetof(struct ticket_refund, reason)},
	{.name = NULL}};

static struct ticket *find_ticket(
	const struct registry *registry, const struct ticket_refund *body, struct verdict *verdict)
{
	struct ticket *ticket;
	char *end = NULL;
	uint64_t id;

	if ((body->ticket == NULL) == (body->reference == NULL)) {
		verdict_refuse(
			verdict, VERDICT_INVALID, "ticket or reference: one of them, not both");
		return NULL;
	}
	errno = 0;
	id = body->ticket == NULL ? 0 : strtoull(body->ticket, &end, 10);
	if (body->ticket != NULL && (*end != '\0' || errno != 0))
		id = 0;
	ticket = body->ticket == NULL ? ticket_by_reference(registry, body->reference)
				      : ticket_by_id(registry, id);
	if (ticket == NULL)
		verdict_refuse(verdict, VERDICT_NO_SUCH_THING, "no ticket \"%.128s\"",
			body->ticket == NULL ? body->reference : body->ticket);
	return ticket;
}

/* The room may have ended: then it is about none, and its name is all that is said of it. */
static bool announce_refund(struct plan *plan, struct registry *registry, struct room *room,
	const struct ticket *ticket, const char *reason)
{
	struct writer writer = {0};

	outgoing_begin(&writer, plan, registry, room, "ticket.refunded");
	if (room == NULL)
		writer_string(&writer, "room", ticket->room.text);
	writer_id(&writer, "ticket", ticket->id);
	writer_string(&writer, "user", ticket->user.text);
	writer_uint(&writer, "price", ticket->price);
	writer_string(&writer, "currency", ticket->currency);
	writer_string(&writer, "reason", reason);
	return plan_event_end(plan, registry, room, &writer);
}

/* The ticket and the ledger; *after is the ticket as it is then. */
static bool take_back(
	struct plan *plan, struct registry *registry, struct ticket *before, struct ticket **after)
{
	struct ticket *ticket = record_copy(RECORD_TICKET, before);

	*after = ticket;
	if (ticket != NULL) {
		ticket->state = TICKET_REFUNDED;
		ticket->refunded_ms = plan->now.wall_ms;
	}
	return ticket_put(plan, registry, RECORD_TICKET, before, ticket) &&
	       ticket_put(plan, registry, RECORD_ENTRY, NULL,
		       entry_make(registry, ticket, ENTRY_REFUND, &plan->now));
}

static void refund(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct ticket_refund *body = event_body(event);
	struct audit audit = {.actor = event->actor, .action = "ticket.refund"};
	struct ticket *ticket = find_ticket(registry, body, &plan->verdict);
	struct member *member = NULL;
	struct room *room;

	if (ticket == NULL)
		return;
	if (ticket->state != TICKET_ISSUED) {
		verdict_refuse(&plan->verdict, VERDICT_CONFLICT,
			"ticket %" PRIu64 " was refunded at %" PRId64, ticket->id,
			ticket->refunded_ms);
		return;
	}
	room = registry_room_by_id(registry, ticket->room_id);
	if (room != NULL)
		member = registry_member(room, ticket->user.text);
	if (!take_back(plan, registry, ticket, &ticket) ||
		(room != NULL && !count_out(plan, registry, room, -1)) ||
		!announce_refund(plan, registry, room, ticket, body->reason))
		return;
	audit.member = ticket->user.text;
	audit.reason = body->reason;
	if (!plan_audit(plan, room, &audit))
		return;
	writer_id(&plan->answer, "ticket", ticket->id);
	writer_string(&plan->answer, "room", ticket->room.text);
	writer_string(&plan->answer, "user", ticket->user.text);
	writer_uint(&plan->answer, "price", ticket->price);
	writer_string(&plan->answer, "currency", ticket->currency);
	writer_bool(&plan->answer, "removed", member != NULL);
	if (member != NULL)
		outgoing_member_left(plan, registry, member, "refunded");
}

const struct event_type ticket_event_types[] = {
	{"ticket.issue", ticket_issue_fields, sizeof(struct ticket_issue),
		EVENT_NEEDS_ACTOR | EVENT_NEEDS_ROOM | EVENT_CHANGES, issue},
	{"ticket.refund", ticket_refund_fields, sizeof(struct ticket_refund),
		EVENT_NEEDS_ACTOR | EVENT_CHANGES | EVENT_SAFETY, refund},
	{NULL}};
