/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offers, tickets and the ledger. Money is an integer of minor units with an ISO 4217 currency. The
 * ledger only appends: an entry is one movement of one ticket, its lines sum to zero. Offers end
 * with their room; tickets and entries stay. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_TICKET_H
#define STENTOR_CONTROLPLANE_ROOMS_TICKET_H

#include "controlplane/rooms/record.h"
#include "controlplane/rooms/room.h"
#include "controlplane/rooms/writer.h"

struct plan;

#define CURRENCY_SIZE 4
#define REFERENCE_SIZE 129
#define PRICE_MAX 1000000000 /* minor units */
#define TICKET_SEAT_SIZE (20 + EVENT_ID_MAX + 2)

struct offer {
	uint64_t id;
	uint64_t room_id;
	uint64_t price;
	char currency[CURRENCY_SIZE];
	uint32_t quantity, issued;           /* issued: of tickets that are not refunded */
	int64_t sale_from_ms, sale_until_ms; /* until 0: no end */
};

enum ticket_state { TICKET_ISSUED, TICKET_REFUNDED, TICKET_STATE_COUNT };

struct ticket {
	uint64_t id;
	uint64_t room_id;
	struct user_id room, host, user;          /* host: whom the share belongs to */
	uint32_t state;                           /* enum ticket_state */
	uint64_t price, provider_fee, fee, share; /* price = provider_fee + fee + share */
	char currency[CURRENCY_SIZE];
	char reference[REFERENCE_SIZE]; /* the provider's name of the payment, unique */
	int64_t issued_ms, refunded_ms; /* refunded 0: not */
	char seat[TICKET_SEAT_SIZE];    /* "ROOM_ID/USER", written by link; no column */
};

enum entry_kind { ENTRY_ISSUE, ENTRY_REFUND, ENTRY_KIND_COUNT };

struct entry {
	uint64_t id;
	uint64_t ticket_id;
	uint32_t kind; /* enum entry_kind */
	/* Signed: a refund has what the issue had, negated. The buyer's line is -price. */
	int64_t price, provider_fee, fee, share;
	int64_t at_ms;
};

extern const struct record_kind offer_kind, ticket_kind, entry_kind;

/* The ticket by which user is let into that room: issued, not refunded; NULL: none. */
const struct ticket *ticket_of_user(
	const struct registry *registry, uint64_t room_id, const char *user);
/* The ticket of that payment, refunded or not; NULL: none. */
struct ticket *ticket_by_reference(const struct registry *registry, const char *reference);
struct ticket *ticket_by_id(const struct registry *registry, uint64_t id);

/* Three capital letters; else false with the verdict set. currency has that length. */
bool currency_valid(const char *currency, struct verdict *verdict);

/* As plan_record(), but owns `after` in any case; NULL is out of memory, too. */
bool ticket_put(struct plan *plan, struct registry *registry, enum record_type type, void *before,
	void *after);

/* An offer's members, within an object of that name; name NULL: into the one that is begun. The
 * offer NULL: null, which has a name. */
void offer_describe(struct writer *writer, const char *name, const struct offer *offer);

#endif
