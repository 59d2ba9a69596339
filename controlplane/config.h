/* SPDX-License-Identifier: BSD-3-Clause */
/* What the group `controlplane` of the configuration file says. Filled in once, by main(). */
#ifndef STENTOR_CONTROLPLANE_CONFIG_H
#define STENTOR_CONTROLPLANE_CONFIG_H

#include "configs/option.h"

struct config {
	char events_socket[108];
	char table_socket[108];
	char database[256];
	unsigned int box_id;
	int64_t allowed_uid, allowed_gid;
	unsigned int rooms_max, members_max, room_members_max;
	unsigned int connections_max, subscribers_max, pending_max;
	unsigned int answer_timeout_ms, stall_timeout_ms;
	uint64_t log_max, answers_max;
	char certificate_folder[256];
	unsigned int certificate_days;
	unsigned int handshake_threads, handshakes_max, handshakes_address_max;
	unsigned int handshake_timeout_ms;
	int log_level;
};

extern const struct option_table controlplane_options;

#endif
