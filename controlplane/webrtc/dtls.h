/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DTLS-SRTP handshakes (RFC 5764, 6347, 8827, 8842), always as the server, on threads of their own
 * (TRAPS 34). A leg is announced with the fingerprint of its SDP, its datagrams are given in, and
 * at the end there are keys, or a reason why not. Datagram boundaries are kept in both directions.
 *
 * Every function and every callback runs on the loop's thread. Callbacks come from dtls_process(),
 * which the loop calls when dtls_fd() is readable; only send comes from dtls_receive() and
 * dtls_forget() as well. After dtls_forget() no callback names the leg any more.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_DTLS_H
#define STENTOR_CONTROLPLANE_WEBRTC_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/table.h"

#define DTLS_FINGERPRINT_SIZE 32

struct dtls;
struct certificate; /* controlplane/webrtc/certificate.h */

enum dtls_failure {
	DTLS_FAILURE_TIMEOUT = 1, /* not done within handshake_timeout_ms */
	DTLS_FAILURE_PROTOCOL,    /* what OpenSSL says; see reason */
	DTLS_FAILURE_NO_CERTIFICATE,
	DTLS_FAILURE_FINGERPRINT, /* the certificate is not the one of the SDP */
	DTLS_FAILURE_NO_PROFILE,  /* no SRTP protection profile in common: fail closed (TRAPS 10) */
	DTLS_FAILURE_BUDGET,      /* more bytes or datagrams than a handshake may cost */
	DTLS_FAILURE_COUNT
};

const char *dtls_failure_name(unsigned int failure);

struct dtls_keys {
	struct stn_master_key tx; /* relay to peer: server_write of RFC 5764 section 4.2 */
	struct stn_master_key rx; /* peer to relay */
};

struct dtls_callbacks {
	/* To the path where the peer's last datagram came from. */
	void (*send)(void *context, uint64_t leg_id, const struct stn_address *remote,
		const uint8_t *bytes, size_t size);
	/* The fingerprint has been compared and the handshake is complete. Erase keys when done. */
	void (*connected)(void *context, uint64_t leg_id, const struct dtls_keys *keys);
	/* That handshake is gone, the leg is not: a fresh ClientHello starts another one. */
	void (*failed)(
		void *context, uint64_t leg_id, enum dtls_failure failure, const char *reason);
	/* close_notify, authenticated: the peer has left. */
	void (*closed)(void *context, uint64_t leg_id);
};

struct dtls_config {
	const struct certificate *certificate; /* held as long as it is needed */
	unsigned int threads;
	unsigned int handshakes_max;         /* under way at a time */
	unsigned int handshakes_address_max; /* of them from one address (IPv6: /64) */
	uint64_t handshake_timeout_ms;
};

struct dtls_stats {
	uint64_t started;
	uint64_t connected;
	uint64_t failed[DTLS_FAILURE_COUNT];
	uint64_t refused; /* a cap was reached: datagram dropped, the peer sends it again */
	uint64_t evicted; /* idle handshakes that made room for another of the same address */
	uint64_t closed;
	uint32_t under_way;
	uint32_t legs;
};

/* 0 or negative errno. */
int dtls_open(struct dtls **dtls, const struct dtls_config *config,
	const struct dtls_callbacks *callbacks, void *context);
/* Accepts NULL; joins the threads. Says nothing to the peers: their media goes on without us. */
void dtls_close(struct dtls *dtls);
/* Legs expected from now on are shown this one; those expected earlier, the one of their SDP. */
int dtls_rotate(struct dtls *dtls, const struct certificate *certificate);
int dtls_fd(const struct dtls *dtls);
void dtls_process(struct dtls *dtls);

/* 0, -ENOMEM, -EEXIST. */
int dtls_expect(
	struct dtls *dtls, uint64_t leg_id, const uint8_t fingerprint[DTLS_FINGERPRINT_SIZE]);
/* A datagram of the leg, from a path that ICE has validated. Unknown legs are ignored. */
void dtls_receive(struct dtls *dtls, uint64_t leg_id, const struct stn_address *remote,
	const uint8_t *bytes, size_t size);
/* Sends close_notify if there is a connection (before it returns), erases everything. */
void dtls_forget(struct dtls *dtls, uint64_t leg_id);
void dtls_read_stats(const struct dtls *dtls, struct dtls_stats *out);

#endif
