/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger's indices. Each entry is in two books: that of its room, host and currency, and that
 * of its host and currency in all rooms. A book has its entries in their order and the sums over
 * them, so that what a host has earned, and what a room took in, need no walk over tickets. Sums
 * follow from the entries alone, so loading the database makes them anew.
 *
 * Loop's thread. The registry owns the books; entries are linked by record.h's functions only.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_LEDGER_H
#define STENTOR_CONTROLPLANE_ROOMS_LEDGER_H

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/ticket.h"

#define BOOK_NAME_SIZE (20 + EVENT_ID_MAX + CURRENCY_SIZE + 3)

/* Of entries, in minor units: price = provider_fee + fee + share, here too. */
struct ledger_sums {
	int64_t price, provider_fee, fee, share;
};

struct book {
	char name[BOOK_NAME_SIZE]; /* first: "ROOM_ID/HOST/CURRENCY"; ROOM_ID 0: in all rooms */
	uint64_t room_id;          /* 0: in all rooms, and `room` is empty */
	struct user_id room, host;
	char currency[CURRENCY_SIZE];
	struct ledger_sums sums;
	struct roster entries; /* struct entry by id */
};

/* Puts it into its books and takes it out. 0, -ENOMEM, or -EIO: the ticket is missing. Loading: no
 * entry is ever taken out but by a plan that is taken back. */
int ledger_add(struct registry *registry, struct entry *entry);
void ledger_remove(struct registry *registry, const struct entry *entry);
/* Frees the books, not the entries. */
void ledger_clear(struct registry *registry);

/* What the host's tickets in that currency are worth, without the refunded and without what
 * providers keep. */
uint64_t ledger_gross(const struct registry *registry, const char *host, const char *currency);

/* NULL or 0: any. room is a name, which several rooms may have had one after the other. */
struct ledger_filter {
	const char *room;
	uint64_t room_id;
	const char *host, *currency;
};

/* The books that hold the matching entries, each in one: sorted by currency, then host. */
struct ledger_view {
	const struct book **books;
	size_t count;
	const struct roster *all; /* every entry there is, when nothing is filtered; else NULL */
};

/* 0 or -ENOMEM. */
int ledger_view_open(const struct registry *registry, const struct ledger_filter *filter,
	struct ledger_view *view);
void ledger_view_close(struct ledger_view *view);
/* The first matching entry with an id greater than *id, which is set to its own; NULL: none. */
const struct entry *ledger_view_next(const struct ledger_view *view, uint64_t *id);

#endif
