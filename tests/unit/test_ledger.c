/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: what it says of one ticket, and, after thousands of issues, refunds and plans that
 * were taken back, that every book is what a walk over all entries finds, and that all balance.
 */
#include <inttypes.h>

#include "controlplane/rooms/ledger.h"
#include "tests/support/rule.h"

#define ROOMS 6
#define HOSTS 3
#define USERS 20
#define STEPS 6000
#define PRINT_SIZE 512

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.fee_tier_count = 2;
	/* A tenth of the first 5,000 of a host, then a fifth. */
	desk->registry.limits.fee_tiers[0] = (struct fee_tier){5000, 1000};
	desk->registry.limits.fee_tiers[1] = (struct fee_tier){UINT64_MAX, 2000};
}

static void good(struct desk *desk, const char *line)
{
	ck_assert_msg(desk_ask(desk, line) == VERDICT_OK, "%s: %s", line, desk->verdict.message);
}

#define LEDGER(more_) "{\"id\":\"i\",\"type\":\"ticket.ledger\"" more_ "}"
#define BUY(who_, reference_, price_, more_) \
	Q("ticket.issue", "shop", \
		",\"user\":\"" who_ "\",\"reference\":\"" reference_ \
		"\",\"currency\":\"EUR\",\"price\":" #price_ more_)

static void says(const struct desk *desk, const char *text)
{
	ck_assert_msg(strstr(desk->answer, text) != NULL, "%s\nis not in\n%s", text, desk->answer);
}

/*
 * On paper: bob's ticket is worth 4000 - 100 = 3900, a tenth is 390. Eve's is worth 2000: 1100 of
 * it below the border of 5000 (110), 900 above (180).
 */
START_TEST(it_says_who_got_what)
{
	struct desk desk;

	open_desk(&desk);
	good(&desk, Q("room.open", "ann", ",\"access\":\"ticketed\""));
	good(&desk,
		Q("ticket.offer", "ann", ",\"price\":4000,\"currency\":\"EUR\",\"quantity\":9"));
	good(&desk, BUY("bob", "p1", 4000, ",\"provider_fee\":100"));
	says(&desk, "\"share\":3510,\"fee\":390,\"provider_fee\":100");
	good(&desk, Q("ticket.offer", "ann", ",\"price\":2000"));
	good(&desk, BUY("eve", "p2", 2000, ""));
	says(&desk, "\"share\":1710,\"fee\":290,\"provider_fee\":0");
	good(&desk, LEDGER(""));
	says(&desk, "\"kind\":\"issue\",\"at_ms\":1700000000000,\"reference\":\"p1\","
		    "\"currency\":\"EUR\",\"lines\":[{\"account\":\"buyer\",\"amount\":-4000},"
		    "{\"account\":\"provider\",\"amount\":100},"
		    "{\"account\":\"platform\",\"amount\":390},"
		    "{\"account\":\"host:ann\",\"amount\":3510}]");
	says(&desk, "\"next\":null,\"totals\":[{\"currency\":\"EUR\",\"accounts\":["
		    "{\"account\":\"buyer\",\"amount\":-6000},"
		    "{\"account\":\"provider\",\"amount\":100},"
		    "{\"account\":\"platform\",\"amount\":680},"
		    "{\"account\":\"host:ann\",\"amount\":5220}],\"sum\":0}]");
	/* What the first was worth comes off what ann has earned: 2000 are left of it. */
	good(&desk, "{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"shop\","
		    "\"reference\":\"p1\"}");
	ck_assert_uint_eq(ledger_gross(&desk.registry, "ann", "EUR"), 2000);
	good(&desk, LEDGER(",\"limit\":2"));
	ck_assert_ptr_null(strstr(desk.answer, "refund"));
	says(&desk, "\"next\":\"");
	says(&desk, "{\"account\":\"buyer\",\"amount\":-2000}");
	good(&desk, Q("room.close", "ann", ""));
	good(&desk, LEDGER(",\"room\":\"tea\",\"host\":\"ann\",\"currency\":\"EUR\""));
	says(&desk, "\"kind\":\"refund\",\"at_ms\":1700000000000,\"reference\":\"p1\","
		    "\"currency\":\"EUR\",\"lines\":[{\"account\":\"buyer\",\"amount\":4000},"
		    "{\"account\":\"provider\",\"amount\":-100},"
		    "{\"account\":\"platform\",\"amount\":-390},"
		    "{\"account\":\"host:ann\",\"amount\":-3510}]");
	good(&desk, LEDGER(",\"host\":\"bob\""));
	ck_assert_str_eq(desk.answer, "\"entries\":[],\"next\":null,\"totals\":[]");
	desk_close(&desk);
}
END_TEST

static const struct rule rows[] = {
	{"the application reads all", {0}, LEDGER(""), VERDICT_OK, "\"totals\":[]"},
	{"a moderator reads all", {MODERATOR("mod")}, LEDGER(",\"actor\":\"mod\""), VERDICT_OK,
		"\"totals\":[]"},
	{"others read not everything", {0}, LEDGER(",\"actor\":\"ann\""), VERDICT_NOT_ALLOWED,
		"give host or room"},
	{"but their own", {0}, LEDGER(",\"actor\":\"ann\",\"host\":\"ann\""), VERDICT_OK,
		"\"totals\":[]"},
	{"not another's", {0}, LEDGER(",\"actor\":\"ann\",\"host\":\"bob\""), VERDICT_NOT_ALLOWED,
		"their own"},
	{"a host that of the room", {OPEN}, LEDGER(",\"actor\":\"ann\",\"room\":\"tea\""),
		VERDICT_OK, "\"totals\":[]"},
	{"not that of another's", {OPEN}, LEDGER(",\"actor\":\"bob\",\"room\":\"tea\""),
		VERDICT_NOT_ALLOWED, "the host"},
	{"of a room that has ended by host", {0}, LEDGER(",\"actor\":\"ann\",\"room\":\"tea\""),
		VERDICT_NO_SUCH_ROOM, "tea"},
	{"a host does not see who had the name of the room before",
		{Q("room.open", "ann", ",\"access\":\"ticketed\""),
			Q("ticket.offer", "ann",
				",\"price\":1,\"currency\":\"EUR\",\"quantity\":9"),
			BUY("bob", "p1", 1, ""), Q("room.close", "ann", ""),
			Q("room.open", "eve", "")},
		LEDGER(",\"actor\":\"eve\",\"room\":\"tea\""), VERDICT_OK,
		"\"entries\":[],\"next\":null,\"totals\":[]"},
	{"the application does",
		{Q("room.open", "ann", ",\"access\":\"ticketed\""),
			Q("ticket.offer", "ann",
				",\"price\":1,\"currency\":\"EUR\",\"quantity\":9"),
			BUY("bob", "p1", 1, ""), Q("room.close", "ann", ""),
			Q("room.open", "eve", "")},
		LEDGER(",\"room\":\"tea\""), VERDICT_OK, "\"reference\":\"p1\""},
	{"after is a number", {0}, LEDGER(",\"after\":\"x\""), VERDICT_INVALID, "after"},
};

START_TEST(who_may_read_it)
{
	rule_check(&rows[_i]);
}
END_TEST

/* The slow way: every entry is looked at. */
static void walk(const struct registry *registry, const struct ledger_filter *filter, char *text)
{
	static const char *const currencies[] = {"EUR", "JPY"};
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int c = 0; c < 2; c++) {
		struct ledger_sums sums = {0};
		const struct entry *entry;
		uint64_t id = 0;
		unsigned int count = 0;

		while ((entry = roster_next(&registry->entries, &id)) != NULL) {
			const struct ticket *ticket = ticket_by_id(registry, entry->ticket_id);

			if (strcmp(ticket->currency, currencies[c]) != 0 ||
				(filter->room != NULL &&
					strcmp(ticket->room.text, filter->room) != 0) ||
				(filter->room_id != 0 && ticket->room_id != filter->room_id) ||
				(filter->host != NULL &&
					strcmp(ticket->host.text, filter->host) != 0) ||
				(filter->currency != NULL &&
					strcmp(ticket->currency, filter->currency) != 0))
				continue;
			count++;
			sums.price += entry->price;
			sums.provider_fee += entry->provider_fee;
			sums.fee += entry->fee;
			sums.share += entry->share;
		}
		ck_assert_int_eq(sums.price, sums.provider_fee + sums.fee + sums.share);
		if (count > 0)
			used += (size_t)snprintf(text + used, PRINT_SIZE - used,
				"%s %u %" PRId64 " %" PRId64 " %" PRId64 "\n", currencies[c], count,
				sums.price, sums.fee, sums.share);
	}
}

