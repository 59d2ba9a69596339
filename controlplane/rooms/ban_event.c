/* SPDX-License-Identifier: BSD-3-Clause */
/* moderation.ban, moderation.unban. */
#include "controlplane/rooms/catalog.h"

const struct event_type ban_event_types[] = {{NULL}};
