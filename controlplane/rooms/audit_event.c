/* SPDX-License-Identifier: BSD-3-Clause */
/* audit.list, drain. */
#include "controlplane/rooms/catalog.h"

const struct event_type audit_event_types[] = {{NULL}};