static void view(const struct registry *registry, const struct ledger_filter *filter, char *text)
{
	struct ledger_view books;
	size_t used = 0;
	uint64_t id = 0, last = 0;
	size_t entries = 0, seen = 0;

	text[0] = '\0';
	ck_assert_int_eq(ledger_view_open(registry, filter, &books), 0);
	for (size_t i = 0; i < books.count;) {
		const char *currency = books.books[i]->currency;
		struct ledger_sums sums = {0};
		size_t count = 0;

		for (; i < books.count && strcmp(books.books[i]->currency, currency) == 0; i++) {
			count += books.books[i]->entries.count;
			sums.price += books.books[i]->sums.price;
			sums.fee += books.books[i]->sums.fee;
			sums.share += books.books[i]->sums.share;
		}
		entries += count;
		used += (size_t)snprintf(text + used, PRINT_SIZE - used,
			"%s %zu %" PRId64 " %" PRId64 " %" PRId64 "\n", currency, count, sums.price,
			sums.fee, sums.share);
	}
	while (ledger_view_next(&books, &id) != NULL) {
		ck_assert_uint_gt(id, last);
		last = id;
		seen++;
	}
	ck_assert_uint_eq(seen, entries);
	ledger_view_close(&books);
}

static void compare(const struct desk *desk, const struct ledger_filter *filter)
{
	char slow[PRINT_SIZE], fast[PRINT_SIZE];

	walk(&desk->registry, filter, slow);
	view(&desk->registry, filter, fast);
	ck_assert_str_eq(slow, fast);
}

