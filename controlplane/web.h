/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What HTTP answers on the loop's thread: hands sessions to session.h, requests of pages to
 * call.h, and answers streams, the list of rooms, metrics and readiness. Owns the HTTP server.
 */
#ifndef STENTOR_CONTROLPLANE_WEB_H
#define STENTOR_CONTROLPLANE_WEB_H

#include "controlplane/conductor.h"
#include "controlplane/http/server.h"

struct dtls;
struct web;

struct web_config {
	struct http_server_config http;
	bool open_listening;        /* streams of open rooms need no token */
	uint64_t stall_timeout_ns;  /* of streams */
	struct dtls *dtls;          /* for its statistics; NULL: none */
	unsigned int metrics_rooms; /* with series of their own */
};

/* 0, or negative errno with the reason in words. */
int web_open(struct web **web, struct conductor *c, const struct web_config *config,
	char reason[HTTP_REASON_SIZE]);
/* After everything that may still answer. Accepts NULL. */
void web_close(struct web *web);
/* At the end of each turn of the loop, behind feed_pump(). Accepts NULL. */
void web_turn_end(struct web *web, uint64_t now_ns);
uint16_t web_port(const struct web *web);

#endif
