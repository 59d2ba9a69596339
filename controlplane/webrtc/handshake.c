/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "controlplane/webrtc/certificate.h"
#include "controlplane/webrtc/datagram.h"
#include "controlplane/webrtc/handshake.h"

/* Nonces and alerts of what stays behind are written by association.c, which knows AES-GCM. */
#define CIPHERS "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
#define GROUPS "X25519:P-256"
/* In our order of preference, which OpenSSL follows, whatever the client's is (TRAPS 10). */
#define PROFILES "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80"
#define SIGNATURES "ECDSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA256:RSA+SHA256"
#define CERTIFICATES_SIZE_MAX 8192
#define KEY_BITS_MAX 4096 /* what a check of the client's signature may cost */

#define EXPORT_LABEL "EXTRACTOR-dtls_srtp" /* RFC 5764 section 4.2 */
#define KEY_MAX 32
#define SALT_MAX 14

/* We may answer with so much, and beyond it with as many bytes as came. */
#define BYTES_OUT_FREE 16384

/* OpenSSL's own timer runs on the wall clock, which may jump; flights are repeated from here. */
#define TIMER_NEVER_US 3600000000u

struct handshake {
	SSL *ssl;
	struct handshake_sink sink;
	struct datagram in; /* the one in this drive */
	uint8_t fingerprint[DTLS_FINGERPRINT_SIZE];
	bool fingerprint_equal;
	enum handshake_state state;
	struct handshake_result result;
	uint64_t timeout_at_ns;
	uint64_t repeat_at_ns; /* UINT64_MAX: nothing to repeat */
	uint64_t repeat_after_ns;
	uint64_t sent_ns;
	uint64_t plain_sequence; /* next of epoch 0, over all repetitions */
	size_t bytes_in, bytes_out;
	unsigned int datagrams_in;
	bool flight_ended; /* the next byte out belongs to another flight */
	unsigned int flight_count;
	uint16_t flight_size[HANDSHAKE_FLIGHT_DATAGRAMS_MAX];
	size_t flight_bytes;
	uint8_t flight[HANDSHAKE_FLIGHT_MAX];
};

static enum handshake_state fail(
	struct handshake *handshake, enum dtls_failure failure, const char *reason)
{
	handshake->state = HANDSHAKE_FAILED;
	handshake->result.failure = failure;
	handshake->result.reason = reason;
	handshake->repeat_at_ns = UINT64_MAX;
	return HANDSHAKE_FAILED;
}

/* The chain says nothing: who the client is says its fingerprint, in the SDP (RFC 8827). */
static int verify(X509_STORE_CTX *store, void *unused)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct handshake *handshake = SSL_get_app_data(ssl);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int size = 0;

	if (leaf != NULL && X509_digest(leaf, EVP_sha256(), digest, &size) == 1 &&
		size == DTLS_FINGERPRINT_SIZE &&
		CRYPTO_memcmp(digest, handshake->fingerprint, size) == 0) {
		EVP_PKEY *key = X509_get0_pubkey(leaf);

		if (key != NULL && EVP_PKEY_get_bits(key) <= KEY_BITS_MAX) {
			handshake->fingerprint_equal = true;
			return 1;
		}
		handshake->result.failure = DTLS_FAILURE_PROTOCOL;
		handshake->result.reason = "the certificate's key is of no use";
	} else {
		handshake->result.failure = DTLS_FAILURE_FINGERPRINT;
		handshake->result.reason = "the certificate is not the one of the SDP";
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* Called between ClientHello and ServerHello: the first place where the profile is known. */
static int check_profile(SSL *ssl, void *unused)
{
	struct handshake *handshake = SSL_get_app_data(ssl);

	if (SSL_get_selected_srtp_profile(ssl) != NULL)
		return 1;
	handshake->result.failure = DTLS_FAILURE_NO_PROFILE;
	handshake->result.reason = "no SRTP protection profile in common";
	return 0;
}

SSL_CTX *handshake_context(const struct certificate *certificate)
{
	SSL_CTX *context = SSL_CTX_new(DTLS_server_method());

	if (context == NULL)
		return NULL;
	SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(context, CERTIFICATES_SIZE_MAX);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(context, verify, NULL);
	SSL_CTX_set_cert_cb(context, check_profile, NULL);
	/* SSL_CTX_set_tlsext_use_srtp() alone has 0 for success. */
	if (SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
		SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) == 1 &&
		SSL_CTX_set_cipher_list(context, CIPHERS) == 1 &&
		SSL_CTX_set1_groups_list(context, GROUPS) == 1 &&
		SSL_CTX_set1_client_sigalgs_list(context, SIGNATURES) == 1 &&
		SSL_CTX_set_tlsext_use_srtp(context, PROFILES) == 0 &&
		SSL_CTX_use_certificate(context, certificate->x509) == 1 &&
		SSL_CTX_use_PrivateKey(context, certificate->key) == 1)
		return context;
	SSL_CTX_free(context);
	ERR_clear_error();
	return NULL;
}

