/* SPDX-License-Identifier: BSD-3-Clause */
/* ticket.ledger. */
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/catalog.h"
#include "controlplane/rooms/ledger.h"
#include "controlplane/rooms/person.h"
#include "controlplane/rooms/plan.h"
#include "controlplane/rooms/policy.h"

#define HOSTS_MAX 500 /* with an account of their own in the totals of one currency */

struct ticket_ledger {
	struct page page;
	const char *host, *currency;
};

static const struct field ticket_ledger_fields[] = {
	{.name = "host", .kind = FIELD_ID, .offset = offsetof(struct ticket_ledger, host)},
	{.name = "currency",
		.kind = FIELD_TEXT,
		.min = CURRENCY_SIZE - 1,
		.max = CURRENCY_SIZE - 1,
		.offset = offsetof(struct ticket_ledger, currency)},
	{.name = "after", .kind = FIELD_ID, .offset = offsetof(struct ticket_ledger, page.after)},
	{.name = "limit",
		.kind = FIELD_UINT,
		.min = 1,
		.max = LIST_LIMIT_MAX,
		.fallback = LIST_LIMIT_FALLBACK,
		.offset = offsetof(struct ticket_ledger, page.limit)},
	{.name = NULL}};

/*
 * Nobody is asked on events.sock without an actor; moderators see all, hosts what is theirs: their
 * own sales of any room, or all of a room they host now. The latter goes by the room's id, since
 * another's room may have had the name before.
 */
static bool may_read(const struct registry *registry, const struct event *event,
	struct ledger_filter *filter, struct verdict *verdict)
{
	const struct user *user =
		event->actor == NULL ? NULL : registry_user(registry, event->actor);
	const struct room *room;

	if (event->actor == NULL || (user != NULL && user->moderator))
		return true;
	if (filter->host != NULL && strcmp(filter->host, event->actor) == 0)
		return true;
	if (filter->room == NULL)
		return verdict_refuse(verdict, VERDICT_NOT_ALLOWED,
			"\"%s\" may read the ledger of their own: give host or room", event->actor);
	room = event_find_room(registry, event, verdict);
	if (room == NULL || !policy_at_least(registry, room, event->actor, RANK_HOST,
				    "read its ledger", verdict))
		return false;
	filter->room_id = room->put.room_id;
	return true;
}

static void write_account(struct writer *writer, const char *account, int64_t amount)
{
	writer_begin_object(writer, NULL);
	writer_string(writer, "account", account);
	writer_int(writer, "amount", amount);
	writer_end_object(writer);
}

static void write_host(struct writer *writer, const char *host, int64_t amount)
{
	char account[sizeof("host:") + EVENT_ID_MAX];

	snprintf(account, sizeof(account), "host:%s", host);
	write_account(writer, account, amount);
}

static void write_entry(
	struct writer *writer, const struct registry *registry, const struct entry *entry)
{
	static const char *const kinds[ENTRY_KIND_COUNT] = {"issue", "refund"};
	const struct ticket *ticket = ticket_by_id(registry, entry->ticket_id);

	writer_begin_object(writer, NULL);
	writer_id(writer, "entry", entry->id);
	writer_id(writer, "ticket", ticket->id);
	writer_string(writer, "room", ticket->room.text);
	writer_string(writer, "kind", kinds[entry->kind]);
	writer_int(writer, "at_ms", entry->at_ms);
	writer_string(writer, "reference", ticket->reference);
	writer_string(writer, "currency", ticket->currency);
	writer_begin_array(writer, "lines");
	write_account(writer, "buyer", -entry->price);
	write_account(writer, "provider", entry->provider_fee);
	write_account(writer, "platform", entry->fee);
	write_host(writer, ticket->host.text, entry->share);
	writer_end_array(writer);
	writer_end_object(writer);
}

static void write_entries(struct writer *writer, const struct registry *registry,
	const struct ledger_view *view, uint64_t id, uint64_t limit)
{
	const struct entry *entry = NULL;
	uint64_t last;

	writer_begin_array(writer, "entries");
	for (uint64_t count = 0; count < limit; count++) {
		entry = ledger_view_next(view, &id);
		if (entry == NULL)
			break;
		write_entry(writer, registry, entry);
	}
	writer_end_array(writer);
	last = id;
	if (entry == NULL || ledger_view_next(view, &id) == NULL)
		writer_null(writer, "next");
	else
		writer_id(writer, "next", last);
}

/* Of the books from that one on which are of its currency; how many those are. */
static size_t sum_currency(const struct ledger_view *view, size_t first, struct ledger_sums *sums)
{
	size_t at = first;

	*sums = (struct ledger_sums){0};
	for (; at < view->count &&
		strcmp(view->books[at]->currency, view->books[first]->currency) == 0;
		at++) {
		sums->price += view->books[at]->sums.price;
		sums->provider_fee += view->books[at]->sums.provider_fee;
		sums->fee += view->books[at]->sums.fee;
		sums->share += view->books[at]->sums.share;
	}
	return at - first;
}

/* Books are in the order of hosts. The many hosts of a whole platform share the last account. */
static void write_hosts(struct writer *writer, const struct book *const *books, size_t count)
{
	unsigned int hosts = 0;
	int64_t others = 0;

	for (size_t at = 0; at < count;) {
		const char *host = books[at]->host.text;
		int64_t share = 0;

		for (; at < count && strcmp(books[at]->host.text, host) == 0; at++)
			share += books[at]->sums.share;
		if (hosts++ < HOSTS_MAX)
			write_host(writer, host, share);
		else
			others += share;
	}
	if (hosts > HOSTS_MAX)
		write_account(writer, "hosts", others);
}

static void write_totals(struct writer *writer, const struct ledger_view *view)
{
	struct ledger_sums sums;
	size_t count;

	writer_begin_array(writer, "totals");
	for (size_t at = 0; at < view->count; at += count) {
		count = sum_currency(view, at, &sums);
		writer_begin_object(writer, NULL);
		writer_string(writer, "currency", view->books[at]->currency);
		writer_begin_array(writer, "accounts");
		write_account(writer, "buyer", -sums.price);
		write_account(writer, "provider", sums.provider_fee);
		write_account(writer, "platform", sums.fee);
		write_hosts(writer, view->books + at, count);
		writer_end_array(writer);
		writer_int(writer, "sum", -sums.price + sums.provider_fee + sums.fee + sums.share);
		writer_end_object(writer);
	}
	writer_end_array(writer);
}

static void ledger(struct registry *registry, const struct event *event, struct plan *plan)
{
	const struct ticket_ledger *body = event_body(event);
	struct ledger_filter filter = {
		.room = event->room, .host = body->host, .currency = body->currency};
	struct ledger_view view;
	uint64_t id;

	if (!page_start(&body->page, &id, &plan->verdict) ||
		!may_read(registry, event, &filter, &plan->verdict))
		return;
	if (ledger_view_open(registry, &filter, &view) != 0) {
		verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
		return;
	}
	write_entries(&plan->answer, registry, &view, id, body->page.limit);
	write_totals(&plan->answer, &view);
	ledger_view_close(&view);
}

const struct event_type ledger_event_types[] = {
	{"ticket.ledger", ticket_ledger_fields, sizeof(struct ticket_ledger),
		EVENT_TAKES_ROOM | EVENT_PAGE, ledger},
	{NULL}};
