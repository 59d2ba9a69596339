/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.sock: how the data plane is programmed and asked. SOCK_SEQPACKET, one message a packet,
 * native byte order (both ends share the machine), every struct pinned in size; anything that does
 * not fit is refused and changes nothing.
 *
 * A connection starts with HELLO. A writer names its epoch: the highest one seen wins, an older
 * writer gets FENCED and is disconnected. Readers may ask, never change, and never see a key.
 *
 *   writer:  BEGIN, OPS..., COMMIT            -> ORIGINS..., RESULT   (all or nothing)
 *            RESYNC_BEGIN, OPS..., RESYNC_END -> ORIGINS..., RESULT   (what is not named is
 * removed) ABORT                            -> RESULT anyone:  STATS, ROOM_STATS, DUMP, EXPLAIN,
 * NOTICES_SUBSCRIBE
 *
 * Times are CLOCK_MONOTONIC nanoseconds of the shared machine; 0 means never.
 */
#ifndef STENTOR_DATAPLANE_API_TABLE_H
#define STENTOR_DATAPLANE_API_TABLE_H

#include <stdint.h>

#define STN_TABLE_MAGIC 0x544e5453u /* "STNT" */
#define STN_TABLE_VERSION 4
#define STN_TABLE_MESSAGE_MAX 65536
#define STN_SLOTS_MAX 8
#define STN_PROFILES_MAX 4
#define STN_WORKERS_MAX 16
#define STN_DROPS_MAX 64
#define STN_REASON_SIZE 128
#define STN_MEDIA_MAX 8
#define STN_DATAGRAM_MAX 2048 /* bytes of a DTLS datagram, either way */
#define STN_BUCKETS_MAX 12
#define STN_ROOM_SIZES 3

enum stn_message_type {
	STN_MESSAGE_HELLO = 1,    /* client: struct stn_hello */
	STN_MESSAGE_HELLO_REPLY,  /* struct stn_hello_reply */
	STN_MESSAGE_BEGIN,        /* header only */
	STN_MESSAGE_OPS,          /* struct stn_op... back to back, each padded to 8 bytes */
	STN_MESSAGE_COMMIT,       /* header only */
	STN_MESSAGE_ABORT,        /* header only */
	STN_MESSAGE_RESYNC_BEGIN, /* header only */
	STN_MESSAGE_RESYNC_END,   /* header only */
	STN_MESSAGE_ORIGINS,      /* struct stn_room_origin[], before the RESULT it belongs to */
	STN_MESSAGE_RESULT,       /* struct stn_result */
	STN_MESSAGE_FENCED,       /* struct stn_fenced, then the connection closes */
	STN_MESSAGE_STATS,        /* header only */
	STN_MESSAGE_STATS_REPLY,  /* struct stn_stats */
	STN_MESSAGE_ROOM_STATS,   /* struct stn_room_query */
	STN_MESSAGE_ROOM_STATS_REPLY,  /* struct stn_room_stats */
	STN_MESSAGE_DUMP,              /* struct stn_room_query; room_id 0 is everything */
	STN_MESSAGE_DUMP_REPLY,        /* struct stn_op_room_put / stn_op_leg_put..., like OPS */
	STN_MESSAGE_DUMP_END,          /* struct stn_result */
	STN_MESSAGE_EXPLAIN,           /* struct stn_explain */
	STN_MESSAGE_EXPLAIN_REPLY,     /* struct stn_explain_entry[] */
	STN_MESSAGE_EXPLAIN_END,       /* struct stn_explain_summary */
	STN_MESSAGE_NOTICES_SUBSCRIBE, /* header only; answered by a RESULT */
	STN_MESSAGE_NOTICE,            /* struct stn_notice */
	STN_MESSAGE_DATAGRAM, /* struct stn_datagram + bytes: DTLS, both ways; writer only */
	STN_MESSAGE_COUNT
};

struct stn_header {
	uint32_t magic;
	uint16_t version;
	uint16_t type;     /* enum stn_message_type */
	uint32_t length;   /* whole message, this header included */
	uint32_t sequence; /* the client's own; answers repeat it, notices carry 0 */
	uint64_t epoch;    /* the writer's; 0 for a reader */
};
_Static_assert(sizeof(struct stn_header) == 24, "wire size");

