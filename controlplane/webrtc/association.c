/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>

#include "controlplane/webrtc/association.h"

#define MASTER_SIZE 48
#define RANDOM_SIZE 32
#define LABEL "key expansion"
#define LABEL_SIZE (sizeof(LABEL) - 1)
#define BLOCK_SIZE (2 * ASSOCIATION_KEY_MAX + 8)
#define NONCE_SIZE 12
#define AAD_SIZE 13
#define OVERHEAD (ASSOCIATION_NONCE_SIZE + ASSOCIATION_TAG_SIZE)
#define WINDOW_BITS 64
#define ALERT_SIZE 2
#define ALERT_WARNING 1
#define ALERT_FATAL 2
#define ALERT_CLOSE_NOTIFY 0
#define EPOCH 1

static uint64_t read_nonce(const uint8_t *bytes)
{
	uint64_t nonce = 0;

	for (unsigned int i = 0; i < ASSOCIATION_NONCE_SIZE; i++)
		nonce = nonce << 8 | bytes[i];
	return nonce;
}

static const EVP_CIPHER *cipher_of(size_t key_size)
{
	return key_size == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm();
}

/* Key and label, server random, client random: RFC 5246 section 6.3. */
static bool expand(const SSL *ssl, const EVP_MD *digest, uint8_t *block, size_t size)
{
	uint8_t master[MASTER_SIZE], seed[LABEL_SIZE + 2 * RANDOM_SIZE] = LABEL;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM parameters[4];
	bool done = false;

	SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));
	SSL_get_server_random(ssl, seed + LABEL_SIZE, RANDOM_SIZE);
	SSL_get_client_random(ssl, seed + LABEL_SIZE + RANDOM_SIZE, RANDOM_SIZE);
	parameters[0] = OSSL_PARAM_construct_utf8_string(
		OSSL_KDF_PARAM_DIGEST, (char *)EVP_MD_get0_name(digest), 0);
	parameters[1] =
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof(master));
	parameters[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed));
	parameters[3] = OSSL_PARAM_construct_end();
	if (context != NULL)
		done = EVP_KDF_derive(context, block, size, parameters) == 1;
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	OPENSSL_cleanse(master, sizeof(master));
	return done;
}

/* RFC 5246 section 6.2.3.3: epoch and sequence, type, version, length of the plaintext. */
static void fill_aad(uint8_t aad[AAD_SIZE], const uint8_t *header, size_t plain_size)
{
	memcpy(aad, header + 3, 8);
	memcpy(aad + 8, header, 3);
	aad[11] = (uint8_t)(plain_size >> 8);
	aad[12] = (uint8_t)plain_size;
}

/* Decrypts into `out`, at least record->size bytes. Returns the size, or -1. */
static int unseal(const struct association_side *side, size_t key_size, const struct record *record,
	uint8_t *out)
{
	uint8_t nonce[NONCE_SIZE], aad[AAD_SIZE], tag[ASSOCIATION_TAG_SIZE];
	int size = (int)record->size - OVERHEAD, written = 0, rest = 0;
	EVP_CIPHER_CTX *context;
	bool done;

	if (size < 0)
		return -1;
	memcpy(nonce, side->salt, sizeof(side->salt));
	memcpy(nonce + sizeof(side->salt), record->payload, ASSOCIATION_NONCE_SIZE);
	memcpy(tag, record->payload + ASSOCIATION_NONCE_SIZE + size, sizeof(tag));
	fill_aad(aad, record->start, (size_t)size);
	context = EVP_CIPHER_CTX_new();
	done = context != NULL &&
	       EVP_DecryptInit_ex2(context, cipher_of(key_size), side->key, nonce, NULL) == 1 &&
	       EVP_DecryptUpdate(context, NULL, &written, aad, sizeof(aad)) == 1 &&
	       EVP_DecryptUpdate(context, out, &written, record->payload + ASSOCIATION_NONCE_SIZE,
		       size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
	       EVP_DecryptFinal_ex(context, out + written, &rest) == 1;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error();
	return done ? size : -1;
}

/* Writes a whole record of epoch 1; returns its size, 0: failed. */
static size_t seal(struct association *association, uint8_t type, const uint8_t *plain,
	size_t plain_size, uint8_t *out)
{
	uint8_t nonce[NONCE_SIZE], aad[AAD_SIZE], *payload = out + RECORD_HEADER_SIZE;
	size_t size = plain_size + OVERHEAD;
	int written = 0, rest = 0;
	EVP_CIPHER_CTX *context;
	bool done;

	out[0] = type;
	out[1] = 0xfe;
	out[2] = 0xfd;
	record_number(out, EPOCH, association->write_sequence++);
	out[11] = (uint8_t)(size >> 8);
	out[12] = (uint8_t)size;
	for (unsigned int i = 0; i < ASSOCIATION_NONCE_SIZE; i++)
		payload[i] = (uint8_t)(association->write_nonce >> (56 - 8 * i));
	association->write_nonce++;
	memcpy(nonce, association->server.salt, 4);
	memcpy(nonce + 4, payload, ASSOCIATION_NONCE_SIZE);
	fill_aad(aad, out, plain_size);
	payload += ASSOCIATION_NONCE_SIZE;
	context = EVP_CIPHER_CTX_new();
	done = context != NULL &&
	       EVP_EncryptInit_ex2(context, cipher_of(association->key_size),
		       association->server.key, nonce, NULL) == 1 &&
	       EVP_EncryptUpdate(context, NULL, &written, aad, sizeof(aad)) == 1 &&
	       EVP_EncryptUpdate(context, payload, &written, plain, (int)plain_size) == 1 &&
	       EVP_EncryptFinal_ex(context, payload + written, &rest) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, ASSOCIATION_TAG_SIZE,
		       payload + plain_size) == 1;
	EVP_CIPHER_CTX_free(context);
	ERR_clear_error();
	return done ? RECORD_HEADER_SIZE + size : 0;
}

