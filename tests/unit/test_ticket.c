/* SPDX-License-Identifier: BSD-3-Clause */
/* Tickets: who offers them, who gets one, what it opens, what a refund closes. */
#include "tests/support/rule.h"

/* The desk's clock stands at 1,700,000,000,000 ms; a second and an hour later. */
#define SOON "1700000001000"
#define LATER "1700003600000"
#define PAID Q("room.open", "ann", ",\"access\":\"ticketed\"")
#define OFFER(more_) \
	Q("ticket.offer", "ann", ",\"price\":1000,\"currency\":\"EUR\",\"quantity\":2" more_)
#define BUY(who_, reference_, more_) \
	Q("ticket.issue", "shop", \
		",\"user\":\"" who_ "\",\"reference\":\"" reference_ "\",\"price\":1000," \
		"\"currency\":\"EUR\"" more_)
#define REFUND(reference_) \
	"{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"shop\",\"reference\":\"" reference_ \
	"\"}"
#define UPDATE(more_) Q("ticket.offer", "ann", more_)

static const struct rule rows[] = {
	{"tickets are offered", {PAID}, OFFER(""), VERDICT_OK,
		"\"price\":1000,\"currency\":\"EUR\",\"quantity\":2,\"left\":2,"
		"\"sale_from_ms\":1700000000000,\"sale_until_ms\":null",
		0, 1, "\"type\":\"ticket.offered\""},
	{"of a scheduled room too",
		{Q("room.schedule", "ann", ",\"access\":\"ticketed\",\"starts_ms\":" LATER)},
		OFFER(""), VERDICT_OK, "\"left\":2", 0, 1},
	{"for nothing", {PAID}, UPDATE(",\"price\":0,\"currency\":\"EUR\",\"quantity\":1"),
		VERDICT_OK, "\"price\":0", 0, 1},
	{"in a room that is ticketed", {OPEN}, OFFER(""), VERDICT_CONFLICT, "is not ticketed"},
	{"by its host", {PAID}, Q("ticket.offer", "bob", ",\"price\":1"), VERDICT_NOT_ALLOWED,
		"the host"},
	{"a cohost does not", {PAID, "+cohost bob"}, Q("ticket.offer", "bob", ",\"price\":1"),
		VERDICT_NOT_ALLOWED, "the host"},
	{"a room that is not there", {0}, OFFER(""), VERDICT_NO_SUCH_ROOM, "tea"},
	{"the first offer has a price", {PAID}, UPDATE(",\"currency\":\"EUR\",\"quantity\":1"),
		VERDICT_INVALID, "price: missing"},
	{"a currency", {PAID}, UPDATE(",\"price\":1,\"quantity\":1"), VERDICT_INVALID,
		"currency: missing"},
	{"and a quantity", {PAID}, UPDATE(",\"price\":1,\"currency\":\"EUR\""), VERDICT_INVALID,
		"quantity: missing"},
	{"a currency is three capital letters", {PAID},
		UPDATE(",\"price\":1,\"currency\":\"eur\",\"quantity\":1"), VERDICT_INVALID,
		"currency: three"},
	{"a price is whole", {PAID}, UPDATE(",\"price\":1.5,\"currency\":\"EUR\",\"quantity\":1"),
		VERDICT_INVALID, "price: must be an integer"},
	{"a sale ends after it begins", {PAID},
		OFFER(",\"sale_from_ms\":" LATER ",\"sale_until_ms\":" LATER), VERDICT_INVALID,
		"sale_until_ms"},
	{"another price", {PAID, OFFER("")}, UPDATE(",\"price\":2000"), VERDICT_OK,
		"\"price\":2000,\"currency\":\"EUR\",\"quantity\":2", 0, 1},
	{"another currency while nothing is sold", {PAID, OFFER("")},
		UPDATE(",\"currency\":\"USD\""), VERDICT_OK, "\"currency\":\"USD\"", 0, 1},
	{"then not any more", {PAID, OFFER(""), BUY("bob", "p1", "")},
		UPDATE(",\"currency\":\"USD\""), VERDICT_CONFLICT, "stays EUR"},
	{"not fewer than are sold", {PAID, OFFER(""), BUY("bob", "p1", ""), BUY("eve", "p2", "")},
		UPDATE(",\"quantity\":1"), VERDICT_CONFLICT, "2 tickets are out"},
	{"as many as are sold", {PAID, OFFER(""), BUY("bob", "p1", ""), UPDATE(",\"quantity\":2")},
		UPDATE(",\"quantity\":1"), VERDICT_OK, "\"quantity\":1,\"left\":0", 0, 1},

	/* A fifth of 1000 - 30 is 194, the rest 776. */
	{"one is sold", {PAID, OFFER("")}, BUY("bob", "p1", ",\"provider_fee\":30"), VERDICT_OK,
		"\"user\":\"bob\",\"left\":1,\"share\":776,\"fee\":194,\"provider_fee\":30", 0, 1,
		"\"type\":\"ticket.issued\""},
	{"there is nothing to sell", {PAID}, BUY("bob", "p1", ""), VERDICT_NO_SUCH_THING,
		"offers no tickets"},
	{"in no room", {0}, BUY("bob", "p1", ""), VERDICT_NO_SUCH_ROOM, "tea"},
	{"a payment buys one ticket", {PAID, OFFER(""), BUY("bob", "p1", "")}, BUY("eve", "p1", ""),
		VERDICT_ALREADY_EXISTS, "is that of ticket"},
	{"also after it was refunded", {PAID, OFFER(""), BUY("bob", "p1", ""), REFUND("p1")},
		BUY("bob", "p1", ""), VERDICT_ALREADY_EXISTS, "is that of ticket"},
	{"in another room as well",
		{PAID, OFFER(""), BUY("bob", "p1", ""),
			IN("two", "room.open", "ann", ",\"access\":\"ticketed\""),
			IN("two", "ticket.offer", "ann",
				",\"price\":1,\"currency\":\"EUR\",\"quantity\":1")},
		IN("two", "ticket.issue", "shop",
			",\"user\":\"eve\",\"reference\":\"p1\",\"price\":1,"
			"\"currency\":\"EUR\""),
		VERDICT_ALREADY_EXISTS, "is that of ticket"},
	{"one ticket a person", {PAID, OFFER(""), BUY("bob", "p1", "")}, BUY("bob", "p2", ""),
		VERDICT_ALREADY_EXISTS, "\"bob\" has ticket"},
	{"another after a refund", {PAID, OFFER(""), BUY("bob", "p1", ""), REFUND("p1")},
		BUY("bob", "p2", ""), VERDICT_OK, "\"left\":1", 0, 1},
	{"as many as there are", {PAID, OFFER(""), BUY("bob", "p1", ""), BUY("eve", "p2", "")},
		BUY("joe", "p3", ""), VERDICT_CAPACITY, "all 2 tickets are sold"},
	{"one that came back is sold again",
		{PAID, OFFER(""), BUY("bob", "p1", ""), BUY("eve", "p2", ""), REFUND("p1")},
		BUY("joe", "p3", ""), VERDICT_OK, "\"left\":0", 0, 1},
	{"at the price that is asked", {PAID, OFFER(""), UPDATE(",\"price\":1200")},
		BUY("bob", "p1", ""), VERDICT_CONFLICT, "the offer is 1200 EUR, not 1000 EUR"},
	{"in the currency that is asked", {PAID, OFFER(""), UPDATE(",\"currency\":\"USD\"")},
		BUY("bob", "p1", ""), VERDICT_CONFLICT, "the offer is 1000 USD, not 1000 EUR"},
	{"not before the sale", {PAID, OFFER(",\"sale_from_ms\":" SOON), "+wait 999"},
		BUY("bob", "p1", ""), VERDICT_CONFLICT, "the sale begins at " SOON},
	{"from its first millisecond on", {PAID, OFFER(",\"sale_from_ms\":" SOON), "+wait 1000"},
		BUY("bob", "p1", ""), VERDICT_OK, "bob", 0, 1},
	{"to its last", {PAID, OFFER(",\"sale_until_ms\":" SOON), "+wait 999"},
		BUY("bob", "p1", ""), VERDICT_OK, "bob", 0, 1},
	{"not after it", {PAID, OFFER(",\"sale_until_ms\":" SOON), "+wait 1000"},
		BUY("bob", "p1", ""), VERDICT_CONFLICT, "the sale ended at " SOON},
	{"0 takes the end away",
		{PAID, OFFER(",\"sale_until_ms\":" SOON), UPDATE(",\"sale_until_ms\":0"),
			"+wait 1000"},
		BUY("bob", "p1", ""), VERDICT_OK, "bob", 0, 1},
	{"the provider does not keep more than was paid", {PAID, OFFER("")},
		BUY("bob", "p1", ",\"provider_fee\":1001"), VERDICT_INVALID, "at most the price"},
	{"nothing is sold to whom the host has removed",
		{PAID, OFFER(""), BUY("bob", "p1", ""), JOIN("bob", "listener", 2),
			Q("moderation.remove", "ann", WHO("bob")), REFUND("p1")},
		BUY("bob", "p2", ""), VERDICT_NOT_ALLOWED, "is not let into"},
	{"nor to whom they have banned", {PAID, OFFER(""), Q("moderation.ban", "ann", WHO("bob"))},
		BUY("bob", "p2", ""), VERDICT_NOT_ALLOWED, "is not let into"},
	{"so many tickets are kept",
		{PAID, OFFER(",\"sale_from_ms\":1"), UPDATE(",\"quantity\":9"), BUY("a", "1", ""),
			BUY("b", "2", ""), BUY("c", "3", ""), REFUND("1")},
		BUY("d", "4", ""), VERDICT_CAPACITY, "tickets_max: 3"},

	/* ISO/IEC 7812-1; numbers that payment networks publish for tests. */
	{"a card number is not taken", {PAID, OFFER("")}, BUY("bob", "4111111111111111", ""),
		VERDICT_INVALID, "card number"},
	{"nor one of 15 digits", {PAID, OFFER("")}, BUY("bob", "378282246310005", ""),
		VERDICT_INVALID, "card number"},
	{"nor one in groups", {PAID, OFFER("")}, BUY("bob", "5555 5555-5555 4444", ""),
		VERDICT_INVALID, "card number"},
	{"digits that are none", {PAID, OFFER("")}, BUY("bob", "4111111111111112", ""), VERDICT_OK,
		"bob", 0, 1},
	{"too few digits for one: 18 is Luhn's, too", {PAID, OFFER("")},
		BUY("bob", "000000000018", ""), VERDICT_OK, "bob", 0, 1},
	{"a reference of control characters", {PAID, OFFER("")}, BUY("bob", "a\\u0007", ""),
		VERDICT_INVALID, "reference: printable"},

	{"a refund", {PAID, OFFER(""), BUY("bob", "p1", "")}, REFUND("p1"), VERDICT_OK,
		"\"user\":\"bob\",\"price\":1000,\"currency\":\"EUR\",\"removed\":false", 0, 1,
		"\"type\":\"ticket.refunded\""},
	{"once", {PAID, OFFER(""), BUY("bob", "p1", ""), REFUND("p1")}, REFUND("p1"),
		VERDICT_CONFLICT, "was refunded at 1700000000000"},
	{"of what was not bought", {PAID, OFFER("")}, REFUND("p1"), VERDICT_NO_SUCH_THING,
		"no ticket \"p1\""},
	{"of a ticket that is none", {PAID},
		"{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"shop\",\"ticket\":\"12x\"}",
		VERDICT_NO_SUCH_THING, "no ticket \"12x\""},
	{"of which?", {PAID}, "{\"id\":\"i\",\"type\":\"ticket.refund\",\"actor\":\"shop\"}",
		VERDICT_INVALID, "one of them"},
	{"who was let in goes: one operation, two events",
		{PAID, OFFER(""), BUY("bob", "p1", ""), JOIN("bob", "listener", 2)}, REFUND("p1"),
		VERDICT_OK, "\"removed\":true", 1, 2, "\"left\":[\"bob\"],\"reason\":\"refunded\""},
	{"when the room has ended",
		{PAID, OFFER(""), BUY("bob", "p1", ""), Q("room.close", "ann", "")}, REFUND("p1"),
		VERDICT_OK, "\"room\":\"tea\",\"user\":\"bob\"", 0, 1,
		"\"room\":\"tea\",\"ticket\""},
	{"who is in another's room of that name stays",
		{PAID, OFFER(""), BUY("bob", "p1", ""), Q("room.close", "ann", ""),
			Q("room.open", "joe", ""), JOIN("bob", "listener", 2)},
		REFUND("p1"), VERDICT_OK, "\"removed\":false", 0, 1},

	{"without a ticket nobody comes in", {PAID, OFFER("")}, JOIN("bob", "listener", 2),
		VERDICT_NOT_ALLOWED, "has no ticket"},
	{"with one they do", {PAID, OFFER(""), BUY("bob", "p1", "")}, JOIN("bob", "listener", 2),
		VERDICT_OK, "bob", 1, 1},
	{"one seat a ticket", {PAID, OFFER(""), BUY("bob", "p1", ""), JOIN("bob", "listener", 2)},
		JOIN("bob", "listener", 3), VERDICT_ALREADY_EXISTS, "keeps the seat"},
	{"a ticket lets its own user in", {PAID, OFFER(""), BUY("bob", "p1", "")},
		JOIN("eve", "listener", 2), VERDICT_NOT_ALLOWED, "has no ticket"},
	{"after a refund it opens nothing",
		{PAID, OFFER(""), BUY("bob", "p1", ""), JOIN("bob", "listener", 2), REFUND("p1")},
		JOIN("bob", "listener", 2), VERDICT_NOT_ALLOWED, "has no ticket"},
	{"a ticket of the room that ended opens no other of its name",
		{PAID, OFFER(""), BUY("bob", "p1", ""), Q("room.close", "ann", ""), PAID},
		JOIN("bob", "listener", 2), VERDICT_NOT_ALLOWED, "has no ticket"},
	{"a ticket of a scheduled room is good when it is live",
		{Q("room.schedule", "ann", ",\"access\":\"ticketed\",\"starts_ms\":" LATER),
			OFFER(""), BUY("bob", "p1", ""), Q("room.open", "ann", "")},
		JOIN("bob", "listener", 2), VERDICT_OK, "bob", 1, 1},
};

