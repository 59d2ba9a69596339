// SPDX-License-Identifier: BSD-3-Clause
#include "tests/io/browser.h"

#include <check.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "dataplane/api/ufrag.h"

#define COOKIE "\x21\x12\xa4\x42"
#define REQUEST 0x0001
#define SUCCESS 0x0101

enum attribute {
	USERNAME = 0x0006,
	MESSAGE_INTEGRITY = 0x0008,
	XOR_MAPPED_ADDRESS = 0x0020,
	PRIORITY = 0x0024,
	USE_CANDIDATE = 0x0025,
	FINGERPRINT = 0x8028,
	ICE_CONTROLLED = 0x8029,
	ICE_CONTROLLING = 0x802a,
};

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static unsigned int get16(const uint8_t *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* ITU V.42, bit by bit. */
static uint32_t crc32(const uint8_t *bytes, unsigned int size)
{
	uint32_t crc = 0xffffffff;
	unsigned int i, bit;

	for (i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void hmac(const char *key, unsigned int key_size, const uint8_t *message, unsigned int size,
	uint8_t out[20])
{
	unsigned int length = 20;

	ck_assert_ptr_nonnull(HMAC(EVP_sha1(), key, (int)key_size, message, size, out, &length));
	ck_assert_uint_eq(length, 20);
}

static unsigned int begin(uint8_t *out, unsigned int type, const uint8_t transaction[12])
{
	put16(out, type);
	memcpy(out + 4, COOKIE, 4);
	memcpy(out + 8, transaction, 12);
	return 20;
}

/* Returns the size with the attribute, padded with zeroes (RFC 8489 section 14). */
static unsigned int attribute(
	uint8_t *out, unsigned int at, unsigned int type, const void *value, unsigned int size)
{
	put16(out + at, type);
	put16(out + at + 2, size);
	memset(out + at + 4, 0, (size + 3) & ~3u);
	if (size != 0)
		memcpy(out + at + 4, value, size);
	at += 4 + ((size + 3) & ~3u);
	put16(out + 2, at - 20);
	return at;
}

/* MESSAGE-INTEGRITY and FINGERPRINT. */
static unsigned int seal(uint8_t *out, unsigned int at, const char *key, unsigned int key_size)
{
	uint8_t digest[20], crc[4];

	put16(out + 2, at + 24 - 20);
	hmac(key, key_size, out, at, digest);
	at = attribute(out, at, MESSAGE_INTEGRITY, digest, sizeof(digest));
	put16(out + 2, at + 8 - 20);
	put32(crc, crc32(out, at) ^ 0x5354554e);
	return attribute(out, at, FINGERPRINT, crc, sizeof(crc));
}

void browser_credentials(struct browser *browser, uint64_t leg_id, struct random_state *random)
{
	static const char chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct stn_op_leg_ice *ice = &browser->ice;
	unsigned int i;

	*ice = (struct stn_op_leg_ice){
		.op = {.type = STN_OP_LEG_ICE, .size = sizeof(*ice)},
		.leg_id = leg_id,
		.remote_ufrag_size = 4, /* Chromium's */
		.remote_pwd_size = 24,
	};
	random_fill(random, ice->local_random, sizeof(ice->local_random));
	for (i = 0; i < sizeof(ice->local_pwd); i++)
		ice->local_pwd[i] = chars[random_below(random, 64)];
	for (i = 0; i < ice->remote_ufrag_size; i++)
		ice->remote_ufrag[i] = chars[random_below(random, 64)];
	for (i = 0; i < ice->remote_pwd_size; i++)
		ice->remote_pwd[i] = chars[random_below(random, 64)];
	stn_ufrag_make(leg_id, ice->local_random, browser->relay_ufrag);
}

struct browser_place *browser_place(struct browser *browser, const struct stn_address *address)
{
	unsigned int i;

	for (i = 0; i < browser->place_count; i++)
		if (memcmp(&browser->place[i].address, address, sizeof(*address)) == 0)
			return &browser->place[i];
	return NULL;
}

struct browser_place *browser_move(
	struct browser *browser, const struct stn_address *address, const uint8_t mac[6])
{
	struct browser_place *place = browser_place(browser, address);

	if (place == NULL) {
		ck_assert_uint_lt(browser->place_count, BROWSER_PLACES_MAX);
		place = &browser->place[browser->place_count++];
		place->address = *address;
		memcpy(place->mac, mac, sizeof(place->mac));
	}
	browser->at = (unsigned int)(place - browser->place);
	return place;
}

unsigned int browser_check(struct browser *browser, bool nominate, struct random_state *random,
	uint8_t out[BROWSER_MESSAGE_MAX])
{
	uint8_t *transaction = browser->transaction[browser->check_count++ % BROWSER_CHECKS_KEPT];
	const struct stn_op_leg_ice *ice = &browser->ice;
	static const uint8_t padding[BROWSER_PADDING_MAX];
	uint8_t priority[4] = {110, 255, 255, 255}, tie_breaker[8];
	char username[16 + 1 + STN_ICE_UFRAG_MAX];
	unsigned int at;

	random_fill(random, transaction, 12);
	random_fill(random, tie_breaker, sizeof(tie_breaker));
	memcpy(username, browser->relay_ufrag, 16);
	username[16] = ':';
	memcpy(username + 17, ice->remote_ufrag, ice->remote_ufrag_size);
	at = begin(out, REQUEST, transaction);
	at = attribute(out, at, USERNAME, username, 17u + ice->remote_ufrag_size);
	at = attribute(out, at, 0xc057, "\0\1\0\x0a", 4); /* Chromium's network cost */
	at = attribute(out, at, ICE_CONTROLLING, tie_breaker, sizeof(tie_breaker));
	if (browser->padding != 0)
		at = attribute(out, at, 0xc0de, padding, browser->padding);
	if (nominate)
		at = attribute(out, at, USE_CANDIDATE, NULL, 0);
	at = attribute(out, at, PRIORITY, priority, sizeof(priority));
	return seal(out, at, ice->local_pwd, sizeof(ice->local_pwd));
}

/* The attributes of a message that came; all must be where they are allowed. */
struct view {
	const uint8_t *username, *mapped;
	unsigned int username_size, mapped_size;
	unsigned int integrity; /* offset */
	bool priority, controlled, fingerprint;
};

static void view_attribute(
	struct view *view, const uint8_t *message, unsigned int at, unsigned int size)
{
	unsigned int type = get16(message + at);

	ck_assert_msg(!view->fingerprint, "something behind FINGERPRINT");
	ck_assert_msg(view->integrity == 0 || type == FINGERPRINT, "behind MESSAGE-INTEGRITY");
	switch (type) {
	case USERNAME:
		view->username = message + at + 4;
		view->username_size = size;
		break;
	case XOR_MAPPED_ADDRESS:
		view->mapped = message + at + 4;
		view->mapped_size = size;
		break;
	case MESSAGE_INTEGRITY:
		ck_assert_uint_eq(size, 20);
		view->integrity = at;
		break;
	case FINGERPRINT:
		ck_assert_uint_eq(size, 4);
		ck_assert_uint_eq(get32(message + at + 4), crc32(message, at) ^ 0x5354554e);
		view->fingerprint = true;
		break;
	case PRIORITY:
		view->priority = true;
		break;
	case ICE_CONTROLLED:
		view->controlled = true;
		break;
	default:
		ck_assert_msg(type >= 0x8000, "attribute %#x", type);
		break;
	}
}

static void view_read(struct view *view, const uint8_t *message, unsigned int size, const char *key,
	unsigned int key_size)
{
	uint8_t copy[BROWSER_MESSAGE_MAX], digest[20];
	unsigned int at = 20, value;

	ck_assert_uint_ge(size, 20);
	ck_assert_uint_le(size, sizeof(copy));
	ck_assert_mem_eq(message + 4, COOKIE, 4);
	ck_assert_uint_eq(get16(message + 2), size - 20);
	while (at < size) {
		ck_assert_uint_ge(size - at, 4);
		value = get16(message + at + 2);
		ck_assert_uint_ge(size - at - 4, (value + 3) & ~3u);
		view_attribute(view, message, at, value);
		at += 4 + ((value + 3) & ~3u);
	}
	ck_assert(view->fingerprint && view->integrity != 0);
	memcpy(copy, message, view->integrity);
	put16(copy + 2, view->integrity + 24 - 20);
	hmac(key, key_size, copy, view->integrity, digest);
	ck_assert_mem_eq(digest, message + view->integrity + 4, sizeof(digest));
}

static void check_mapped(
	const struct view *view, const uint8_t *message, const struct stn_address *address)
{
	unsigned int size = address->family == 4 ? 4 : 16, i;
	uint8_t port[2];

	ck_assert_ptr_nonnull(view->mapped);
	ck_assert_uint_eq(view->mapped_size, 4 + size);
	ck_assert_uint_eq(view->mapped[1], address->family == 4 ? 1 : 2);
	memcpy(port, &address->port_be, 2);
	ck_assert_uint_eq(view->mapped[2] ^ 0x21, port[0]);
	ck_assert_uint_eq(view->mapped[3] ^ 0x12, port[1]);
	for (i = 0; i < size; i++)
		ck_assert_uint_eq(view->mapped[4 + i] ^ message[4 + i], address->address[i]);
}

static void take_response(struct browser *browser, struct browser_place *place,
	const uint8_t *message, unsigned int size)
{
	unsigned int i, known = 0;
	struct view view = {0};

	view_read(&view, message, size, browser->ice.local_pwd, sizeof(browser->ice.local_pwd));
	check_mapped(&view, message, &place->address);
	for (i = 0; i < BROWSER_CHECKS_KEPT; i++)
		known += memcmp(browser->transaction[i], message + 8, 12) == 0;
	ck_assert_msg(known == 1, "an answer to no check of ours");
	place->responses++;
}

static unsigned int take_challenge(struct browser *browser, struct browser_place *place,
	const uint8_t *message, unsigned int size, uint8_t *out)
{
	const struct stn_op_leg_ice *ice = &browser->ice;
	struct view view = {0};

	view_read(&view, message, size, ice->remote_pwd, ice->remote_pwd_size);
	ck_assert(view.priority && view.controlled);
	ck_assert_uint_eq(view.username_size, ice->remote_ufrag_size + 17u);
	ck_assert_mem_eq(view.username, ice->remote_ufrag, ice->remote_ufrag_size);
	ck_assert_uint_eq(view.username[ice->remote_ufrag_size], ':');
	ck_assert_mem_eq(view.username + ice->remote_ufrag_size + 1, browser->relay_ufrag, 16);
	place->challenges++;
	memcpy(browser->challenge, message + 8, 12);
	if (browser->unanswering)
		return 0;
	place->proven = true;
	return browser_answer(browser, message + 8, out);
}

unsigned int browser_answer(const struct browser *browser, const uint8_t transaction[12],
	uint8_t out[BROWSER_MESSAGE_MAX])
{
	const struct stn_op_leg_ice *ice = &browser->ice;
	uint8_t mapped[8] = {0, 1, 0x21, 0x12, 0x21, 0x12, 0xa4, 0x42};
	unsigned int at;

	/* The relay has no use for it, so 0.0.0.0:0 does. */
	at = begin(out, SUCCESS, transaction);
	at = attribute(out, at, XOR_MAPPED_ADDRESS, mapped, sizeof(mapped));
	return seal(out, at, ice->remote_pwd, ice->remote_pwd_size);
}

unsigned int browser_fingerprint(uint8_t *message, unsigned int size)
{
	put32(message + size - 4, crc32(message, size - 8) ^ 0x5354554e);
	return size;
}

unsigned int browser_take(struct browser *browser, struct browser_place *place,
	const uint8_t *message, unsigned int size, uint8_t out[BROWSER_MESSAGE_MAX])
{
	ck_assert_uint_ge(size, 20);
	if (get16(message) == REQUEST)
		return take_challenge(browser, place, message, size, out);
	ck_assert_uint_eq(get16(message), SUCCESS);
	take_response(browser, place, message, size);
	return 0;
}
