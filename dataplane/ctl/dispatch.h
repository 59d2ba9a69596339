/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a message of a client and a reply of a worker set in motion: the rules of table.sock (who
 * may say what and when, fencing), results and notices. Called by server.c, on the main lcore only.
 */
#ifndef STENTOR_DATAPLANE_CTL_DISPATCH_H
#define STENTOR_DATAPLANE_CTL_DISPATCH_H

#include "dataplane/ctl/state.h"

#define DISPATCH_HELLO_NS UINT64_C(5000000000)   /* a connection without a hello lives this long */
#define DISPATCH_CLOSING_NS UINT64_C(1000000000) /* for the last words of a connection */
#define DISPATCH_BATCHES_MAX 4096                /* transactions not in force yet */
#define DISPATCH_WRITER_SLOTS 2                  /* connections that readers leave free */

/* Context is the struct table_server. */
extern const struct apply_events dispatch_events;
struct client *dispatch_client(void *context, uint64_t id);
struct client *dispatch_writer(struct table_server *server); /* NULL: none is connected */

/* server->input holds size bytes of it. */
void dispatch_message(struct table_server *server, struct client *client, size_t size);
void dispatch_reply(struct table_server *server, const struct reply *reply);
/* Tells when the table fills up. */
void dispatch_pressure(struct table_server *server, uint64_t now_ns);
/* The client will be closed now. */
void dispatch_gone(struct table_server *server, struct client *client);

#endif