int association_open(struct association *association, const SSL *ssl, const struct record *finished,
	uint64_t plain_sequence)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	uint8_t block[BLOCK_SIZE], plain[2 * RECORD_HEADER_SIZE + 64];
	struct association a = {.plain_sequence = plain_sequence};
	int rc = -EINVAL;

	switch (cipher == NULL ? NID_undef : SSL_CIPHER_get_cipher_nid(cipher)) {
	case NID_aes_128_gcm:
		a.key_size = 16;
		break;
	case NID_aes_256_gcm:
		a.key_size = 32;
		break;
	default:
		return -EINVAL;
	}
	if (expand(ssl, SSL_CIPHER_get_handshake_digest(cipher), block,
		    2u * a.key_size + sizeof(a.client.salt) + sizeof(a.server.salt))) {
		memcpy(a.client.key, block, a.key_size);
		memcpy(a.server.key, block + a.key_size, a.key_size);
		memcpy(a.client.salt, block + 2 * a.key_size, 4);
		memcpy(a.server.salt, block + 2 * a.key_size + 4, 4);
		/* That our own Finished opens with them shows that the keys are right. */
		if (finished->size == ASSOCIATION_FINISHED_SIZE + OVERHEAD &&
			unseal(&a.server, a.key_size, finished, plain) ==
				ASSOCIATION_FINISHED_SIZE) {
			memcpy(a.finished, plain, ASSOCIATION_FINISHED_SIZE);
			a.write_sequence = finished->sequence + 1;
			a.write_nonce = read_nonce(finished->payload) + 1;
			*association = a;
			rc = 0;
		}
	}
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(&a, sizeof(a));
	return rc;
}

void association_erase(struct association *association)
{
	explicit_bzero(association, sizeof(*association));
}

static bool is_replay(const struct association *association, uint64_t sequence)
{
	uint64_t behind = association->read_highest - sequence;

	if (association->read_window == 0 || sequence > association->read_highest)
		return false;
	return behind >= WINDOW_BITS || (association->read_window >> behind & 1) != 0;
}

static void mark_read(struct association *association, uint64_t sequence)
{
	if (association->read_window == 0 || sequence > association->read_highest) {
		uint64_t ahead = sequence - association->read_highest;

		if (association->read_window == 0 || ahead >= WINDOW_BITS)
			association->read_window = 0;
		else
			association->read_window <<= ahead;
		association->read_highest = sequence;
	}
	association->read_window |= 1ULL << (association->read_highest - sequence);
}

static enum association_verdict judge(const struct record *record, const uint8_t *plain, int size)
{
	if (record->type == RECORD_HANDSHAKE && size == ASSOCIATION_FINISHED_SIZE &&
		plain[0] == SSL3_MT_FINISHED)
		return ASSOCIATION_FINISHED;
	if (record->type != RECORD_ALERT || size != ALERT_SIZE)
		return ASSOCIATION_NOTHING;
	if (plain[0] == ALERT_FATAL ||
		(plain[0] == ALERT_WARNING && plain[1] == ALERT_CLOSE_NOTIFY))
		return ASSOCIATION_CLOSED;
	return ASSOCIATION_NOTHING;
}

enum association_verdict association_receive(
	struct association *association, const uint8_t *bytes, size_t size)
{
	enum association_verdict verdict = ASSOCIATION_NOTHING;
	uint8_t plain[RECORD_DATAGRAM_MAX];
	const uint8_t *at = bytes;
	struct record record;

	while (association->key_size != 0 && verdict != ASSOCIATION_CLOSED &&
		record_next(&at, bytes + size, &record)) {
		enum association_verdict one;
		int opened;

		if (record.epoch != EPOCH || record.size > sizeof(plain) ||
			is_replay(association, record.sequence))
			continue;
		opened = unseal(&association->client, association->key_size, &record, plain);
		if (opened < 0)
			continue;
		mark_read(association, record.sequence);
		one = judge(&record, plain, opened);
		if (one != ASSOCIATION_NOTHING)
			verdict = one;
	}
	return verdict;
}

size_t association_write_finished(struct association *association, uint8_t *out)
{
	static const uint8_t change[] = {
		RECORD_CHANGE_CIPHER_SPEC, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
	size_t size;

	memcpy(out, change, sizeof(change));
	record_number(out, 0, association->plain_sequence++);
	size = seal(association, RECORD_HANDSHAKE, association->finished, ASSOCIATION_FINISHED_SIZE,
		out + sizeof(change));
	return size == 0 ? 0 : sizeof(change) + size;
}

size_t association_write_close(struct association *association, uint8_t *out)
{
	static const uint8_t alert[ALERT_SIZE] = {ALERT_WARNING, ALERT_CLOSE_NOTIFY};

	return association->key_size == 0
		       ? 0
		       : seal(association, RECORD_ALERT, alert, sizeof(alert), out);
}
