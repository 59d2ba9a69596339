/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A connection to events.sock: JSON lines both ways, see controlplane/README.md. Single-threaded.
 * Lines handed out live in the client and are valid until the next call.
 */
#ifndef STENTOR_CONTROLPLANE_CLI_CLIENT_H
#define STENTOR_CONTROLPLANE_CLI_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/* The longest answer taken; beyond it the connection is given up. */
#define CLIENT_LINE_MAX (64u << 20)

struct client {
	int fd;
	char *buffer;
	size_t capacity;
	size_t start; /* of what has not been handed out */
	size_t end;   /* of what has been received */
	uint64_t nonce;
	unsigned int requests;
};

/* 0, or a negative errno. */
int client_open(struct client *client, const char *path);
void client_close(struct client *client);
/* Says in a sentence or two why client_open() failed and what helps. */
void client_describe_failure(FILE *out, const char *path, int error);

/* Sends size bytes and a newline; blocks at most timeout_ms. 0 or a negative errno. */
int client_send(struct client *client, const char *line, size_t size, int timeout_ms);
/* 1 and a line without its newline; 0: the server closed; -ETIMEDOUT, -EINTR, -EMSGSIZE ... */
int client_receive(struct client *client, int timeout_ms, char **line, size_t *size);
/* An id that no other request has: requests are remembered by it. text: at least 48 bytes. */
void client_mint_id(struct client *client, char *text, size_t size);
/*
 * Sends request (taken over, an id is added) and waits for its answer, which the caller owns.
 * On failure returns NULL and sets *error to a negative errno; -ECONNRESET: the server closed.
 */
json_t *client_ask(struct client *client, json_t *request, int timeout_ms, int *error);

#endif