/* What a refusal means; 0 is success. */
enum stn_status {
	STN_STATUS_OK,
	STN_STATUS_BAD_MESSAGE, /* magic, version, type or length */
	STN_STATUS_BAD_STATE,   /* commit without begin, ops from a reader ... */
	STN_STATUS_BAD_OP,      /* an operation's fields are out of range */
	STN_STATUS_NO_ROOM,     /* unknown room_id */
	STN_STATUS_NO_LEG,      /* unknown leg_id */
	STN_STATUS_CONFLICT,    /* same id with other immutable facts, or a tuple that is taken */
	STN_STATUS_NO_SPACE,    /* rooms, legs, speakers of a room, or memory */
	STN_STATUS_STALE_KEY,   /* key_store_id names another index store: fresh keys needed */
	STN_STATUS_FENCED,      /* a higher epoch has taken over */
	STN_STATUS_NO_ROUTE,    /* no port reaches the address */
	STN_STATUS_COUNT
};

/* Returns the status' name in snake case, or "unknown". Never NULL. */
const char *stn_status_name(unsigned int status);

enum stn_client_role { STN_CLIENT_READER = 1, STN_CLIENT_WRITER = 2 };

struct stn_hello {
	struct stn_header header;
	uint32_t role; /* enum stn_client_role */
	uint32_t reserved;
};
_Static_assert(sizeof(struct stn_hello) == 32, "wire size");

struct stn_address {
	uint8_t family; /* 4 or 6 */
	uint8_t reserved;
	uint16_t port_be;
	uint8_t address[16]; /* network order; IPv4 in the first four bytes, the rest 0 */
};
_Static_assert(sizeof(struct stn_address) == 20, "wire size");

struct stn_hello_reply {
	struct stn_header header;
	uint64_t instance_id;    /* random at every start of the data plane */
	uint64_t index_store_id; /* random when the index store was created; see key_store_id */
	uint32_t status;         /* enum stn_status */
	uint32_t worker_count;
	uint32_t rooms;
	uint32_t legs;
	uint32_t rooms_max;
	uint32_t legs_max;
	uint64_t epoch_highest;
	char version[24];
	char engine[16];
	struct stn_address media[STN_MEDIA_MAX]; /* where media is received: ICE host candidates */
	uint32_t media_count;
	uint32_t reserved;
};
_Static_assert(sizeof(struct stn_hello_reply) == 120 + STN_MEDIA_MAX * 20, "wire size");

enum stn_suite {
	STN_SUITE_NONE,
	STN_SUITE_AEAD_AES_128_GCM,       /* RFC 7714, 16-byte key, 12-byte salt, 16-byte tag */
	STN_SUITE_AEAD_AES_256_GCM,       /* RFC 7714, 32-byte key, 12-byte salt, 16-byte tag */
	STN_SUITE_AES128_CM_HMAC_SHA1_80, /* RFC 3711, 16-byte key, 14-byte salt, 10-byte tag */
	STN_SUITE_COUNT
};

/* An SRTP master key and salt, RFC 3711 section 3.2.1; unused bytes are 0. */
struct stn_master_key {
	uint8_t suite; /* enum stn_suite */
	uint8_t reserved[3];
	uint8_t key[32];
	uint8_t salt[16];
};
_Static_assert(sizeof(struct stn_master_key) == 52, "wire size");

enum stn_op_type {
	STN_OP_ROOM_PUT = 1, /* create, or update what may change */
	STN_OP_ROOM_REMOVE,
	STN_OP_LEG_PUT, /* create, or update role, deadline, mute of an existing leg */
	STN_OP_LEG_REMOVE,
	STN_OP_LEG_MUTE,
	STN_OP_LEG_ICE, /* credentials of a WEBRTC leg; again with others: ICE restart */
	STN_OP_COUNT
};

struct stn_op {
	uint16_t type; /* enum stn_op_type */
	uint16_t size; /* of the whole operation, a multiple of 8 */
	uint32_t reserved;
};
_Static_assert(sizeof(struct stn_op) == 8, "wire size");

/* What differs between listeners in the plaintext; a leg names one by its position in the room. */
struct stn_profile {
	uint8_t payload_type;     /* 0 to 127, of the outgoing Opus stream */
	uint8_t audio_level_id;   /* RFC 6464 id 1 to 14 to forward under, 0: not forwarded */
	uint8_t red_payload_type; /* RFC 2198: RED is passed on under it; 0: its primary only */
	uint8_t reserved[5];
};
_Static_assert(sizeof(struct stn_profile) == 8, "wire size");

