// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/api/table.h"

static const char *const status_names[] = {
	[STN_STATUS_OK] = "ok",
	[STN_STATUS_BAD_MESSAGE] = "bad_message",
	[STN_STATUS_BAD_STATE] = "bad_state",
	[STN_STATUS_BAD_OP] = "bad_op",
	[STN_STATUS_NO_ROOM] = "no_room",
	[STN_STATUS_NO_LEG] = "no_leg",
	[STN_STATUS_CONFLICT] = "conflict",
	[STN_STATUS_NO_SPACE] = "no_space",
	[STN_STATUS_STALE_KEY] = "stale_key",
	[STN_STATUS_FENCED] = "fenced",
	[STN_STATUS_NO_ROUTE] = "no_route",
};
_Static_assert(sizeof(status_names) / sizeof(status_names[0]) == STN_STATUS_COUNT, "all named");

static const char *const explain_names[] = {
	[STN_EXPLAIN_REACHED] = "reached",
	[STN_EXPLAIN_NO_SOURCE] = "no_source",
	[STN_EXPLAIN_NOT_SPEAKER] = "not_speaker",
	[STN_EXPLAIN_SSRC_MISMATCH] = "ssrc_mismatch",
	[STN_EXPLAIN_SOURCE_MUTED] = "source_muted",
	[STN_EXPLAIN_NO_SLOT] = "no_slot",
	[STN_EXPLAIN_OWN_VOICE] = "own_voice",
	[STN_EXPLAIN_BEFORE_ORIGIN] = "before_origin",
	[STN_EXPLAIN_NO_NEIGHBOUR] = "no_neighbour",
	[STN_EXPLAIN_NOT_VALIDATED] = "not_validated",
};
_Static_assert(sizeof(explain_names) / sizeof(explain_names[0]) == STN_EXPLAIN_COUNT, "all named");

/* 0.4, 1, 2, 3, 5, 7, 10, 15, 20, 30 and 50 percent. */
const uint32_t stn_loss_bounds[] = {1, 3, 5, 8, 13, 18, 26, 38, 51, 77, 128};
const uint32_t stn_delay_bounds_us[] = {
	1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000};
const uint32_t stn_wait_bounds_us[] = {2, 5, 10, 25, 50, 100, 250, 1000, 5000, 20000, 100000};
const uint32_t stn_room_size_bounds[] = {100, 10000};

const char *stn_status_name(unsigned int status)
{
	return status < STN_STATUS_COUNT ? status_names[status] : "unknown";
}

const char *stn_explain_reason_name(unsigned int reason)
{
	return reason < STN_EXPLAIN_COUNT ? explain_names[reason] : "unknown";
}

void stn_slot_cname(uint32_t ssrc, char out[STN_CNAME_SIZE])
{
	static const char prefix[] = "stentor-", digits[] = "0123456789abcdef";
	unsigned int i;

	for (i = 0; i < sizeof(prefix) - 1; i++)
		out[i] = prefix[i];
	for (; i < STN_CNAME_SIZE - 1; i++, ssrc <<= 4)
		out[i] = digits[ssrc >> 28];
	out[i] = '\0';
}
