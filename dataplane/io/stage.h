/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stages of a packet's journey (DESIGN section 3), in order. Each runs on the worker's lcore,
 * between nothing else, and owns the mbufs it is given until it passes them on or frees them.
 */
#ifndef STENTOR_DATAPLANE_IO_STAGE_H
#define STENTOR_DATAPLANE_IO_STAGE_H

#include "dataplane/io/state.h"

/* receive, classify, locate: polls the worker's queues; returns how many packets there were. */
unsigned int receive_poll(struct worker *worker);
/* Packets that other workers handed over or published. */
unsigned int receive_rings(struct worker *worker);
/* For the worker that owns it, or dropped: at most twice, whatever the tables say. */
void receive_hand_over(
	struct worker *worker, struct rte_mbuf *mbuf, unsigned int to, enum stn_drop reason);
/* STUN: a check or an answer to ours, for whichever worker. Consumes the mbuf. */
void check_receive(struct worker *worker, struct rte_mbuf *mbuf);
/* DTLS of a leg that this worker owns, to the main lcore. Consumes the mbuf. */
void punt_receive(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf);
/* DTLS that the main lcore has for legs of this worker; returns how many datagrams. */
unsigned int punt_send(struct worker *worker);
/*
 * Sends a datagram of our own: mbuf holds the UDP payload, with headroom. local: NULL for where
 * copies come from. Consumes the mbuf; false and counted when the port did not take it.
 */
bool reply_send(struct worker *worker, const struct ice_origin *to, const struct stn_address *local,
	struct rte_mbuf *mbuf);
/* admit: a datagram of a known leg, owned by this worker. Consumes the mbuf. */
void admit_datagram(struct worker *worker, struct worker_leg *leg, struct rte_mbuf *mbuf);
/* select, publish: what the room's selector decided. Consumes the handles in worker->selection. */
void publish_selection(struct worker *worker, struct worker_room *room);
/* A slot packet to every worker, this one included. Consumes the mbuf. */
void publish_packet(struct worker *worker, struct rte_mbuf *mbuf);
/* A slot packet into its room's queue of fan-outs here. Consumes the mbuf. */
void publish_local(struct worker *worker, struct rte_mbuf *mbuf);
/* Timers of the rooms at home here. */
unsigned int publish_ticks(struct worker *worker);
/*
 * fan out: one slice for the rooms whose turn it is. Returns the copies made and what the work
 * besides is worth in copies; 0: nothing to do now.
 */
unsigned int fan_slice(struct worker *worker);
/* Another room is at the head of the queue: asks for the memory of those behind it. */
void ahead_fetch(const struct worker *worker);
/* Drops the room's packets, the one under way included: all, or those of this source. */
void fan_cancel(struct worker *worker, struct worker_room *room, uint32_t source);
#define FAN_EVERYBODY UINT32_MAX
/* Whether a slot packet may still go out: neither its room nor its source was silenced. */
bool fan_allowed(const struct worker *worker, const struct packet_meta *meta);
/*
 * copy: what a room's fan-out under way (room->fan) sends. To everybody of one run: returns the
 * copies made or missed; the run is shortened to those there are buffers for.
 */
unsigned int copy_run(struct worker *worker, struct worker_room *room, struct fanout_run *run);
/* Protects the packet once for all listeners that share the room's key. */
void copy_group(struct worker *worker, struct worker_room *room, const struct slot_packet *packet);
/* Speakers listen too, but never to themselves, so each has a sequence space of their own. */
void copy_speakers(struct worker *worker, struct worker_room *room, const struct packet_meta *meta);
/* transmit: hands frames to the port; frees and counts what it refuses. Returns those accepted. */
unsigned int transmit_burst(
	struct worker *worker, unsigned int port, struct rte_mbuf *mbufs[], unsigned int count);
/* The same for one frame that is not a copy; the caller counts. */
bool transmit_frame(struct worker *worker, unsigned int port, struct rte_mbuf *mbuf);
/*
 * commands: applies what the main lcore sent, for a slice of time; returns how many. While packets
 * wait to be sent commands take a fifth of the time at most, unless one of them is in a hurry.
 */
unsigned int apply_commands(struct worker *worker);
/* Consent and the other timers of WEBRTC legs: a slice of them each tick of `tick_ns`. */
void path_ticks(struct worker *worker, uint64_t tick_ns);
/*
 * Takes out, for a slice of time, legs that were silenced while their room's fan-out was under way,
 * in rooms where none is now, and frees rooms that were closed. Returns how many.
 */
unsigned int listener_tidy(struct worker *worker);
/* The room has places to be taken out, or is to be freed. */
void listener_tidy_later(struct worker *worker, struct worker_room *room);
/* Frees a room and what is left in it, at once or by and by. */
void apply_room_close(struct worker *worker, uint32_t room);
void apply_room_free(struct worker *worker, struct worker_room *room);
void apply_leg_close(struct worker *worker, uint32_t leg);
/* Queues a notice for the main lcore; false: no space. Telemetry is then lost. */
bool apply_notify(struct worker *worker, const struct reply *reply);

#endif
