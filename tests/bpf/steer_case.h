/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table test_steer.c runs: a sentence, the frame it is about, how the program is set up, and
 * what the frame must be counted as, which implies the verdict.
 */
#ifndef STENTOR_TESTS_BPF_STEER_CASE_H
#define STENTOR_TESTS_BPF_STEER_CASE_H

#include <stddef.h>

#include "bpf/steer_shared.h"
#include "tests/bpf/frame.h"

enum setup {
	SETUP_USUAL,     /* ports 1, 40000-40010, 65535; any address; untagged; a socket */
	SETUP_ADDRESSES, /* only the relay's addresses */
	SETUP_VLAN_100,
	SETUP_VLAN_ANY,
	SETUP_NO_SOCKET,
	SETUP_UNCONFIGURED, /* as DPDK attaches it */
};

struct steer_case {
	const char *sentence;
	struct frame_spec frame;
	enum setup setup;
	enum steer_counter counter;
};

extern const struct steer_case steer_cases[];
extern const size_t steer_case_count;

#endif
