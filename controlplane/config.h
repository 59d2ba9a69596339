/* SPDX-License-Identifier: BSD-3-Clause */
/* What the group `controlplane` of the configuration file says. Filled in once, by main(). */
#ifndef STENTOR_CONTROLPLANE_CONFIG_H
#define STENTOR_CONTROLPLANE_CONFIG_H

#include <stdbool.h>

#include "configs/option.h"
#include "controlplane/rooms/registry.h"
#include "dataplane/api/table.h"

#define HTTP_NAMES_MAX 16

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
	bool http, http_plain;
	char http_address[64];
	unsigned int http_port;
	char http_certificate[256], http_key[256];
	char http_hosts[HTTP_NAMES_MAX][128], http_origins[HTTP_NAMES_MAX][128];
	unsigned int http_host_count, http_origin_count;
	unsigned int http_connections_max, http_connections_address_max, http_streams_max;
	unsigned int http_request_timeout_ms, http_response_timeout_ms;
	unsigned int metrics_rooms_max;
	char public_url[256];
	char media_addresses[STN_MEDIA_MAX][64];
	unsigned int media_address_count;
	bool open_listening, unsignalled_slots;
	unsigned int sessions_max, joins_per_second, join_timeout_s, reconnect_grace_s;
	unsigned int users_max, follows_max, host_min_followers;
	unsigned int room_speakers_max, schedule_days_max, schedules_per_host_max;
	unsigned int schedule_late_min, floor_request_min, floor_invite_s, host_grace_s;
	unsigned int report_hold_count, reports_max;
	unsigned int moderation_per_second, moderation_burst;
	unsigned int reactions_per_second, reactions_burst;
	char reactions[REACTIONS_MAX][REACTION_SIZE];
	unsigned int reaction_count;
	unsigned int reminder_spread_min, tickets_max;
	char ticket_fee_tiers[FEE_TIERS_MAX][32];
	unsigned int ticket_fee_tier_count;
	int log_level;
};

extern const struct option_table controlplane_options;

/* What of it the rooms need. The texts stay the config's. */
void config_limits(const struct config *config, struct registry_limits *limits);

/* "203.0.113.5:4000" or "[2001:db8::5]:4000". 0 or -EINVAL. */
int config_address(const char *text, struct stn_address *address);

#endif
