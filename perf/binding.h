/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * STUN Binding messages as a client of the relay needs them (RFC 8489, RFC 8445 section 7).
 * Written apart from dataplane/core on purpose, so that an error there is not repeated here. Any
 * thread; owns nothing.
 */
#ifndef STENTOR_PERF_BINDING_H
#define STENTOR_PERF_BINDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define BINDING_TRANSACTION_SIZE 12
#define BINDING_SIZE_MAX 768 /* of what is built here: USERNAME of two halves of 256 */

enum binding_type { BINDING_REQUEST = 0x0001, BINDING_SUCCESS = 0x0101, BINDING_ERROR = 0x0111 };

struct binding {
	enum binding_type type;
	uint8_t transaction[BINDING_TRANSACTION_SIZE];
	const char *username; /* NULL: none */
	unsigned int username_size;
	unsigned int integrity_at; /* where MESSAGE-INTEGRITY begins, 0: none */
};

struct binding_request {
	uint8_t transaction[BINDING_TRANSACTION_SIZE];
	const char *username; /* "theirs:ours" */
	const char *password; /* theirs */
	uint64_t tie_breaker;
	uint32_t priority;
	bool use_candidate;
};

/* Each writes BINDING_SIZE_MAX bytes at most and returns the size. */
unsigned int binding_build_request(uint8_t *out, const struct binding_request *request);
unsigned int binding_build_success(uint8_t *out,
	const uint8_t transaction[BINDING_TRANSACTION_SIZE], const struct sockaddr_storage *mapped,
	const char *password);

/* 0 or -EBADMSG: no Binding message, or its lengths or FINGERPRINT are wrong. */
int binding_parse(struct binding *binding, const uint8_t *bytes, unsigned int size);
/* Whether its MESSAGE-INTEGRITY is there and made with that password. */
bool binding_verify(const struct binding *binding, const uint8_t *bytes, const char *password);

#endif
