/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The certificate of our side of DTLS: self-signed ECDSA P-256 (RFC 8827 section 6.5), made at the
 * first start and kept with its key in one PEM file, so that the two always belong together.
 * Clients know it by its fingerprint only, so a new one may replace it at any time; who uses the
 * old one holds it. Made and opened on the loop's thread; immutable afterwards; holders count.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_CERTIFICATE_H
#define STENTOR_CONTROLPLANE_WEBRTC_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#define CERTIFICATE_FINGERPRINT_SIZE 32
#define CERTIFICATE_FINGERPRINT_TEXT (3 * CERTIFICATE_FINGERPRINT_SIZE) /* with NUL */
#define CERTIFICATE_FILE "dtls.pem"

struct certificate {
	X509 *x509;
	EVP_PKEY *key;
	int64_t begin_s; /* validity, Unix seconds */
	int64_t end_s;
	unsigned int holders;
	uint8_t fingerprint[CERTIFICATE_FINGERPRINT_SIZE]; /* SHA-256 of the DER form */
};

/* In memory only. 0, or -ENOMEM. */
int certificate_make(struct certificate **certificate, unsigned int days, int64_t now_s);

/*
 * The one in `folder`, or a new one stored there: if there is none, or if certificate_due() says
 * so. A file that is not a key with its certificate, or that others may read, is set aside under
 * another name, never overwritten. 0 or negative errno, with the reason logged.
 */
int certificate_open(
	struct certificate **certificate, const char *folder, unsigned int days, int64_t now_s);

/* True in the last quarter of its life: time for another one. */
bool certificate_due(const struct certificate *certificate, int64_t now_s);

struct certificate *certificate_hold(struct certificate *certificate);
/* The last holder's frees it. Accepts NULL. */
void certificate_release(struct certificate *certificate);

/* "AB:CD:...", as in a=fingerprint:sha-256. */
void certificate_fingerprint_text(const uint8_t fingerprint[CERTIFICATE_FINGERPRINT_SIZE],
	char text[CERTIFICATE_FINGERPRINT_TEXT]);

#endif
