// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/api/drop.h"

static const char *const names[] = {
	[STN_DROP_FRAME_TRUNCATED] = "frame_truncated",
	[STN_DROP_FRAME_NOT_IP] = "frame_not_ip",
	[STN_DROP_FRAME_FRAGMENT] = "frame_fragment",
	[STN_DROP_FRAME_NOT_UDP] = "frame_not_udp",
	[STN_DROP_FRAME_BAD_LENGTH] = "frame_bad_length",
	[STN_DROP_FRAME_NOT_OURS] = "frame_not_ours",
	[STN_DROP_DEMUX_UNKNOWN] = "demux_unknown",
	[STN_DROP_STUN_MALFORMED] = "stun_malformed",
	[STN_DROP_DTLS_UNVALIDATED] = "dtls_unvalidated",
	[STN_DROP_NO_LEG] = "no_leg",
	[STN_DROP_LEG_NOT_SPEAKER] = "leg_not_speaker",
	[STN_DROP_RTP_MALFORMED] = "rtp_malformed",
	[STN_DROP_RTP_PAYLOAD_TYPE] = "rtp_payload_type",
	[STN_DROP_RTP_UNKNOWN_SSRC] = "rtp_unknown_ssrc",
	[STN_DROP_SRTP_REPLAY] = "srtp_replay",
	[STN_DROP_SRTP_TOO_OLD] = "srtp_too_old",
	[STN_DROP_SRTP_AUTH] = "srtp_auth",
	[STN_DROP_RTCP_MALFORMED] = "rtcp_malformed",
	[STN_DROP_SRTCP_REPLAY] = "srtcp_replay",
	[STN_DROP_SRTCP_AUTH] = "srtcp_auth",
	[STN_DROP_RTCP_ABSORBED] = "rtcp_absorbed",
	[STN_DROP_SOURCE_MUTED] = "source_muted",
	[STN_DROP_NOT_SELECTED] = "not_selected",
	[STN_DROP_SLOT_REORDERED] = "slot_reordered",
	[STN_DROP_PAYLOAD_TOO_LARGE] = "payload_too_large",
	[STN_DROP_HANDOVER_FULL] = "handover_full",
	[STN_DROP_PUBLISH_FULL] = "publish_full",
	[STN_DROP_PUBLISH_NO_BUFFER] = "publish_no_buffer",
	[STN_DROP_FANOUT_STALE] = "fanout_stale",
	[STN_DROP_FANOUT_CANCELLED] = "fanout_cancelled",
	[STN_DROP_FANOUT_CUT] = "fanout_cut",
	[STN_DROP_TX_NO_BUFFER] = "tx_no_buffer",
	[STN_DROP_TX_REFUSED] = "tx_refused",
	[STN_DROP_TX_NO_NEIGHBOUR] = "tx_no_neighbour",
	[STN_DROP_STEER_NO_SOCKET] = "steer_no_socket",
	[STN_DROP_STEER_FRAGMENT] = "steer_fragment",
	[STN_DROP_STEER_EXTENSION] = "steer_extension",
	[STN_DROP_STEER_BAD_LENGTH] = "steer_bad_length",
	[STN_DROP_STEER_RATE] = "steer_rate",
	[STN_DROP_STUN_UFRAG] = "stun_ufrag",
	[STN_DROP_STUN_INTEGRITY] = "stun_integrity",
	[STN_DROP_STUN_REPLAY] = "stun_replay",
	[STN_DROP_STUN_STRAY] = "stun_stray",
	[STN_DROP_STUN_LIMITED] = "stun_limited",
	[STN_DROP_DTLS_LIMITED] = "dtls_limited",
	[STN_DROP_LEG_NOT_KEYED] = "leg_not_keyed",
	[STN_DROP_TX_STALE] = "tx_stale",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == STN_DROP_COUNT, "a name for every reason");

const char *stn_drop_name(unsigned int reason)
{
	return reason < STN_DROP_COUNT ? names[reason] : "unknown";
}