struct stn_op_room_put {
	struct stn_op op;
	uint64_t room_id;
	uint64_t end_ns;                   /* room end, enforced by the data plane */
	uint32_t slot_ssrc[STN_SLOTS_MAX]; /* distinct, not 0; immutable once the room exists */
	uint8_t slot_count;                /* 1 to 8; immutable */
	uint8_t profile_count;             /* 1 to 4; may grow */
	uint8_t reserved[6];
	struct stn_profile profile[STN_PROFILES_MAX];
	uint64_t group_key_store_id;     /* as key_store_id, for the group key */
	struct stn_master_key group_key; /* suite NONE: no group class in this room; immutable */
	uint32_t reserved2;
};
_Static_assert(sizeof(struct stn_op_room_put) == 160, "wire size");

struct stn_op_room_remove {
	struct stn_op op;
	uint64_t room_id;
};
_Static_assert(sizeof(struct stn_op_room_remove) == 16, "wire size");

enum stn_leg_role { STN_ROLE_LISTENER = 1, STN_ROLE_SPEAKER = 2 };
enum stn_protection { STN_PROTECTION_LEG = 1, STN_PROTECTION_GROUP = 2 };
enum stn_transport { STN_TRANSPORT_KEYED = 1, STN_TRANSPORT_WEBRTC = 2 };

#define STN_LEG_MUTED 0x01u        /* flags: nothing of this source is forwarded */
#define STN_LEG_ORIGIN_KNOWN 0x02u /* origin[] is what an ORIGINS or a DUMP reported earlier */

/*
 * A WEBRTC leg is put without keys (both suites NONE) and without an address, gets its credentials
 * by LEG_ICE in the same transaction, and is put once more, with the keys and otherwise the same,
 * when DTLS is done; keys once set are immutable. remote of a WEBRTC leg is a hint: the path that
 * an earlier data plane had validated, which is used from the start; family 0: none. It is ignored
 * when the leg exists, or somebody else is there. A KEYED leg takes its address from a WEBRTC leg.
 */
struct stn_op_leg_put {
	struct stn_op op;
	uint64_t leg_id;        /* not 0; never given to another leg */
	uint64_t room_id;       /* immutable */
	uint64_t member_id;     /* opaque to the data plane, returned in dumps and notices */
	uint64_t key_store_id;  /* index_store_id under which these keys were first programmed, 0:
				   new */
	uint64_t end_ns;        /* ticket end: the leg is removed then */
	uint64_t mute_until_ns; /* with STN_LEG_MUTED: 0 for ever, else unmuted then */
	struct stn_address remote; /* keyed: where to send and what to accept; immutable */
	uint8_t role;              /* enum stn_leg_role */
	uint8_t protection;        /* enum stn_protection; immutable */
	uint8_t transport;         /* enum stn_transport; immutable */
	uint8_t profile;           /* position in the room's profiles, 0 with group; immutable */
	uint8_t flags;             /* STN_LEG_* */
	uint8_t payload_type;      /* speakers: of the incoming Opus stream */
	uint8_t audio_level_id;    /* speakers: RFC 6464 id in incoming packets, 0: none */
	uint8_t red_payload_type;  /* speakers: of incoming RED (RFC 2198), 0: none */
	uint32_t source_ssrc; /* speakers: the one declared SSRC, 0: the first that authenticates */
	struct stn_master_key
		tx; /* data plane to leg; suite NONE for group protection; immutable */
	struct stn_master_key
		rx; /* leg to data plane; suite NONE: the leg never sends; immutable */
	uint32_t origin[STN_SLOTS_MAX]; /* slot ROC that counts as this leg's ROC 0 */
};
_Static_assert(sizeof(struct stn_op_leg_put) == 224, "wire size");

struct stn_op_leg_remove {
	struct stn_op op;
	uint64_t leg_id;
};
_Static_assert(sizeof(struct stn_op_leg_remove) == 16, "wire size");

struct stn_op_leg_mute {
	struct stn_op op;
	uint64_t leg_id;
	uint64_t until_ns; /* 0: until unmuted */
	uint32_t muted;    /* 0 or 1 */
	uint32_t reserved;
};
_Static_assert(sizeof(struct stn_op_leg_mute) == 32, "wire size");

