/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tickets, the ledger, offers, reminders and reactions as text: a part of state.h, and the sums
 * over names that it is made with.
 */
#ifndef STENTOR_TESTS_SUPPORT_STATE_TICKET_H
#define STENTOR_TESTS_SUPPORT_STATE_TICKET_H

#include <stdio.h>

#include "controlplane/rooms/ledger.h"
#include "controlplane/rooms/reaction.h"
#include "controlplane/rooms/reminder.h"

static inline uint64_t desk_sum(const char *name)
{
	uint64_t h = 1469598103934665603u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return h;
}

static inline void desk_print_hash(FILE *out, const char *what, const struct hash *hash)
{
	/* The order in a hash is nobody's business: a sum over the names is. */
	uint64_t sum = 0;
	size_t position = 0;
	const char *name;

	while ((name = hash_next(hash, &position)) != NULL)
		sum += desk_sum(name);
	fprintf(out, " %s %zu %016llx", what, hash->count, (unsigned long long)sum);
}

static inline void desk_print_money(FILE *out, const struct registry *registry)
{
	const struct ticket *ticket;
	const struct entry *entry;
	const struct book *book;
	size_t position = 0;
	uint64_t id = 0, sum = 0;

	while ((ticket = roster_next(&registry->tickets, &id)) != NULL)
		fprintf(out, "ticket %s %s %u price %llu fee %llu refunded %lld\n", ticket->seat,
			ticket->reference, ticket->state, (unsigned long long)ticket->price,
			(unsigned long long)ticket->fee, (long long)ticket->refunded_ms);
	id = 0;
	while ((entry = roster_next(&registry->entries, &id)) != NULL)
		fprintf(out, "entry %llu kind %u price %lld fee %lld share %lld\n",
			(unsigned long long)entry->ticket_id, entry->kind, (long long)entry->price,
			(long long)entry->fee, (long long)entry->share);
	while ((book = hash_next(&registry->books, &position)) != NULL)
		sum += desk_sum(book->name) *
		       (uint64_t)(book->sums.price * 7 + book->sums.provider_fee * 5 +
				  book->sums.fee * 3 + book->sums.share +
				  (int64_t)book->entries.count);
	desk_print_hash(out, "references", &registry->references);
	desk_print_hash(out, "issued", &registry->issued);
	fprintf(out, " books %zu %016llx\n", registry->books.count, (unsigned long long)sum);
}

static inline void desk_print_engagement(FILE *out, const struct room *room)
{
	const struct offer *offer = room->offer;
	const struct reminder *reminder;
	uint64_t id = 0;

	if (offer != NULL)
		fprintf(out, " offer %llu %s %u/%u %lld to %lld", (unsigned long long)offer->price,
			offer->currency, offer->issued, offer->quantity,
			(long long)offer->sale_from_ms, (long long)offer->sale_until_ms);
	while ((reminder = roster_next(&room->reminders, &id)) != NULL)
		fprintf(out, " remind %s %llu", reminder->user.text,
			(unsigned long long)reminder->before_ms);
	for (unsigned int i = 0; room->reactions != NULL && i < REACTIONS_MAX; i++) {
		if (room->reactions->total[i] != 0)
			fprintf(out, " %ux%llu-%u", i,
				(unsigned long long)room->reactions->total[i],
				room->reactions->pending[i]);
	}
}

#endif
