/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * What the counting sink's kernel and user sides agree on. The sink stands where listeners would:
 * listener i is address + i / ports_per_address, port_base + i % ports_per_address (IPv4, UDP), so
 * its place in the array is arithmetic, not a look-up. All times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef STENTOR_BPF_SINK_SHARED_H
#define STENTOR_BPF_SINK_SHARED_H

#ifdef __BPF__
#include <linux/types.h>
typedef __u8 uint8_t;
typedef __u16 uint16_t;
typedef __u32 uint32_t;
typedef __u64 uint64_t;
#else
#include <stdint.h>
#endif

#define SINK_PROGRAM_NAME "stentor_sink"
#define SINK_LISTENERS_MAX (1u << 20)
#define SINK_NOBODY 0xffffffffu

/* One RTP sequence number over all listeners; one record a CPU in the kernel, merged when read. */
struct sink_sequence {
	uint64_t count;    /* copies */
	uint64_t first_ns; /* 0: none */
	uint64_t last_ns;
	uint32_t size; /* RTP payload of the last copy, tag included */
	uint32_t ssrc; /* of the last copy, host order */
};
_Static_assert(sizeof(struct sink_sequence) == 32, "map layout");

/* One listener. Duplicates are told apart within the last 64 sequence numbers of the stream. */
struct sink_listener {
	uint32_t lock;     /* kernel side only: struct bpf_spin_lock */
	uint32_t received; /* RTP copies, duplicates included */
	uint32_t duplicated;
	uint32_t late;    /* more than 63 behind the highest: neither new nor known */
	uint32_t silence; /* RTP payload of at most silence_size */
	uint32_t highest; /* 65,536 + highest 16-bit sequence number, 0: none yet */
	uint64_t window;  /* bit n: highest - n was received */
};
_Static_assert(sizeof(struct sink_listener) == 32, "map layout");

/* Everything, one record a CPU in the kernel, merged when read. */
struct sink_totals {
	uint64_t received; /* RTP copies to listeners: voice + silence, or voice only */
	uint64_t voice;
	uint64_t silence;
	uint64_t duplicated;
	uint64_t late;
	uint64_t other_ssrc;  /* among received: not of the chosen SSRC, not in sequence records */
	uint64_t not_rtp;     /* UDP to a listener that is RTCP, STUN, too short ... */
	uint64_t passed;      /* frames that are nobody's here: left to the kernel */
	uint64_t ear;         /* copies to the ear, among received, then left to the kernel */
	uint64_t bytes;       /* frame bytes of received */
	uint64_t voice_after; /* voice that arrived after mark_ns */
	uint64_t silence_after;
	uint64_t first_ns; /* first RTP copy, 0: none */
	uint64_t last_ns;
	uint64_t last_voice_ns;
};
_Static_assert(sizeof(struct sink_totals) == 120, "map layout");

#endif
