/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DTLS 1.2 records of a datagram (RFC 6347 section 4.1): which of them may reach a handshake. Pure;
 * any thread. What is not understood is dropped here, record by record, so that a stray one cannot
 * end a handshake under way: plaintext alerts (TRAPS 8), garbage, messages that no client sends.
 */
#ifndef STENTOR_CONTROLPLANE_WEBRTC_RECORD_H
#define STENTOR_CONTROLPLANE_WEBRTC_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_HEADER_SIZE 13
#define RECORD_MESSAGE_HEADER_SIZE 12 /* of a handshake message, RFC 6347 section 4.2.2 */
#define RECORD_DATAGRAM_MAX 2048

enum record_type {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_APPLICATION_DATA = 23
};

struct record {
	uint8_t type; /* enum record_type */
	uint16_t epoch;
	uint64_t sequence;    /* 48 bits */
	const uint8_t *start; /* of its header */
	const uint8_t *payload;
	uint16_t size; /* of the payload */
};

/* Reads the record at *at and moves on. False: the end, or nothing that could be a record. */
bool record_next(const uint8_t **at, const uint8_t *end, struct record *record);

/* Writes epoch and sequence into the header at `record`. */
void record_number(uint8_t *record, uint16_t epoch, uint64_t sequence);

/* Copies to `out` (as large as `bytes`) what a server may look at; returns its size, 0: nothing. */
size_t record_filter(const uint8_t *bytes, size_t size, uint8_t *out);

/* Is there a fragment of a ClientHello in it, or its very beginning? */
bool record_has_hello(const uint8_t *bytes, size_t size);
bool record_has_hello_start(const uint8_t *bytes, size_t size);

#endif