/* Numbers of epoch 0 are ours, so that a repetition does not look like a replay. */
static void number(struct handshake *handshake, uint8_t *bytes, size_t size)
{
	const uint8_t *at = bytes;
	struct record record;

	while (record_next(&at, bytes + size, &record)) {
		if (record.epoch == 0)
			record_number(
				bytes + (record.start - bytes), 0, handshake->plain_sequence++);
	}
}

static bool may_send(const struct handshake *handshake, size_t size)
{
	return handshake->bytes_out + size <= BYTES_OUT_FREE + handshake->bytes_in;
}

static void send_datagram(struct handshake *handshake, const uint8_t *bytes, size_t size)
{
	handshake->bytes_out += size;
	handshake->sink.send(handshake->sink.context, bytes, size);
}

/* A datagram that OpenSSL writes. */
static bool write_datagram(void *context, const uint8_t *bytes, size_t size)
{
	struct handshake *handshake = context;
	uint8_t *kept;

	if (handshake->flight_ended) {
		handshake->flight_ended = false;
		handshake->flight_count = 0;
		handshake->flight_bytes = 0;
	}
	if (handshake->flight_count == HANDSHAKE_FLIGHT_DATAGRAMS_MAX ||
		size > sizeof(handshake->flight) - handshake->flight_bytes ||
		!may_send(handshake, size)) {
		handshake->result.failure = DTLS_FAILURE_BUDGET;
		handshake->result.reason = "more to send than allowed";
		return false;
	}
	kept = handshake->flight + handshake->flight_bytes;
	memcpy(kept, bytes, size);
	handshake->flight_size[handshake->flight_count++] = (uint16_t)size;
	handshake->flight_bytes += size;
	number(handshake, kept, size);
	send_datagram(handshake, kept, size);
	return true;
}

static unsigned int never(SSL *ssl, unsigned int before_us)
{
	return TIMER_NEVER_US;
}

int handshake_open(struct handshake **out, SSL_CTX *context,
	const uint8_t fingerprint[DTLS_FINGERPRINT_SIZE], const struct handshake_sink *sink,
	uint64_t timeout_at_ns)
{
	struct handshake *handshake = calloc(1, sizeof(*handshake));
	BIO *bio;

	if (handshake == NULL)
		return -ENOMEM;
	handshake->ssl = SSL_new(context);
	handshake->in = (struct datagram){.write = write_datagram,
		.context = handshake,
		.write_size_max = HANDSHAKE_DATAGRAM_OUT_MAX};
	bio = handshake->ssl == NULL ? NULL : datagram_bio(&handshake->in);
	if (bio == NULL) {
		SSL_free(handshake->ssl);
		free(handshake);
		ERR_clear_error();
		return -ENOMEM;
	}
	SSL_set_bio(handshake->ssl, bio, bio);
	SSL_set_app_data(handshake->ssl, handshake);
	SSL_set_mtu(handshake->ssl, HANDSHAKE_DATAGRAM_OUT_MAX);
	DTLS_set_timer_cb(handshake->ssl, never);
	SSL_set_accept_state(handshake->ssl);
	memcpy(handshake->fingerprint, fingerprint, DTLS_FINGERPRINT_SIZE);
	handshake->sink = *sink;
	handshake->timeout_at_ns = timeout_at_ns;
	handshake->repeat_at_ns = UINT64_MAX;
	*out = handshake;
	return 0;
}