static void compare_all(const struct desk *desk)
{
	char room[8], host[8];

	compare(desk, &(struct ledger_filter){0});
	compare(desk, &(struct ledger_filter){.currency = "JPY"});
	for (unsigned int r = 0; r < ROOMS; r++) {
		const struct room *open;

		snprintf(room, sizeof(room), "r%u", r);
		open = registry_room(&desk->registry, room);
		compare(desk, &(struct ledger_filter){.room = room});
		compare(desk, &(struct ledger_filter){.room = room, .host = "h1"});
		if (open != NULL)
			compare(desk, &(struct ledger_filter){.room_id = open->put.room_id});
	}
	for (unsigned int h = 0; h < HOSTS; h++) {
		snprintf(host, sizeof(host), "h%u", h);
		compare(desk, &(struct ledger_filter){.host = host});
		compare(desk, &(struct ledger_filter){.host = host, .currency = "EUR"});
	}
}

/* Any there is, refunded ones included; or NULL. */
static const struct ticket *any_ticket(const struct registry *registry, struct random_state *random)
{
	uint64_t id = 0;
	uint32_t skip = registry->tickets.count == 0
				? 0
				: random_below(random, (uint32_t)registry->tickets.count);

	while (skip-- > 0)
		roster_next(&registry->tickets, &id);
	return roster_next(&registry->tickets, &id);
}