/*
 * ICE credentials (RFC 8445 section 5.3). The local ufrag is stn_ufrag_make(leg_id, local_random),
 * see ufrag.h. Texts are not NUL-terminated; unused bytes are 0. In a resync, those of a leg that
 * is not there (its time was up on the way) are ignored.
 */
#define STN_ICE_UFRAG_MAX 256
#define STN_ICE_PWD_MAX 256
#define STN_ICE_LOCAL_PWD_SIZE 24

struct stn_op_leg_ice {
	struct stn_op op;
	uint64_t leg_id;
	uint8_t local_random[4];
	uint16_t remote_ufrag_size; /* 4 to 256 */
	uint16_t remote_pwd_size;   /* 22 to 256 */
	char local_pwd[STN_ICE_LOCAL_PWD_SIZE];
	char remote_ufrag[STN_ICE_UFRAG_MAX];
	char remote_pwd[STN_ICE_PWD_MAX];
};
_Static_assert(sizeof(struct stn_op_leg_ice) == 560, "wire size");

/* The origins that legs of this room got if they were new in this transaction. */
struct stn_room_origin {
	uint64_t room_id;
	uint32_t origin[STN_SLOTS_MAX];
};
_Static_assert(sizeof(struct stn_room_origin) == 40, "wire size");

/*
 * After COMMIT and RESYNC_END it is sent when every worker has applied everything: from then on no
 * packet of a muted source and no packet to a removed leg leaves any worker.
 */
struct stn_result {
	struct stn_header header;
	uint32_t status;     /* enum stn_status */
	uint32_t failed_op;  /* 0-based position in the transaction; UINT32_MAX: not about one
				operation */
	uint64_t applied_ns; /* when the last worker answered */
	uint32_t rooms;
	uint32_t legs;
	char reason[STN_REASON_SIZE]; /* for people; NUL-terminated */
};
_Static_assert(sizeof(struct stn_result) == 176, "wire size");

struct stn_fenced {
	struct stn_header header;
	uint64_t epoch; /* of the writer that took over */
};
_Static_assert(sizeof(struct stn_fenced) == 32, "wire size");

/*
 * How long something took, each time: counted by upper bound (stn_wait_bounds_us, STN_BUCKETS_MAX -
 * 1 of them, ascending; the last bucket has none).
 */
struct stn_wait {
	uint64_t count[STN_BUCKETS_MAX];
	uint64_t sum_ns;
	uint64_t max_ns; /* since the start */
};
_Static_assert(sizeof(struct stn_wait) == 16 + STN_BUCKETS_MAX * 8, "wire size");
extern const uint32_t stn_wait_bounds_us[STN_BUCKETS_MAX - 1];

struct stn_worker_stats {
	uint64_t rx_packets;
	uint64_t forwarded;    /* received packets that became a slot packet, or kept for preroll */
	uint64_t answered;     /* received STUN that was valid: checks, and answers to ours */
	uint64_t punted;       /* received DTLS handed to the control plane */
	uint64_t slot_packets; /* fanned out by this worker */
	uint64_t copies;       /* made */
	uint64_t tx_packets;   /* accepted by the port */
	uint64_t stun_sent;    /* this and the next three are not copies */
	uint64_t dtls_sent;
	uint64_t rtcp_sent;
	uint64_t retransmitted;   /* answers to NACK */
	uint64_t control_refused; /* of these four: no buffer, or not taken by the port */
	uint64_t busy_ns;
	uint64_t idle_ns;
	uint32_t legs;
	uint32_t rooms;
	uint32_t mbufs_in_use;
	uint32_t reserved;
	uint64_t commands;            /* applied */
	struct stn_wait command_wait; /* reception waited for commands and what follows from them */
	struct stn_wait fanout_wait;  /* and for a slice of the fan-out */
	struct stn_wait mute_delay;   /* a mute: told by the main lcore, in force here */
	uint64_t drop[STN_DROPS_MAX]; /* enum stn_drop */
	/*
	 * Slot packets by how long after they were published the first and the last copy of them
	 * was handed to the port; the last one by the room's listeners on this worker. Buckets as
	 * in stn_wait_bounds_us, sizes as in stn_room_size_bounds; the last of each has no bound.
	 */
	uint64_t first_copy[STN_BUCKETS_MAX];
	uint64_t first_copy_sum_ns;
	uint64_t last_copy[STN_ROOM_SIZES][STN_BUCKETS_MAX];
	uint64_t last_copy_sum_ns[STN_ROOM_SIZES];
};
_Static_assert(sizeof(struct stn_worker_stats) == 1064 + 3 * sizeof(struct stn_wait), "wire size");