void handshake_close(struct handshake *handshake)
{
	if (handshake == NULL)
		return;
	SSL_free(handshake->ssl);
	explicit_bzero(handshake, sizeof(*handshake));
	free(handshake);
}

static unsigned int suite_of(const SRTP_PROTECTION_PROFILE *profile)
{
	switch (profile == NULL ? 0 : profile->id) {
	case SRTP_AEAD_AES_128_GCM:
		return STN_SUITE_AEAD_AES_128_GCM;
	case SRTP_AEAD_AES_256_GCM:
		return STN_SUITE_AEAD_AES_256_GCM;
	case SRTP_AES128_CM_SHA1_80:
		return STN_SUITE_AES128_CM_HMAC_SHA1_80;
	default:
		return STN_SUITE_NONE;
	}
}

/* RFC 5764 section 4.2: client key, server key, client salt, server salt. */
static bool export_keys(SSL *ssl, struct dtls_keys *keys)
{
	unsigned int suite = suite_of(SSL_get_selected_srtp_profile(ssl));
	size_t key = suite == STN_SUITE_AEAD_AES_256_GCM ? 32 : 16;
	size_t salt = suite == STN_SUITE_AES128_CM_HMAC_SHA1_80 ? 14 : 12;
	uint8_t bytes[2 * (KEY_MAX + SALT_MAX)];

	if (suite == STN_SUITE_NONE ||
		SSL_export_keying_material(ssl, bytes, 2 * (key + salt), EXPORT_LABEL,
			sizeof(EXPORT_LABEL) - 1, NULL, 0, 0) != 1)
		return false;
	memset(keys, 0, sizeof(*keys));
	keys->rx.suite = keys->tx.suite = (uint8_t)suite;
	memcpy(keys->rx.key, bytes, key);
	memcpy(keys->tx.key, bytes + key, key);
	memcpy(keys->rx.salt, bytes + 2 * key, salt);
	memcpy(keys->tx.salt, bytes + 2 * key + salt, salt);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return true;
}

/* The record of epoch 1 in the last flight: our Finished, the only one there can be. */
static bool find_finished(const struct handshake *handshake, struct record *record)
{
	const uint8_t *at = handshake->flight;

	while (record_next(&at, handshake->flight + handshake->flight_bytes, record)) {
		if (record->epoch == 1 && record->type == RECORD_HANDSHAKE)
			return true;
	}
	return false;
}

static enum handshake_state complete(struct handshake *handshake)
{
	struct handshake_result *result = &handshake->result;
	struct record finished;

	/* Belt and braces: OpenSSL would not be here without all of that. */
	if (!handshake->fingerprint_equal)
		return fail(handshake, DTLS_FAILURE_NO_CERTIFICATE, "no certificate was seen");
	if (SSL_version(handshake->ssl) != DTLS1_2_VERSION || SSL_session_reused(handshake->ssl))
		return fail(handshake, DTLS_FAILURE_PROTOCOL, "not a fresh DTLS 1.2 connection");
	if (!export_keys(handshake->ssl, &result->keys))
		return fail(handshake, DTLS_FAILURE_NO_PROFILE, "no keys for SRTP");
	if (!find_finished(handshake, &finished) ||
		association_open(&result->association, handshake->ssl, &finished,
			handshake->plain_sequence) != 0)
		return fail(handshake, DTLS_FAILURE_PROTOCOL, "the record keys are not known");
	handshake->state = HANDSHAKE_CONNECTED;
	handshake->repeat_at_ns = UINT64_MAX;
	return HANDSHAKE_CONNECTED;
}

