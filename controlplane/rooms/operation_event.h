/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of the requests that are completed outside rooms/, by asking the data plane or the log. */
#ifndef STENTOR_CONTROLPLANE_ROOMS_OPERATION_EVENT_H
#define STENTOR_CONTROLPLANE_ROOMS_OPERATION_EVENT_H

#include <stdint.h>

struct explain {
	const char *member, *address;
	uint64_t port, ssrc, limit;
};

#define SUBSCRIBE_LIVE UINT64_MAX /* from: was not given */

struct subscribe {
	uint64_t from;
};

#endif