static void open_desk(struct desk *desk)
{
	desk_open(desk);
	desk->registry.limits.tickets_max = 3;
	desk->registry.limits.schedule_max_ms = 14 * 24 * 3600000ull;
	desk->registry.limits.fee_tier_count = 1;
	desk->registry.limits.fee_tiers[0] = (struct fee_tier){UINT64_MAX, 2000};
}

START_TEST(a_request_has_its_answer)
{
	struct desk desk;

	open_desk(&desk);
	rule_check_at(&desk, &rows[_i]);
}
END_TEST

/* Removal from the data plane is the refund's own operation, and the plan is one of safety. */
START_TEST(a_refund_takes_the_leg)
{
	const struct event_type *type = event_type_find("ticket.refund");
	struct stn_op_leg_remove op;
	struct desk desk;
	struct plan plan;
	uint64_t leg_id;

	open_desk(&desk);
	ck_assert(type->flags & EVENT_SAFETY);
	ck_assert(!(type->flags & EVENT_PAGE));
	ck_assert(desk_ask(&desk, PAID) == VERDICT_OK);
	ck_assert(desk_ask(&desk, OFFER("")) == VERDICT_OK);
	ck_assert(desk_ask(&desk, BUY("bob", "p1", "")) == VERDICT_OK);
	ck_assert(desk_ask(&desk, JOIN("bob", "listener", 2)) == VERDICT_OK);
	leg_id = registry_member(registry_room(&desk.registry, "tea"), "bob")->put.leg_id;
	ck_assert(desk_plan(&desk, &plan, REFUND("p1")));
	ck_assert_uint_eq(plan.ops_size, sizeof(op));
	memcpy(&op, plan.ops, sizeof(op));
	ck_assert_uint_eq(op.op.type, STN_OP_LEG_REMOVE);
	ck_assert_uint_eq(op.leg_id, leg_id);
	plan_clear(&plan);
	desk_close(&desk);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ticket");
	TCase *tcase = tcase_create("ticket");

	parse_setup();
	tcase_add_loop_test(tcase, a_request_has_its_answer, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tcase, a_refund_takes_the_leg);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