static enum handshake_state explain(struct handshake *handshake)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);

	/* The callbacks know better than OpenSSL why they refused. */
	if (handshake->result.failure != 0)
		return fail(handshake, handshake->result.failure, handshake->result.reason);
	if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
		ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		return fail(handshake, DTLS_FAILURE_NO_CERTIFICATE, reason);
	return fail(handshake, DTLS_FAILURE_PROTOCOL, reason == NULL ? "unknown" : reason);
}

static enum handshake_state drive(struct handshake *handshake)
{
	int rc, error;

	ERR_clear_error();
	rc = SSL_do_handshake(handshake->ssl);
	if (rc == 1)
		return complete(handshake);
	error = SSL_get_error(handshake->ssl, rc);
	if (error == SSL_ERROR_WANT_READ && handshake->result.failure == 0)
		return HANDSHAKE_RUNNING;
	explain(handshake);
	ERR_clear_error();
	return HANDSHAKE_FAILED;
}

static void send_flight_again(struct handshake *handshake, uint64_t now_ns)
{
	uint8_t *bytes = handshake->flight;

	if (!may_send(handshake, handshake->flight_bytes))
		return;
	for (unsigned int i = 0; i < handshake->flight_count; i++) {
		number(handshake, bytes, handshake->flight_size[i]);
		send_datagram(handshake, bytes, handshake->flight_size[i]);
		bytes += handshake->flight_size[i];
	}
	handshake->sent_ns = now_ns;
}

enum handshake_state handshake_receive(
	struct handshake *handshake, const uint8_t *bytes, size_t size, uint64_t now_ns)
{
	if (handshake->state != HANDSHAKE_RUNNING)
		return handshake->state;
	handshake->bytes_in += size;
	if (++handshake->datagrams_in > HANDSHAKE_DATAGRAMS_IN_MAX ||
		handshake->bytes_in > HANDSHAKE_BYTES_IN_MAX)
		return fail(handshake, DTLS_FAILURE_BUDGET, "more received than allowed");
	handshake->in.bytes = bytes;
	handshake->in.size = size;
	handshake->flight_ended = true;
	drive(handshake);
	handshake->in.size = 0;
	if (handshake->state != HANDSHAKE_RUNNING)
		return handshake->state;
	if (!handshake->flight_ended) {
		handshake->repeat_after_ns = HANDSHAKE_RETRANSMIT_FIRST_NS;
		handshake->repeat_at_ns = now_ns + handshake->repeat_after_ns;
		handshake->sent_ns = now_ns;
	} else if (handshake->flight_count > 0 && record_has_hello_start(bytes, size) &&
		   now_ns - handshake->sent_ns >= HANDSHAKE_REPEAT_NS) {
		/* It asks again (RFC 6347 section 4.2.4): our answer was lost, or is under way. */
		send_flight_again(handshake, now_ns);
	}
	return HANDSHAKE_RUNNING;
}

enum handshake_state handshake_tick(struct handshake *handshake, uint64_t now_ns)
{
	if (handshake->state != HANDSHAKE_RUNNING)
		return handshake->state;
	if (now_ns >= handshake->timeout_at_ns)
		return fail(handshake, DTLS_FAILURE_TIMEOUT, "not complete in time");
	if (now_ns >= handshake->repeat_at_ns) {
		send_flight_again(handshake, now_ns);
		handshake->repeat_after_ns *= 2;
		handshake->repeat_at_ns = now_ns + handshake->repeat_after_ns;
	}
	return HANDSHAKE_RUNNING;
}

uint64_t handshake_deadline_ns(const struct handshake *handshake)
{
	if (handshake->state != HANDSHAKE_RUNNING)
		return UINT64_MAX;
	return handshake->repeat_at_ns < handshake->timeout_at_ns ? handshake->repeat_at_ns
								  : handshake->timeout_at_ns;
}

void handshake_take(struct handshake *handshake, struct handshake_result *result)
{
	*result = handshake->result;
	explicit_bzero(&handshake->result, sizeof(handshake->result));
}
