/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include "tests/support/dtls_peer.h"

#define UNKNOWN_EXTENSION 0xfafa /* as GREASE has it, RFC 8701 */

static void require(int holds)
{
	if (holds)
		return;
	ERR_print_errors_fp(stderr);
	abort();
}

static int add_padding(SSL *ssl, unsigned int type, unsigned int context, const unsigned char **out,
	size_t *size, X509 *x509, size_t chain, int *alert, void *argument)
{
	const struct dtls_peer_facts *facts = argument;

	*size = facts->hello_size;
	*out = calloc(1, facts->hello_size);
	return *out != NULL;
}

static void free_padding(
	SSL *ssl, unsigned int type, unsigned int context, const unsigned char *out, void *argument)
{
	free((void *)out);
}

static bool write_datagram(void *context, const uint8_t *bytes, size_t size)
{
	struct dtls_peer *peer = context;

	peer->facts.send(peer->facts.context, bytes, size);
	return true;
}

static int accept_server(X509_STORE_CTX *store, void *unused)
{
	return 1;
}

/* OpenSSL compares only the public halves. */
EVP_PKEY *dtls_peer_forge_key(const EVP_PKEY *victim)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *own = EVP_EC_gen("P-256"), *forged = NULL;
	unsigned char public[128];
	OSSL_PARAM *parameters;
	BIGNUM *private = NULL;
	size_t size;

	require(EVP_PKEY_get_octet_string_param(
			victim, OSSL_PKEY_PARAM_PUB_KEY, public, sizeof(public), &size) == 1);
	require(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_PRIV_KEY, &private) == 1);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, public, size);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, private);
	parameters = OSSL_PARAM_BLD_to_param(build);
	require(EVP_PKEY_fromdata_init(context) == 1);
	require(EVP_PKEY_fromdata(context, &forged, EVP_PKEY_KEYPAIR, parameters) == 1);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(own);
	BN_free(private);
	return forged;
}

static void use_certificate(SSL *ssl, const struct dtls_peer_facts *facts)
{
	EVP_PKEY *key;

	if (facts->certificate == NULL)
		return;
	key = facts->certificate->key;
	if (facts->stolen)
		key = dtls_peer_forge_key(key);
	require(SSL_use_certificate(ssl, facts->certificate->x509) == 1);
	require(SSL_use_PrivateKey(ssl, key) == 1);
	if (facts->stolen)
		EVP_PKEY_free(key);
}

void dtls_peer_open(struct dtls_peer *peer, const struct dtls_peer_facts *facts)
{
	size_t mtu = facts->mtu == 0 ? 1200 : facts->mtu;
	const char *profiles = facts->profiles == NULL ? DTLS_PEER_PROFILES : facts->profiles;
	BIO *bio;

	*peer = (struct dtls_peer){.facts = *facts};
	peer->ssl_context = SSL_CTX_new(DTLS_client_method());
	require(peer->ssl_context != NULL);
	SSL_CTX_set_verify(peer->ssl_context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(peer->ssl_context, accept_server, NULL);
	SSL_CTX_set_options(peer->ssl_context, SSL_OP_NO_QUERY_MTU);
	if (profiles[0] != '\0')
		require(SSL_CTX_set_tlsext_use_srtp(peer->ssl_context, profiles) == 0);
	if (facts->ciphers != NULL)
		require(SSL_CTX_set_cipher_list(peer->ssl_context, facts->ciphers) == 1);
	if (facts->hello_size > 0)
		require(SSL_CTX_add_custom_ext(peer->ssl_context, UNKNOWN_EXTENSION,
				SSL_EXT_CLIENT_HELLO, add_padding, free_padding, &peer->facts, NULL,
				NULL) == 1);
	peer->ssl = SSL_new(peer->ssl_context);
	require(peer->ssl != NULL);
	use_certificate(peer->ssl, facts);
	peer->in =
		(struct datagram){.write = write_datagram, .context = peer, .write_size_max = mtu};
	bio = datagram_bio(&peer->in);
	require(bio != NULL);
	SSL_set_bio(peer->ssl, bio, bio);
	SSL_set_mtu(peer->ssl, (long)mtu);
	SSL_set_connect_state(peer->ssl);
}

void dtls_peer_close(struct dtls_peer *peer)
{
	SSL_free(peer->ssl);
	SSL_CTX_free(peer->ssl_context);
	*peer = (struct dtls_peer){0};
}

static void drive(struct dtls_peer *peer)
{
	uint8_t byte;
	int rc, error;

	if (peer->failed)
		return;
	ERR_clear_error();
	rc = peer->connected ? SSL_read(peer->ssl, &byte, 1) : SSL_do_handshake(peer->ssl);
	if (SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN)
		peer->closed = true;
	if (rc == 1) {
		peer->connected = true;
		return;
	}
	error = SSL_get_error(peer->ssl, rc);
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN)
		peer->failed = true;
}

void dtls_peer_start(struct dtls_peer *peer)
{
	drive(peer);
}

void dtls_peer_receive(struct dtls_peer *peer, const uint8_t *bytes, size_t size)
{
	peer->in.bytes = bytes;
	peer->in.size = size;
	drive(peer);
	peer->in.size = 0;
}

void dtls_peer_tick(struct dtls_peer *peer)
{
	if (!peer->failed && DTLSv1_handle_timeout(peer->ssl) < 0)
		peer->failed = true;
}

void dtls_peer_keys(struct dtls_peer *peer, struct dtls_keys *keys)
{
	static const struct {
		unsigned int suite, key, salt;
	} facts[] = {[SRTP_AEAD_AES_128_GCM] = {STN_SUITE_AEAD_AES_128_GCM, 16, 12},
		[SRTP_AEAD_AES_256_GCM] = {STN_SUITE_AEAD_AES_256_GCM, 32, 12},
		[SRTP_AES128_CM_SHA1_80] = {STN_SUITE_AES128_CM_HMAC_SHA1_80, 16, 14}};
	SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(peer->ssl);
	unsigned int key, salt;
	uint8_t bytes[2 * (32 + 14)];

	require(profile != NULL);
	key = facts[profile->id].key;
	salt = facts[profile->id].salt;
	require(SSL_export_keying_material(peer->ssl, bytes, 2 * (key + salt),
			"EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) == 1);
	memset(keys, 0, sizeof(*keys));
	keys->rx.suite = keys->tx.suite = (uint8_t)facts[profile->id].suite;
	memcpy(keys->rx.key, bytes, key); /* the client's: what the relay receives with */
	memcpy(keys->tx.key, bytes + key, key);
	memcpy(keys->rx.salt, bytes + 2 * key, salt);
	memcpy(keys->tx.salt, bytes + 2 * key + salt, salt);
}
