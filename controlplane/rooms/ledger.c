/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/rooms/ledger.h"

static void write_name(char *name, uint64_t room_id, const char *host, const char *currency)
{
	/* Ids and currencies have no slash. */
	snprintf(name, BOOK_NAME_SIZE, "%" PRIu64 "/%s/%s", room_id, host, currency);
}

static struct book *find(
	const struct registry *registry, uint64_t room_id, const char *host, const char *currency)
{
	char name[BOOK_NAME_SIZE];

	write_name(name, room_id, host, currency);
	return hash_find(&registry->books, name);
}

/* The book of that ticket: of its room, or of its host's all rooms. */
static struct book *book_of(
	const struct registry *registry, const struct ticket *ticket, bool of_room)
{
	return find(registry, of_room ? ticket->room_id : 0, ticket->host.text, ticket->currency);
}

static void book_free(struct book *book)
{
	roster_clear(&book->entries);
	free(book);
}

static struct book *make(struct registry *registry, const struct ticket *ticket, bool of_room)
{
	struct book *book = calloc(1, sizeof(*book));

	if (book == NULL)
		return NULL;
	if (of_room) {
		book->room_id = ticket->room_id;
		book->room = ticket->room;
	}
	book->host = ticket->host;
	memcpy(book->currency, ticket->currency, sizeof(book->currency));
	write_name(book->name, book->room_id, book->host.text, book->currency);
	if (hash_add(&registry->books, book) == 0)
		return book;
	free(book);
	return NULL;
}

static void count(struct ledger_sums *sums, const struct entry *entry, int sign)
{
	sums->price += sign * entry->price;
	sums->provider_fee += sign * entry->provider_fee;
	sums->fee += sign * entry->fee;
	sums->share += sign * entry->share;
}

static void leave(struct registry *registry, struct book *book, const struct entry *entry)
{
	roster_remove(&book->entries, entry->id);
	count(&book->sums, entry, -1);
	if (book->entries.count > 0)
		return;
	hash_remove(&registry->books, book->name);
	book_free(book);
}

static int enter(
	struct registry *registry, const struct ticket *ticket, struct entry *entry, bool of_room)
{
	struct book *book = book_of(registry, ticket, of_room);

	if (book == NULL)
		book = make(registry, ticket, of_room);
	if (book == NULL)
		return -ENOMEM;
	count(&book->sums, entry, 1);
	if (roster_add(&book->entries, entry->id, entry) == 0)
		return 0;
	leave(registry, book, entry);
	return -ENOMEM;
}

int ledger_add(struct registry *registry, struct entry *entry)
{
	const struct ticket *ticket = roster_find(&registry->tickets, entry->ticket_id);
	int rc;

	if (ticket == NULL)
		return -EIO;
	rc = enter(registry, ticket, entry, true);
	if (rc != 0)
		return rc;
	rc = enter(registry, ticket, entry, false);
	if (rc != 0)
		leave(registry, book_of(registry, ticket, true), entry);
	return rc;
}

void ledger_remove(struct registry *registry, const struct entry *entry)
{
	const struct ticket *ticket = roster_find(&registry->tickets, entry->ticket_id);

	leave(registry, book_of(registry, ticket, true), entry);
	leave(registry, book_of(registry, ticket, false), entry);
}

void ledger_clear(struct registry *registry)
{
	size_t position = 0;
	struct book *book;

	while ((book = hash_next(&registry->books, &position)) != NULL)
		book_free(book);
	hash_clear(&registry->books);
}

uint64_t ledger_gross(const struct registry *registry, const char *host, const char *currency)
{
	const struct book *book = find(registry, 0, host, currency);

	/* A refund takes back what its own issue brought, so the sum is never negative. */
	return book == NULL ? 0 : (uint64_t)(book->sums.price - book->sums.provider_fee);
}

static bool matches(const struct book *book, const struct ledger_filter *filter)
{
	bool of_room = filter->room != NULL || filter->room_id != 0;

	return (book->room_id != 0) == of_room &&
	       (filter->room == NULL || strcmp(book->room.text, filter->room) == 0) &&
	       (filter->room_id == 0 || book->room_id == filter->room_id) &&
	       (filter->host == NULL || strcmp(book->host.text, filter->host) == 0) &&
	       (filter->currency == NULL || strcmp(book->currency, filter->currency) == 0);
}

static int compare(const void *a, const void *b)
{
	const struct book *one = *(const struct book *const *)a;
	const struct book *other = *(const struct book *const *)b;
	int order = strcmp(one->currency, other->currency);

	if (order == 0)
		order = strcmp(one->host.text, other->host.text);
	if (order == 0)
		order = (one->room_id > other->room_id) - (one->room_id < other->room_id);
	return order;
}

int ledger_view_open(const struct registry *registry, const struct ledger_filter *filter,
	struct ledger_view *view)
{
	const struct book **books = calloc(registry->books.count + 1, sizeof(books[0]));
	const struct book *book;
	size_t position = 0, found = 0;

	if (books == NULL)
		return -ENOMEM;
	while ((book = hash_next(&registry->books, &position)) != NULL) {
		if (matches(book, filter))
			books[found++] = book;
	}
	qsort(books, found, sizeof(books[0]), compare);
	*view = (struct ledger_view){books, found, NULL};
	if (filter->room == NULL && filter->room_id == 0 && filter->host == NULL &&
		filter->currency == NULL)
		view->all = &registry->entries;
	return 0;
}

void ledger_view_close(struct ledger_view *view)
{
	free(view->books);
	*view = (struct ledger_view){0};
}

const struct entry *ledger_view_next(const struct ledger_view *view, uint64_t *id)
{
	const struct entry *first = NULL;

	if (view->all != NULL)
		return roster_next(view->all, id);
	for (size_t i = 0; i < view->count; i++) {
		uint64_t at = *id;
		const struct entry *entry = roster_next(&view->books[i]->entries, &at);

		if (entry != NULL && (first == NULL || entry->id < first->id))
			first = entry;
	}
	if (first != NULL)
		*id = first->id;
	return first;
}
