/* SPDX-License-Identifier: BSD-3-Clause */
/* pin.add, pin.remove. */
#include "controlplane/rooms/catalog.h"

const struct event_type pin_event_types[] = {{NULL}};