struct stn_stats {
	struct stn_header header;
	uint64_t now_ns;
	uint64_t started_ns;
	uint64_t notices_dropped;
	uint64_t datagrams_dropped; /* DTLS that the writer, or the workers, could not take */
	uint32_t worker_count;
	uint32_t drop_count; /* reasons in use */
	uint32_t rooms;
	uint32_t legs;
	struct stn_wait fence_delay; /* a transaction: committed, in force on every worker */
	struct stn_worker_stats worker[STN_WORKERS_MAX]; /* only worker_count of them are sent */
};
_Static_assert(
	sizeof(struct stn_stats) ==
		72 + sizeof(struct stn_wait) + STN_WORKERS_MAX * sizeof(struct stn_worker_stats),
	"wire size");

/* Counts one; called by the only writer of `wait`. */
static inline void stn_wait_add(struct stn_wait *wait, uint64_t ns)
{
	unsigned int bucket = 0;

	while (bucket < STN_BUCKETS_MAX - 1 && ns > stn_wait_bounds_us[bucket] * UINT64_C(1000))
		bucket++;
	wait->count[bucket]++;
	wait->sum_ns += ns;
	if (ns > wait->max_ns)
		wait->max_ns = ns;
}

struct stn_room_query {
	struct stn_header header;
	uint64_t room_id;
};
_Static_assert(sizeof(struct stn_room_query) == 32, "wire size");

/* The CNAME (RFC 3550 section 6.5.1) of a slot, in RTCP and in SDP: "stentor-" and its SSRC in hex.
 */
#define STN_CNAME_SIZE 17
void stn_slot_cname(uint32_t ssrc, char out[STN_CNAME_SIZE]);

struct stn_slot_stats {
	uint32_t ssrc;
	uint32_t level;  /* RFC 6464, 0 loudest to 127 silent; of the holder, smoothed */
	uint64_t leg_id; /* who holds it, 0: nobody */
	uint64_t index;  /* 48-bit index of the last packet sent */
	uint64_t packets;
	uint64_t last_ns; /* when the last packet was sent */
};
_Static_assert(sizeof(struct stn_slot_stats) == 40, "wire size");

/*
 * What receivers report (RFC 3550 section 6.4), counted by report. Upper bounds of the buckets are
 * in stn_loss_bounds and stn_delay_bounds_us; the last bucket has none.
 */
struct stn_reception {
	uint64_t reports;
	uint64_t nacked;                  /* packets asked for again */
	uint64_t loss[STN_BUCKETS_MAX];   /* fraction lost since the report before */
	uint64_t jitter[STN_BUCKETS_MAX]; /* interarrival jitter */
	uint64_t rtt[STN_BUCKETS_MAX];    /* round trip, from LSR and DLSR */
	uint64_t jitter_sum_us;
	uint64_t rtt_sum_us;
	uint64_t rtt_count; /* reports that told one */
	uint64_t loss_sum;  /* in 1/256 */
};
_Static_assert(sizeof(struct stn_reception) == 48 + 3 * STN_BUCKETS_MAX * 8, "wire size");

/* In 1/256 as RFC 3550 has it; in microseconds. STN_BUCKETS_MAX - 1 each, ascending. */
extern const uint32_t stn_loss_bounds[STN_BUCKETS_MAX - 1];
extern const uint32_t stn_delay_bounds_us[STN_BUCKETS_MAX - 1];
extern const uint32_t stn_room_size_bounds[STN_ROOM_SIZES - 1]; /* listeners, inclusive */

struct stn_room_stats {
	struct stn_header header;
	uint64_t room_id;
	uint32_t status;
	uint32_t slot_count;
	uint32_t listeners;
	uint32_t speakers;
	uint32_t muted;
	uint32_t home_worker;
	struct stn_slot_stats slot[STN_SLOTS_MAX];
	struct stn_reception reception; /* of all workers, since the room was programmed */
};
_Static_assert(
	sizeof(struct stn_room_stats) == 56 + STN_SLOTS_MAX * 40 + sizeof(struct stn_reception),
	"wire size");

/* "This packet: which legs would it reach, and why not the others": by leg_id, or by tuple. */
struct stn_explain {
	struct stn_header header;
	uint64_t leg_id; /* of the source; 0: find it by remote */
	struct stn_address remote;
	uint32_t ssrc; /* 0: not given */
};
_Static_assert(sizeof(struct stn_explain) == 56, "wire size");

