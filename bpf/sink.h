/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The counting sink of benchmarks and smoke tests: an XDP program on the listeners' end of a veth
 * that counts every copy per listener and per RTP sequence number, notes first and last arrival,
 * and drops it. The copies to one listener, the ear, go on to the kernel after being counted.
 *
 * One thread a sink. Reads are safe while traffic runs: a listener's record is consistent in
 * itself, of the others each field is. Sequence records go by the 16-bit number, so reset before a
 * stream has sent 65,536 packets.
 */
#ifndef STENTOR_BPF_SINK_H
#define STENTOR_BPF_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/sink_shared.h"

struct sink; /* made by sink_open, freed by sink_close */

struct sink_config {
	uint32_t address;           /* listener 0's IPv4 address, host order */
	uint16_t port_base;         /* listener 0's UDP port */
	uint16_t ports_per_address; /* at least 1; port_base + it must stay within 65,536 */
	uint32_t listener_count;    /* 1 to SINK_LISTENERS_MAX */
	uint32_t ear;               /* listener whose copies reach the kernel, or SINK_NOBODY */
	uint32_t silence_size;      /* RTP payload up to this is silence: 3 + tag; 0: none is */
	uint32_t ssrc;              /* only this one in sequence records and duplicates; 0: any */
	bool first_ssrc;            /* with ssrc 0: only the first one seen */
	bool voice_only;            /* silence is counted as silence and nowhere else */
};

/*
 * Loads, configures, then attaches (native, else generic). *out is written only on success. Returns
 * 0 or a negative errno with a message for people in `error`: -EINVAL, -ENODEV, -EBUSY when
 * another program is attached, -EPERM.
 */
int sink_open(struct sink **out, const char *ifname, const struct sink_config *config, char *error,
	size_t size);

/* Detaches and frees. NULL is fine. */
void sink_close(struct sink *sink);

/* False when the driver has no XDP of its own. */
bool sink_is_native(const struct sink *sink);

/* Each returns 0 or a negative errno and writes only on success. */
int sink_read_totals(const struct sink *sink, struct sink_totals *out);
int sink_read_sequence(const struct sink *sink, uint16_t sequence, struct sink_sequence *out);
int sink_read_listener(const struct sink *sink, uint32_t listener, struct sink_listener *out);

/* Reads `count` listeners from `first` on in few system calls; out has room for them all. */
int sink_read_listeners(
	const struct sink *sink, uint32_t first, uint32_t count, struct sink_listener *out);

/*
 * From now on voice and silence that arrive after `mark_ns` are counted in voice_after and
 * silence_after as well; what arrived before this call is not. Whether anything came between
 * mark_ns and this call is told by last_voice_ns > mark_ns. 0 stops it. Counting starts from 0 at
 * each call.
 */
int sink_mark(struct sink *sink, uint64_t mark_ns);

/* Another listener becomes the ear, or nobody (SINK_NOBODY). */
void sink_set_ear(struct sink *sink, uint32_t listener);

/* Empties every record and forgets the first SSRC. Copies that arrive meanwhile may be lost. */
int sink_reset(struct sink *sink);

#endif
