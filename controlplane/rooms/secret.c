/* SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "controlplane/rooms/secret.h"
#include "controlplane/rooms/share.h"

static const struct {
	const char *name;
	size_t key_size;
	size_t salt_size;
} suites[] = {
	{"NONE", 0, 0}, {"AEAD_AES_128_GCM", 16, 12}, /* RFC 7714 section 12.1 */
	{"AEAD_AES_256_GCM", 32, 12},                 /* RFC 7714 section 12.2 */
	{"AES128_CM_HMAC_SHA1_80", 16, 14}, /* RFC 3711 section 8.2, RFC 4568 section 6.2.1 */
};
static_assert(sizeof(suites) / sizeof(suites[0]) == STN_SUITE_COUNT, "facts for each suite");

const char *const secret_suite_names[] = {
	"AEAD_AES_128_GCM", "AEAD_AES_256_GCM", "AES128_CM_HMAC_SHA1_80", NULL};

const char *secret_suite_name(unsigned int suite)
{
	return suite < STN_SUITE_COUNT ? suites[suite].name : "unknown";
}

size_t secret_key_size(unsigned int suite)
{
	return suite < STN_SUITE_COUNT ? suites[suite].key_size : 0;
}

size_t secret_salt_size(unsigned int suite)
{
	return suite < STN_SUITE_COUNT ? suites[suite].salt_size : 0;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode_hex(const char *text, unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = nibble(text[2 * i]);
		int low = high < 0 ? -1 : nibble(text[2 * i + 1]);

		if (low < 0)
			return -EINVAL;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

/* Decodes exactly `size` bytes; EVP_DecodeBlock() counts the padding as zero bytes. */
static int decode_base64(const char *text, size_t length, unsigned char *bytes, size_t size)
{
	unsigned char block[SECRET_TEXT_SIZE];
	size_t padding = (3 - size % 3) % 3;
	int rc = -EINVAL;

	if (length != (size + 2) / 3 * 4)
		return -EINVAL;
	for (size_t i = 0; i < padding; i++) {
		if (text[length - 1 - i] != '=')
			return -EINVAL;
	}
	if (memchr(text, '=', length - padding) == NULL &&
		EVP_DecodeBlock(block, (const unsigned char *)text, (int)length) ==
			(int)(size + padding)) {
		memcpy(bytes, block, size);
		rc = 0;
	}
	explicit_bzero(block, sizeof(block));
	return rc;
}

int secret_parse(unsigned int suite, const char *text, struct stn_master_key *key)
{
	unsigned char bytes[sizeof(key->key) + sizeof(key->salt)];
	size_t key_size = secret_key_size(suite), salt_size = secret_salt_size(suite);
	size_t size = key_size + salt_size, length = strlen(text);
	int rc;

	if (length == 2 * size)
		rc = decode_hex(text, bytes, size);
	else
		rc = decode_base64(text, length, bytes, size);
	if (rc == 0) {
		*key = (struct stn_master_key){.suite = (uint8_t)suite};
		memcpy(key->key, bytes, key_size);
		memcpy(key->salt, bytes + key_size, salt_size);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

int secret_mint(struct registry *registry, unsigned int suite, struct stn_master_key *key)
{
	int rc;

	*key = (struct stn_master_key){.suite = (uint8_t)suite};
	rc = registry->random(key->key, secret_key_size(suite));
	if (rc == 0)
		rc = registry->random(key->salt, secret_salt_size(suite));
	return rc;
}

static size_t gather(const struct stn_master_key *key, unsigned char *bytes)
{
	size_t key_size = secret_key_size(key->suite), salt_size = secret_salt_size(key->suite);

	memcpy(bytes, key->key, key_size);
	memcpy(bytes + key_size, key->salt, salt_size);
	return key_size + salt_size;
}

void secret_text(const struct stn_master_key *key, char *text)
{
	unsigned char bytes[sizeof(key->key) + sizeof(key->salt)];
	size_t size = gather(key, bytes);

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
	explicit_bzero(bytes, sizeof(bytes));
}

int secret_text_digest(const char *text, size_t size, char *digest)
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (EVP_Digest(text, size, hash, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	for (size_t i = 0; i < 32; i++)
		sprintf(digest + 2 * i, "%02x", hash[i]);
	return 0;
}

int secret_setup(void)
{
	char digest[SECRET_DIGEST_SIZE];

	return secret_text_digest("", 0, digest);
}

int secret_digest(const struct stn_master_key *key, char *digest)
{
	unsigned char bytes[sizeof(key->key) + sizeof(key->salt)];
	size_t size = gather(key, bytes);
	int rc = secret_text_digest((const char *)bytes, size, digest);

	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

bool secret_equal(const void *a, const void *b, size_t size)
{
	const volatile unsigned char *one = a, *other = b;
	unsigned char difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= one[i] ^ other[i];
	return difference == 0;
}

void secret_base64(const unsigned char *bytes, size_t size, char *text)
{
	EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
}

void secret_base64url(const unsigned char *bytes, size_t size, char *text)
{
	unsigned char block[SECRET_TEXT_SIZE + 4];
	int length = EVP_EncodeBlock(block, bytes, (int)size);

	while (length > 0 && block[length - 1] == '=')
		length--;
	for (int i = 0; i < length; i++)
		text[i] = (char)(block[i] == '+' ? '-' : block[i] == '/' ? '_' : block[i]);
	text[length] = '\0';
	explicit_bzero(block, sizeof(block));
}

static void append_key(struct writer *out, const struct stn_master_key *key)
{
	char text[SECRET_TEXT_SIZE];

	if (key == NULL || key->suite == STN_SUITE_NONE) {
		writer_append(out, "null", 4);
		return;
	}
	secret_text(key, text);
	writer_append(out, "\"", 1);
	writer_append(out, text, strlen(text));
	writer_append(out, "\"", 1);
	explicit_bzero(text, sizeof(text));
}

static void append_text(struct writer *out, const char *text)
{
	writer_append(out, text, strlen(text));
}

/* A secret, or the address of its room's page with it. Nothing of either needs an escape. A
 * fragment is never sent to a server, so it gets into no log on its way. */
static void append_link(const struct registry *registry, const struct room *room, const char *name,
	const char *secret, struct writer *out)
{
	const char *url = registry->limits.public_url;

	if (secret[0] == '\0' || (name != NULL && url == NULL)) {
		append_text(out, "null");
		return;
	}
	append_text(out, "\"");
	if (name != NULL) {
		append_text(out, url);
		append_text(out, "/room/");
		append_text(out, room->name.text);
		append_text(out, "#");
		append_text(out, name);
		append_text(out, "=");
	}
	append_text(out, secret);
	append_text(out, "\"");
}

static void append_token(
	const struct registry *registry, const struct member *member, char kind, struct writer *out)
{
	bool known = member != NULL && member->token != NULL;

	append_link(registry, known ? member->room : NULL, kind == SECRET_MARK_URL ? "token" : NULL,
		known ? member->token->text : "", out);
}

static void append_share(
	const struct registry *registry, uint64_t id, char kind, struct writer *out)
{
	const struct share *share = roster_find(&registry->share_roster, id);

	append_link(registry, share == NULL ? NULL : registry_room_by_id(registry, share->room_id),
		kind == SECRET_MARK_SHARE_URL ? "share" : NULL, share == NULL ? "" : share->code,
		out);
}

static void append_mark(
	const struct registry *registry, bool programmed, const char *mark, struct writer *out)
{
	char digits[17];
	uint64_t id;
	struct member *member;
	struct room *room;

	memcpy(digits, mark + 2, 16);
	digits[16] = '\0';
	id = strtoull(digits, NULL, 16);
	switch (mark[1]) {
	case SECRET_MARK_TX:
	case SECRET_MARK_RX:
		member = registry_member_by_id(registry, id);
		if (member == NULL || !member->keys_known)
			append_key(out, NULL);
		else
			append_key(
				out, mark[1] == SECRET_MARK_TX ? &member->put.tx : &member->put.rx);
		break;
	case SECRET_MARK_TOKEN:
	case SECRET_MARK_URL:
		append_token(registry, registry_member_by_id(registry, id), mark[1], out);
		break;
	case SECRET_MARK_SHARE:
	case SECRET_MARK_SHARE_URL:
		append_share(registry, id, mark[1], out);
		break;
	case SECRET_MARK_GROUP:
		room = registry_room_by_id(registry, id);
		append_key(
			out, room == NULL || !room->group_key_known ? NULL : &room->put.group_key);
		break;
	default:
		writer_append(out, programmed ? "true" : "false", programmed ? 4 : 5);
		break;
	}
}

void secret_expand(const struct registry *registry, bool programmed, const char *text, size_t size,
	struct writer *out)
{
	const char *end = text + size;

	while (text < end) {
		const char *mark = memchr(text, WRITER_MARK, (size_t)(end - text));

		if (mark == NULL || end - mark < WRITER_MARK_SIZE) {
			writer_append(out, text, (size_t)(end - text));
			return;
		}
		writer_append(out, text, (size_t)(mark - text));
		append_mark(registry, programmed, mark, out);
		text = mark + WRITER_MARK_SIZE;
	}
}
