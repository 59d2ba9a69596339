/* SPDX-License-Identifier: BSD-3-Clause */
/* audit.list: read from the database, page by page. Loop's thread. */
#ifndef STENTOR_CONTROLPLANE_AUDIT_H
#define STENTOR_CONTROLPLANE_AUDIT_H

#include "controlplane/conductor.h"

/* Completes and answers a request that rooms/audit_event.c has let through. */
void audit_answer(struct conductor *c, struct request *request);

#endif
