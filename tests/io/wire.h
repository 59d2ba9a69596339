/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames as the tests' remote ends see them: built field by field, and taken apart strictly.
 * Written apart from dataplane/core/frame.c on purpose, so that an error there is not repeated
 * here.
 */
#ifndef STENTOR_TESTS_IO_WIRE_H
#define STENTOR_TESTS_IO_WIRE_H

#include <stdint.h>

#include "dataplane/api/table.h"

#define WIRE_MAX 2048

struct wire {
	uint8_t source_mac[6];
	uint8_t destination_mac[6];
	uint16_t vlan; /* 0: untagged */
	uint8_t dscp;  /* of a frame that was taken apart */
	struct stn_address source;
	struct stn_address destination;
	const uint8_t *payload;
	unsigned int payload_size;
};

/* Writes the frame, checksums and all; returns its size. */
unsigned int wire_build(const struct wire *wire, uint8_t out[WIRE_MAX]);
/* NULL, or what is wrong with it. payload points into the frame. */
const char *wire_parse(const uint8_t *frame, unsigned int size, struct wire *out);

#endif
