/* SPDX-License-Identifier: BSD-3-Clause */
/* audit.list: its body, for who completes it outside rooms/ from the database. Loop's thread. */
#ifndef STENTOR_CONTROLPLANE_ROOMS_AUDIT_EVENT_H
#define STENTOR_CONTROLPLANE_ROOMS_AUDIT_EVENT_H

#include "controlplane/rooms/catalog.h"

/* NULL and UINT64_MAX: any. */
struct audit_list {
	struct page page;
	const char *member, *by, *action;
	uint64_t from_ms, to_ms;
};

/* The application itself (NULL) and moderators of the platform: all rooms, the ended ones too.
 * Everybody else: the room they name, if they host it. */
bool audit_sees_all(const struct registry *registry, const char *actor);

#endif
