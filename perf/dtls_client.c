// SPDX-License-Identifier: BSD-3-Clause
#include "perf/dtls_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define HASTY_US 50000
#define MTU 1200
#define LIFETIME_S (30 * 24 * 3600L)
#define PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"
#define LABEL "EXTRACTOR-dtls_srtp"

/* A datagram in at a time, one out a write: what memory BIOs do not keep. */
static int read_datagram(BIO *bio, char *out, int size)
{
	struct dtls_client *client = BIO_get_data(bio);
	size_t taken = client->in_size < (size_t)size ? client->in_size : (size_t)size;

	BIO_clear_retry_flags(bio);
	if (client->in_size == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(out, client->in, taken);
	client->in_size = 0;
	return (int)taken;
}

static int write_datagram(BIO *bio, const char *bytes, int size)
{
	struct dtls_client *client = BIO_get_data(bio);

	client->send(client->context, (const uint8_t *)bytes, (size_t)size);
	return size;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return MTU;
	default:
		return 0;
	}
}

static int create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

/* Made once, kept for good: OpenSSL counts its types. */
static BIO_METHOD *datagram_method(void)
{
	static BIO_METHOD *method;

	if (method != NULL)
		return method;
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "one datagram");
	if (method != NULL) {
		BIO_meth_set_read(method, read_datagram);
		BIO_meth_set_write(method, write_datagram);
		BIO_meth_set_ctrl(method, control);
		BIO_meth_set_create(method, create);
	}
	return method;
}

/* The relay's certificate is judged by its fingerprint, when the handshake is complete. */
static int accept_any(int valid, X509_STORE_CTX *store)
{
	(void)valid;
	(void)store;
	return 1;
}

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	X509_NAME *name = x509 != NULL ? X509_get_subject_name(x509) : NULL;

	if (name != NULL && ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
		X509_gmtime_adj(X509_getm_notBefore(x509), -3600) != NULL &&
		X509_gmtime_adj(X509_getm_notAfter(x509), LIFETIME_S) != NULL &&
		X509_set_pubkey(x509, key) == 1 &&
		X509_NAME_add_entry_by_txt(
			name, "CN", MBSTRING_ASC, (const uint8_t *)"WebRTC", -1, -1, 0) == 1 &&
		X509_set_issuer_name(x509, name) == 1 && X509_sign(x509, key, EVP_sha256()) > 0)
		return x509;
	X509_free(x509);
	return NULL;
}

static bool digest_of(const X509 *x509, uint8_t out[DTLS_DIGEST_SIZE])
{
	unsigned int size = DTLS_DIGEST_SIZE;

	return x509 != NULL && X509_digest(x509, EVP_sha256(), out, &size) == 1;
}

