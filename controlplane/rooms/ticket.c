/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/ledger.h"
#include "controlplane/rooms/plan.h"
#include "controlplane/rooms/ticket.h"

static const struct column offer_columns[] = {{"id", COLUMN_NUMBER, offsetof(struct offer, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct offer, room_id), 0},
	{"price", COLUMN_NUMBER, offsetof(struct offer, price), 0},
	{"currency", COLUMN_TEXT, offsetof(struct offer, currency), CURRENCY_SIZE},
	{"quantity", COLUMN_SMALL, offsetof(struct offer, quantity), UINT32_MAX},
	{"issued", COLUMN_SMALL, offsetof(struct offer, issued), UINT32_MAX},
	{"sale_from_ms", COLUMN_SIGNED, offsetof(struct offer, sale_from_ms), 0},
	{"sale_until_ms", COLUMN_SIGNED, offsetof(struct offer, sale_until_ms), 0}, {NULL}};

static const struct column ticket_columns[] = {
	{"id", COLUMN_NUMBER, offsetof(struct ticket, id), 0},
	{"room_id", COLUMN_NUMBER, offsetof(struct ticket, room_id), 0},
	{"room", COLUMN_USER, offsetof(struct ticket, room), 0},
	{"host", COLUMN_USER, offsetof(struct ticket, host), 0},
	{"user", COLUMN_USER, offsetof(struct ticket, user), 0},
	{"state", COLUMN_SMALL, offsetof(struct ticket, state), TICKET_STATE_COUNT - 1},
	{"price", COLUMN_NUMBER, offsetof(struct ticket, price), 0},
	{"provider_fee", COLUMN_NUMBER, offsetof(struct ticket, provider_fee), 0},
	{"fee", COLUMN_NUMBER, offsetof(struct ticket, fee), 0},
	{"share", COLUMN_NUMBER, offsetof(struct ticket, share), 0},
	{"currency", COLUMN_TEXT, offsetof(struct ticket, currency), CURRENCY_SIZE},
	{"reference", COLUMN_TEXT, offsetof(struct ticket, reference), REFERENCE_SIZE},
	{"issued_ms", COLUMN_SIGNED, offsetof(struct ticket, issued_ms), 0},
	{"refunded_ms", COLUMN_SIGNED, offsetof(struct ticket, refunded_ms), 0}, {NULL}};

static const struct column entry_columns[] = {{"id", COLUMN_NUMBER, offsetof(struct entry, id), 0},
	{"ticket_id", COLUMN_NUMBER, offsetof(struct entry, ticket_id), 0},
	{"kind", COLUMN_SMALL, offsetof(struct entry, kind), ENTRY_KIND_COUNT - 1},
	{"price", COLUMN_SIGNED, offsetof(struct entry, price), 0},
	{"provider_fee", COLUMN_SIGNED, offsetof(struct entry, provider_fee), 0},
	{"fee", COLUMN_SIGNED, offsetof(struct entry, fee), 0},
	{"share", COLUMN_SIGNED, offsetof(struct entry, share), 0},
	{"at_ms", COLUMN_SIGNED, offsetof(struct entry, at_ms), 0}, {NULL}};

static int offer_link(struct registry *registry, void *record)
{
	struct offer *offer = record;
	struct room *room = registry_room_by_id(registry, offer->room_id);

	if (room == NULL)
		return -ENOENT;
	room->offer = offer;
	return 0;
}

static void offer_unlink(struct registry *registry, void *record)
{
	const struct offer *offer = record;
	struct room *room = registry_room_by_id(registry, offer->room_id);

	if (room != NULL)
		room->offer = NULL;
}

static void write_seat(char *seat, uint64_t room_id, const char *user)
{
	snprintf(seat, TICKET_SEAT_SIZE, "%" PRIu64 "/%s", room_id, user);
}

static int ticket_link(struct registry *registry, void *record)
{
	struct ticket *ticket = record;
	int rc = hash_add(&registry->references, ticket->reference);

	if (rc != 0)
		return rc;
	write_seat(ticket->seat, ticket->room_id, ticket->user.text);
	if (ticket->state == TICKET_ISSUED)
		rc = hash_add(&registry->issued, ticket->seat);
	if (rc != 0)
		goto unrefer;
	rc = roster_add(&registry->tickets, ticket->id, ticket);
	if (rc != 0)
		goto unseat;
	return 0;
unseat:
	if (ticket->state == TICKET_ISSUED)
		hash_remove(&registry->issued, ticket->seat);
unrefer:
	hash_remove(&registry->references, ticket->reference);
	return rc;
}

static void ticket_unlink(struct registry *registry, void *record)
{
	const struct ticket *ticket = record;

	hash_remove(&registry->references, ticket->reference);
	if (ticket->state == TICKET_ISSUED)
		hash_remove(&registry->issued, ticket->seat);
	roster_remove(&registry->tickets, ticket->id);
}

const struct ticket *ticket_of_user(
	const struct registry *registry, uint64_t room_id, const char *user)
{
	char seat[TICKET_SEAT_SIZE];
	const char *found;

	write_seat(seat, room_id, user);
	found = hash_find(&registry->issued, seat);
	return found == NULL ? NULL
			     : (const struct ticket *)(found - offsetof(struct ticket, seat));
}

struct ticket *ticket_by_reference(const struct registry *registry, const char *reference)
{
	char *found = hash_find(&registry->references, reference);

	return found == NULL ? NULL : (struct ticket *)(found - offsetof(struct ticket, reference));
}

struct ticket *ticket_by_id(const struct registry *registry, uint64_t id)
{
	return roster_find(&registry->tickets, id);
}

static int entry_link(struct registry *registry, void *record)
{
	int rc = ledger_add(registry, record);

	if (rc != 0)
		return rc;
	rc = roster_add(&registry->entries, record_id(record), record);
	if (rc != 0)
		ledger_remove(registry, record);
	return rc;
}

static void entry_unlink(struct registry *registry, void *record)
{
	ledger_remove(registry, record);
	roster_remove(&registry->entries, record_id(record));
}

const struct record_kind offer_kind = {
	"offers", offer_columns, sizeof(struct offer), offer_link, offer_unlink, NULL};
const struct record_kind ticket_kind = {
	"tickets", ticket_columns, sizeof(struct ticket), ticket_link, ticket_unlink, NULL};
const struct record_kind entry_kind = {
	"ledger", entry_columns, sizeof(struct entry), entry_link, entry_unlink, NULL};

bool currency_valid(const char *currency, struct verdict *verdict)
{
	for (size_t i = 0; i < CURRENCY_SIZE - 1; i++) {
		if (currency[i] < 'A' || currency[i] > 'Z')
			return verdict_refuse(verdict, VERDICT_INVALID,
				"currency: three capital letters of ISO 4217, as EUR");
	}
	return true;
}

bool ticket_put(struct plan *plan, struct registry *registry, enum record_type type, void *before,
	void *after)
{
	if (after == NULL)
		return verdict_refuse(&plan->verdict, VERDICT_UNAVAILABLE, "out of memory");
	if (plan_record(plan, registry, type, before, after))
		return true;
	record_free(type, after);
	return false;
}
