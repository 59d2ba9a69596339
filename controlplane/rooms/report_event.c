/* SPDX-License-Identifier: BSD-3-Clause */
/* moderation.report, moderation.reports, moderation.resolve. */
#include "controlplane/rooms/catalog.h"

const struct event_type report_event_types[] = {{NULL}};
