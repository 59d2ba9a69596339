/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controlplane/rooms/registry.h"
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

static int ticket_link(struct registry *registry, void *record)
{
	struct ticket *ticket = record;
	int rc = hash_add(&registry->references, ticket->reference);

	if (rc != 0)
		return rc;
	rc = roster_add(&registry->tickets, ticket->id, ticket);
	if (rc != 0)
		hash_remove(&registry->references, ticket->reference);
	return rc;
}

static void ticket_unlink(struct registry *registry, void *record)
{
	const struct ticket *ticket = record;

	hash_remove(&registry->references, ticket->reference);
	roster_remove(&registry->tickets, ticket->id);
}

static int entry_link(struct registry *registry, void *record)
{
	return roster_add(&registry->entries, record_id(record), record);
}

static void entry_unlink(struct registry *registry, void *record)
{
	roster_remove(&registry->entries, record_id(record));
}

const struct record_kind offer_kind = {
	"offers", offer_columns, sizeof(struct offer), offer_link, offer_unlink, NULL};
const struct record_kind ticket_kind = {
	"tickets", ticket_columns, sizeof(struct ticket), ticket_link, ticket_unlink, NULL};
const struct record_kind entry_kind = {
	"ledger", entry_columns, sizeof(struct entry), entry_link, entry_unlink, NULL};
