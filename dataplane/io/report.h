/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RTCP of WEBRTC legs on the worker that owns them (RFC 3550, 4585, 5761). Sender reports of the
 * slots go to who listens, receiver reports to who speaks; what comes in is absorbed: reports into
 * histograms, NACKs answered from what the slots have just sent (repeat.c). BYE and APP change
 * nothing (TRAPS 8). Keyed legs have not agreed to RTCP on the media port and get none.
 */
#ifndef STENTOR_DATAPLANE_IO_REPORT_H
#define STENTOR_DATAPLANE_IO_REPORT_H

#include "dataplane/core/arrival.h"
#include "dataplane/core/capture.h"
#include "dataplane/core/history.h"
#include "dataplane/core/rtcp.h"
#include "dataplane/core/rtp.h"

struct worker;
struct worker_leg;
struct worker_room;
struct packet_meta;
struct rte_mbuf;

/* What a worker knows of a slot as its sender; from the packets it fans out. */
struct report_slot {
	uint32_t timestamp; /* of the last packet */
	uint64_t ntp;       /* when that was captured, our clock */
	uint64_t sent_ns;   /* 0: nothing yet */
	uint32_t packets;
	uint32_t octets;
	/*
	 * One report for all listeners: one plaintext under one SRTCP index, each under its own
	 * key. Sent again to the same leg it is the same packet.
	 */
	uint64_t report_ns;
	uint32_t report_index;
	uint16_t report_size;
	uint8_t report[RTCP_BUILD_MAX];
};

/* A slot's last packets, and which of them a speaker got under which of their own indices. */
struct report_own {
	uint64_t own; /* 0: none */
	uint64_t slot;
};

/* CLOCK_MONOTONIC as NTP: one line for the life of the process, whatever the wall clock does. */
uint64_t report_ntp(const struct worker *worker, uint64_t at_ns);
/* The room has a WEBRTC leg here: from now on it reports and repeats. No memory: it does not. */
void report_open_room(struct worker_room *room);
void report_close_room(struct worker *worker, struct worker_room *room);
/* A slot packet is being fanned out; only in rooms that report. */
void report_slot(
	const struct worker *worker, struct worker_room *room, const struct packet_meta *meta);
/* The leg has a path that something may be sent on. */
bool report_reaches(const struct worker_leg *leg);
/* About once a second for each WEBRTC leg that has its keys and a path. */
void report_tick(struct worker *worker, struct worker_leg *leg);
/* An authenticated compound of the leg that rtcp_parse() has accepted. */
void report_receive(
	struct worker *worker, struct worker_leg *leg, const uint8_t *data, unsigned int size);

void repeat_clear(struct worker *worker, struct worker_room *room);
/* A slot packet whose fan-out is over, this worker's reference: kept, or let go of. */
void repeat_keep(struct worker *worker, struct worker_room *room, struct rte_mbuf *mbuf);
/* Lets go of what is too old to be asked for. */
void repeat_expire(struct worker *worker, struct worker_room *room);
void repeat_answer(struct worker *worker, struct worker_leg *leg, const struct rtcp_nack *nack);

#endif