static bool fill_context(struct dtls_identity *identity, EVP_PKEY *key, X509 *x509)
{
	uint8_t digest[DTLS_DIGEST_SIZE];

	if (key == NULL || identity->context == NULL || !digest_of(x509, digest))
		return false;
	for (unsigned int i = 0; i < DTLS_DIGEST_SIZE; i++)
		snprintf(identity->fingerprint + 3 * i, 4,
			i + 1 < DTLS_DIGEST_SIZE ? "%02X:" : "%02X", digest[i]);
	SSL_CTX_set_options(identity->context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(identity->context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(identity->context, SSL_VERIFY_PEER, accept_any);
	/* SSL_CTX_set_tlsext_use_srtp() alone has 0 for success. */
	return SSL_CTX_set_min_proto_version(identity->context, DTLS1_2_VERSION) == 1 &&
	       SSL_CTX_use_certificate(identity->context, x509) == 1 &&
	       SSL_CTX_use_PrivateKey(identity->context, key) == 1 &&
	       SSL_CTX_set_tlsext_use_srtp(identity->context, PROFILES) == 0;
}

int dtls_identity_open(struct dtls_identity *identity)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = key != NULL ? make_certificate(key) : NULL;
	bool good;

	identity->context = SSL_CTX_new(DTLS_client_method());
	good = fill_context(identity, key, x509);
	X509_free(x509);
	EVP_PKEY_free(key);
	if (good)
		return 0;
	ERR_print_errors_fp(stderr);
	dtls_identity_close(identity);
	return -EIO;
}

void dtls_identity_close(struct dtls_identity *identity)
{
	SSL_CTX_free(identity->context);
	identity->context = NULL;
}

/* Twice as long each time; OpenSSL asks with 0 for the first. */
static unsigned int hasty_timer(SSL *ssl, unsigned int timer_us)
{
	(void)ssl;
	return timer_us == 0 ? HASTY_US : 2 * timer_us;
}

int dtls_client_open(struct dtls_client *client, const struct dtls_identity *identity,
	void (*send)(void *context, const uint8_t *bytes, size_t size), void *context)
{
	BIO *bio = datagram_method() != NULL ? BIO_new(datagram_method()) : NULL;

	*client = (struct dtls_client){.send = send, .context = context};
	client->ssl = bio != NULL ? SSL_new(identity->context) : NULL;
	if (client->ssl == NULL) {
		BIO_free(bio);
		ERR_clear_error();
		return -ENOMEM;
	}
	BIO_set_data(bio, client);
	SSL_set_bio(client->ssl, bio, bio);
	SSL_set_mtu(client->ssl, MTU);
	SSL_set_connect_state(client->ssl);
	if (identity->hasty)
		DTLS_set_timer_cb(client->ssl, hasty_timer);
	return 0;
}

void dtls_client_close(struct dtls_client *client)
{
	SSL_free(client->ssl);
	client->ssl = NULL;
}

int dtls_client_drive(struct dtls_client *client, const uint8_t *bytes, size_t size)
{
	int result, error;

	client->in = bytes;
	client->in_size = size;
	if (client->done) {
		uint8_t nothing[16];

		/* A flight that is sent again is answered in here. */
		(void)SSL_read(client->ssl, nothing, sizeof(nothing));
		ERR_clear_error();
		return 1;
	}
	result = SSL_do_handshake(client->ssl);
	client->in_size = 0;
	if (result == 1) {
		client->done = true;
		return 1;
	}
	error = SSL_get_error(client->ssl, result);
	ERR_clear_error();
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -EPROTO;
}

int dtls_client_tick(struct dtls_client *client)
{
	int result;

	if (client->done)
		return 1;
	result = (int)DTLSv1_handle_timeout(client->ssl);
	ERR_clear_error();
	return result < 0 ? -EPROTO : 0;
}

static bool find_suite(const struct dtls_client *client, enum media_suite *suite)
{
	const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(client->ssl);
	static const struct {
		unsigned long id;
		enum media_suite suite;
	} table[] = {
		{SRTP_AEAD_AES_128_GCM, MEDIA_SUITE_GCM128},
		{SRTP_AEAD_AES_256_GCM, MEDIA_SUITE_GCM256},
		{SRTP_AES128_CM_SHA1_80, MEDIA_SUITE_CM80},
	};

	for (size_t i = 0; profile != NULL && i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].id == profile->id) {
			*suite = table[i].suite;
			return true;
		}
	}
	return false;
}

/* RFC 5764 section 4.2: both keys, then both salts, the client's first. */
static void cut_key(
	struct media_key *key, enum media_suite suite, const uint8_t *material, unsigned int which)
{
	unsigned int salt_size = suite == MEDIA_SUITE_CM80 ? 14 : 12;
	unsigned int key_size = media_suite_key_size(suite) - salt_size;

	*key = (struct media_key){.suite = suite, .size = key_size + salt_size};
	memcpy(key->bytes, material + which * key_size, key_size);
	memcpy(key->bytes + key_size, material + 2 * key_size + which * salt_size, salt_size);
}

int dtls_client_read_keys(
	const struct dtls_client *client, struct media_key *tx, struct media_key *rx)
{
	uint8_t material[2 * MEDIA_KEY_MAX];
	enum media_suite suite;

	if (!client->done || !find_suite(client, &suite) ||
		SSL_export_keying_material(client->ssl, material, 2 * media_suite_key_size(suite),
			LABEL, strlen(LABEL), NULL, 0, 0) != 1)
		return -EPROTO;
	cut_key(tx, suite, material, 0);
	cut_key(rx, suite, material, 1);
	return 0;
}

bool dtls_client_read_digest(const struct dtls_client *client, uint8_t digest[DTLS_DIGEST_SIZE])
{
	X509 *peer = SSL_get1_peer_certificate(client->ssl);
	bool found = digest_of(peer, digest);

	X509_free(peer);
	return found;
}