/* A reference is the step, or one that is there already. */
static void write_request(const struct registry *registry, struct random_state *random,
	unsigned int step, char *line, size_t size)
{
	const struct ticket *ticket = any_ticket(registry, random);
	char reference[REFERENCE_SIZE];
	unsigned int r = random_below(random, ROOMS), kind = random_below(random, 16);
	const char *currency = random_below(random, 2) ? "EUR" : "JPY";

	snprintf(reference, sizeof(reference), "p%u", step);
	if (ticket != NULL && (kind >= 11 || random_below(random, 20) == 0))
		memcpy(reference, ticket->reference, sizeof(reference));
	if (kind == 0)
		snprintf(line, size,
			"{\"id\":\"i\",\"type\":\"room.open\",\"actor\":\"h%u\",\"room\":\"r%u\","
			"\"access\":\"ticketed\"}",
			random_below(random, HOSTS), r);
	else if (kind == 1 && random_below(random, 8) == 0)
		snprintf(line, size,
			"{\"id\":\"i\",\"type\":\"room.close\",\"actor\":\"h%u\",\"room\":\"r%u\"}",
			random_below(random, HOSTS), r);
	else if (kind < 4)
		snprintf(line, size,
			"{\"id\":\"i\",\"type\":\"ticket.offer\",\"actor\":\"h%u\",\"room\":\"r%"
			"u\","
			"\"price\":777,\"currency\":\"%s\",\"quantity\":%u}",
			random_below(random, HOSTS), r, currency, 1 + random_below(random, 8));
	else if (kind < 11)
		snprintf(line, size,
			"{\"id\":\"i\",\"type\":\"ticket.issue\",\"actor\":\"shop\","
			"\"room\":\"r%u\",\"user\":\"u%u\",\"reference\":\"%s\",\"price\":777,"
			"\"currency\":\"%s\",\"provider_fee\":%u}",
			r, random_below(random, USERS), reference, currency,
			random_below(random, 778));
	else
		snprintf(line, size,
			"{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"shop\","
			"\"reference\":\"%s\"}",
			reference);
}

/* Offers count what is out; a person has one ticket of a room; quantity is never exceeded. */
static void check_offers(const struct registry *registry)
{
	const struct ticket *ticket;
	const struct room *room;
	uint64_t id = 0, at;

	while ((room = roster_next(&registry->room_roster, &id)) != NULL) {
		unsigned int out = 0;

		at = 0;
		while ((ticket = roster_next(&registry->tickets, &at)) != NULL) {
			if (ticket->room_id != room->put.room_id || ticket->state != TICKET_ISSUED)
				continue;
			out++;
			ck_assert_ptr_eq(ticket,
				ticket_of_user(registry, room->put.room_id, ticket->user.text));
		}
		ck_assert_uint_eq(room->offer == NULL ? 0 : room->offer->issued, out);
		if (room->offer != NULL)
			ck_assert_uint_le(out, room->offer->quantity);
	}
}

START_TEST(it_balances_whatever_happens)
{
	struct random_state random;
	unsigned int kept = 0, taken_back = 0;
	struct desk desk;
	struct plan plan;
	char line[400];

	random_seed(&random);
	open_desk(&desk);
	for (unsigned int step = 0; step < STEPS; step++) {
		char *before = desk_state(&desk.registry), *after;

		write_request(&desk.registry, &random, step, line, sizeof(line));
		if (desk_plan(&desk, &plan, line) && random_below(&random, 3) != 0) {
			kept++;
		} else {
			taken_back += plan.change_count > 0;
			plan_revert(&plan, &desk.registry);
			after = desk_state(&desk.registry);
			ck_assert_msg(
				strcmp(before, after) == 0, "%s\n%s\n%s", line, before, after);
			free(after);
		}
		plan_clear(&plan);
		free(before);
		if (step % 16 == 0) {
			compare_all(&desk);
			check_offers(&desk.registry);
		}
	}
	compare_all(&desk);
	ck_assert_uint_gt(kept, STEPS / 20);
	ck_assert_uint_gt(taken_back, STEPS / 50);
	ck_assert_uint_gt(desk.registry.entries.count, STEPS / 30);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tcase = tcase_create("ledger");

	parse_setup();
	tcase_add_test(tcase, it_says_who_got_what);
	tcase_add_loop_test(tcase, who_may_read_it, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, it_balances_whatever_happens);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
