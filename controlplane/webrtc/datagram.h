/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A BIO that keeps datagram boundaries, which OpenSSL's memory BIOs do not (TRAPS 33): one datagram
 * can be read from it, each write is one datagram, and it answers what DTLS asks about the path. It
 * is used by one SSL object, on the thread of its handshake.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_DATAGRAM_H
#define STENTOR_CONTROLPLANE_WEBRTC_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>

struct datagram {
	const uint8_t *bytes; /* the caller's; read once, then size is 0 */
	size_t size;
	/* False: it was refused, which is the end of the connection. */
	bool (*write)(void *context, const uint8_t *bytes, size_t size);
	void *context;
	size_t write_size_max;
};

/* NULL: no memory. The datagram must outlive the BIO. */
BIO *datagram_bio(struct datagram *datagram);

#endif
