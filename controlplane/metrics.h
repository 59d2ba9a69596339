/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * GET /metrics: what both planes count, as OpenMetrics. The data plane is asked when somebody
 * scrapes, all questions at once; what has not come within a second is left out. What was written
 * is given again for a second, so that many scrapers cost what one does. Series are per worker, per
 * route and per room, of the largest rooms only; never per listener. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_METRICS_H
#define STENTOR_CONTROLPLANE_METRICS_H

#include "controlplane/conductor.h"
#include "controlplane/http/server.h"

struct dtls;
struct metrics;

/* What a scrape is made of: filled in by metrics.c, written by measurement.c. */
struct metrics_view {
	struct conductor *c;
	struct dtls *dtls; /* NULL: none */
	struct http_server *http;
	const struct stn_stats *stats;      /* NULL: no data plane */
	const struct stn_room_stats *rooms; /* length 0: not answered */
	size_t room_count;
};

void metrics_write(const struct metrics_view *view, bool openmetrics, struct writer *writer);

/* server: where the HTTP server will be found, once it is open. 0 or -ENOMEM. */
int metrics_open(struct metrics **metrics, struct conductor *c, struct dtls *dtls,
	struct http_server **server, unsigned int rooms_max);
/* When the link is closed. Accepts NULL. */
void metrics_close(struct metrics *metrics);
void metrics_exchange(struct metrics *metrics, struct http_exchange *exchange);
/* Once a turn: answers when the data plane has not. */
void metrics_settle(struct metrics *metrics, uint64_t now_ns);

#endif
