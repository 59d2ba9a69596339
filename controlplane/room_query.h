/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * room.get: what the registry says of a room, and of its slots what the data plane says, which has
 * to be asked first; of a scheduled room it knows nothing. Loop's thread.
 */
#ifndef STENTOR_CONTROLPLANE_ROOM_QUERY_H
#define STENTOR_CONTROLPLANE_ROOM_QUERY_H

#include "controlplane/conductor.h"

/* Asks and finishes the request. */
void room_query_start(struct conductor *c, struct request *request);

#endif
