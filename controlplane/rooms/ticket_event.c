/* SPDX-License-Identifier: BSD-3-Clause */
/* ticket.offer, ticket.issue, ticket.refund, ticket.ledger. */
#include "controlplane/rooms/catalog.h"

const struct event_type ticket_event_types[] = {{NULL}};