enum stn_explain_reason {
	STN_EXPLAIN_REACHED,
	STN_EXPLAIN_NO_SOURCE, /* the tuple belongs to no leg: nothing is forwarded */
	STN_EXPLAIN_NOT_SPEAKER,
	STN_EXPLAIN_SSRC_MISMATCH,
	STN_EXPLAIN_SOURCE_MUTED,
	STN_EXPLAIN_NO_SLOT,       /* others hold the room's slots just now */
	STN_EXPLAIN_OWN_VOICE,     /* a speaker does not hear themself */
	STN_EXPLAIN_BEFORE_ORIGIN, /* joined just before a wrap: starts after it */
	STN_EXPLAIN_NO_NEIGHBOUR,  /* next hop unresolved */
	STN_EXPLAIN_NOT_VALIDATED, /* path not yet validated (webrtc) */
	STN_EXPLAIN_COUNT
};

/* Returns the reason's name in snake case, or "unknown". Never NULL. */
const char *stn_explain_reason_name(unsigned int reason);

struct stn_explain_entry {
	uint64_t leg_id;
	uint64_t member_id;
	uint32_t reason; /* enum stn_explain_reason */
	uint32_t worker;
};
_Static_assert(sizeof(struct stn_explain_entry) == 24, "wire size");

struct stn_explain_summary {
	struct stn_header header;
	uint64_t source_leg_id;
	uint64_t room_id;
	uint32_t source_reason; /* REACHED, or why nobody is reached */
	int32_t slot;           /* held by the source, -1: none */
	uint32_t count[16];     /* legs by enum stn_explain_reason */
	/*
	 * What the source itself was sent since it was programmed, repetitions not included. Exact
	 * for speakers; of listeners too, but for copies that a worker's counters say were not made
	 * (no buffer, refused by the port, cut fan-outs) and packets it was not yet to get because
	 * it joined just before a wrap.
	 */
	uint64_t copies;
	uint64_t copied_bytes; /* of payload */
};
_Static_assert(sizeof(struct stn_explain_summary) == 128, "wire size");

enum stn_notice_type {
	STN_NOTICE_LEG_CONNECTED = 1, /* first authenticated packet of a leg; value: its SSRC */
	STN_NOTICE_LEG_MOVED,    /* WEBRTC: a validated path was selected, the first one included */
	STN_NOTICE_LEG_EXPIRED,  /* end_ns reached: the leg is gone (safety: never dropped) */
	STN_NOTICE_ROOM_EXPIRED, /* end_ns reached: the room is gone (safety: never dropped) */
	STN_NOTICE_MUTE_ENDED,   /* mute_until_ns reached */
	STN_NOTICE_SPEAKING,     /* a slot changed hands; leg_id 0: nobody */
	STN_NOTICE_PRESSURE,     /* value: percent of legs_max in use */
	STN_NOTICE_LOST,         /* value: notices dropped since the last one delivered */
	STN_NOTICE_LEG_LOST, /* WEBRTC: no sign of life for the consent time (RFC 7675), its path
				now belongs to another leg, or a worker had no space for its keys:
				nothing is sent to it (never dropped) */
	STN_NOTICE_COUNT
};

struct stn_notice {
	struct stn_header header;
	uint32_t type; /* enum stn_notice_type */
	uint32_t slot;
	uint64_t at_ns;
	uint64_t room_id;
	uint64_t leg_id;
	uint64_t member_id;
	uint64_t value;
	struct stn_address remote; /* LEG_MOVED: where it is now */
	uint32_t reserved;
};
_Static_assert(sizeof(struct stn_notice) == 96, "wire size");

/*
 * A DTLS datagram of a WEBRTC leg, from or to a path that ICE has validated. Downward, remote is
 * the path to use and must still be one of the leg's, family 0: the selected one; what cannot be
 * sent is dropped and counted, as UDP would. Upward they are telemetry: when the writer does not
 * keep up they are dropped, and DTLS sends again.
 */
struct stn_datagram {
	struct stn_header header;
	uint64_t leg_id;
	struct stn_address remote;
	uint32_t size; /* bytes that follow, 1 to STN_DATAGRAM_MAX */
};
_Static_assert(sizeof(struct stn_datagram) == 56, "wire size");

#endif
