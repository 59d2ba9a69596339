/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DTLS between the writer, who shakes hands, and the workers, who know the paths. Telemetry in both
 * directions: what somebody cannot take just now is dropped and counted, as UDP would, and never in
 * the way of results and notices. Main lcore only.
 */
#ifndef STENTOR_DATAPLANE_CTL_DATAGRAM_H
#define STENTOR_DATAPLANE_CTL_DATAGRAM_H

#include "dataplane/ctl/state.h"

/* Whether a message of that many bytes is one datagram. The header is within size. */
bool datagram_fits(const struct stn_datagram *datagram, size_t size);
/* From the writer to the leg's owner. */
void datagram_send(struct table_server *server, const struct stn_datagram *datagram);
/* What came from workers, a bounded number; the number is returned. */
unsigned int datagram_take(struct table_server *server, struct client *writer);

#define DATAGRAM_TAKE_MAX 256

#endif
