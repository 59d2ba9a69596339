/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A room or a leg as commands: to its owner, or to every worker where everybody has to know. Into
 * space of the outbox that was reserved before.
 */
#ifndef STENTOR_DATAPLANE_CTL_TELL_H
#define STENTOR_DATAPLANE_CTL_TELL_H

#include "dataplane/ctl/outbox.h"
#include "dataplane/ctl/registry.h"

/* LEG_ADD, LEG_UPDATE, LEG_REMOVE. */
void tell_leg(struct outbox *outbox, enum command_type type, const struct leg *leg);
/* Credentials that are due: once, however often a transaction has set them. */
void tell_ice(struct outbox *outbox, struct leg *leg);
/* As the leg is muted now. */
void tell_mute(struct outbox *outbox, struct leg *leg);
/* ROOM_ADD, ROOM_UPDATE, ROOM_REMOVE. */
void tell_room(struct outbox *outbox, enum command_type type, const struct room *room);

#endif
