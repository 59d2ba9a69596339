/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Certificate and key of the HTTP server: two PEM files, read at start, checked against each other
 * so that a wrong file is named before the first client finds out.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_TLS_H
#define STENTOR_CONTROLPLANE_HTTP_TLS_H

#include <stddef.h>

struct tls_pair {
	char *certificate; /* PEM, NUL-terminated, the chain included */
	char *key;
};

/* 0, or negative errno with file and reason in words. */
int tls_load(struct tls_pair *pair, const char *certificate, const char *key, char *reason,
	size_t reason_size);
/* Erases the key. */
void tls_clear(struct tls_pair *pair);

#endif
