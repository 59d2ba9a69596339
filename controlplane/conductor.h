/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Walks every request from its line to its answer: parse, look for an earlier answer, decide,
 * write, program, answer. Everything here runs on the loop's thread.
 *
 * A turn of the loop is one transaction. Requests decided in it wait in `turn`; at its end it is
 * committed, the operations go to the link, and what the data plane acknowledges is answered.
 * If the disk fails, all of the turn is taken back and only safety actions are decided again: they
 * stay in memory and in the data plane, their plans in `backlog` until the disk takes them.
 *
 * The struct is shared by conductor.c, turn.c, submit.c, ending.c, reconcile.c, notice.c, query.c
 * and the files of sessions (session_state.h), nobody else.
 */
#ifndef STENTOR_CONTROLPLANE_CONDUCTOR_H
#define STENTOR_CONTROLPLANE_CONDUCTOR_H

#include "controlplane/call.h"
#include "controlplane/ending.h"
#include "controlplane/events/feed.h"
#include "controlplane/events/parse.h"
#include "controlplane/events/server.h"
#include "controlplane/link/link.h"
#include "controlplane/loop.h"
#include "controlplane/rooms/plan.h"
#include "controlplane/store/store.h"

struct conductor;
struct sessions; /* session.h */
struct web;

#define RECEIVERS_MAX 4 /* who waits for the same id */

/* A connection of events.sock, or whoever made a call. */
struct receiver {
	uint64_t connection;
	void (*done)(void *context, const struct call_result *result); /* NULL: a connection */
	void *context;
};

struct request {
	/* First: the name in `pending`. The id, with "user/" in front when a page sent it: an id
	 * has no slash, so a page cannot ask for somebody else's answer. Empty: not remembered. */
	char key[2 * EVENT_ID_MAX + 2];
	char id[EVENT_ID_MAX + 1];
	struct conductor *conductor;
	struct request *next;          /* in turn or waiting */
	struct request *newer, *older; /* all of them */
	struct receiver receivers[RECEIVERS_MAX];
	unsigned int receiver_count;
	struct parsed parsed;
	struct plan plan;
	struct writer answer;   /* with marks */
	struct verdict verdict; /* the refusal that is in it */
	struct fact *late;      /* where its changes will wait for the disk */
	bool durable;
	bool refused;    /* the answer is a refusal */
	bool submitted;  /* on its way to the data plane ahead of the disk */
	uint32_t round;  /* waiting: for the resync of this number */
	uint64_t listed; /* explain: entries written */
	uint64_t deadline_ns;
};

struct request_list {
	struct request *first, *last;
	size_t count;
};

/* A plan that waits for the disk. */
struct fact {
	struct fact *next;
	struct plan plan;
};

struct fact_list {
	struct fact *first, *last;
	size_t count;
};

struct conductor_config {
	uint64_t answer_timeout_ns;
	unsigned int pending_max;
};

struct conductor {
	struct conductor_config config;
	struct registry *registry;
	struct store *store;
	struct link *link;
	struct server *server;
	struct feed *feed;
	struct loop *loop;
	struct sessions *sessions; /* NULL: no browsers */
	struct web *web;           /* NULL: no HTTP */
	uint64_t started_ns;

	void *reserve;       /* what ends by itself ends also when there is no memory; ending.c */
	struct hash pending; /* struct request that changes something, by id, until answered */
	size_t pending_count;
	struct request *newest;      /* of all requests not yet answered */
	struct request_list turn;    /* decided in this turn */
	struct request_list waiting; /* for a resync */
	struct request_list refused; /* joins the data plane refused, to be taken back */
	bool transaction;            /* open, for this turn */
	struct fact_list facts;      /* happened in this turn by themselves */
	struct fact_list backlog;    /* in force, not yet on the disk */
	bool store_failed;           /* at the last attempt */

	struct stn_hello_reply hello; /* of the data plane we talk, or talked, to */
	bool greeted;
	bool dumped;       /* a dump has been read to its end */
	bool unreconciled; /* somebody is still to be ended before anything may be programmed */
	uint32_t round;    /* of resyncs enumerated */
	uint64_t *named;   /* id of each operation of the last resync */
	size_t named_count;
	uint64_t tick_ns;
	bool fenced;
};

/* conductor.c: for the server and the loop. */
void conductor_line(void *conductor, uint64_t connection, char *line, size_t size);
void conductor_too_long(void *conductor, uint64_t connection);
void conductor_drained(void *conductor, uint64_t connection);
void conductor_stalled(void *conductor, uint64_t connection);
void conductor_closed(void *conductor, uint64_t connection);
int conductor_timeout_ms(void *conductor, uint64_t now_ns);
void conductor_turn_end(void *conductor, uint64_t now_ns);
void conductor_close(struct conductor *c);
/* For the others. */
struct moment conductor_now(void);
/* What will be sent, into request->answer: from its plan, or from a refusal. */
void conductor_write_answer(struct request *request);
void conductor_write_refusal(struct request *request, const struct verdict *why);
/* Sends request->answer and frees the request. finish and refuse write it first. */
void conductor_answer(struct conductor *c, struct request *request, bool programmed);
void conductor_finish(struct conductor *c, struct request *request);
void conductor_refuse(struct conductor *c, struct request *request, const struct verdict *why);
/* Until the resync of that round is applied, or answer_timeout_ns. */
void conductor_wait(struct conductor *c, struct request *request, uint32_t round);
void conductor_push(struct request_list *list, struct request *request);
struct request *conductor_pop(struct request_list *list);

/* turn.c: transactions. */
/* Decides a request; it is then in the turn, or answered and gone. */
void turn_take(struct conductor *c, struct request *request);
/* Commits what was decided and submits it. */
void turn_commit(struct conductor *c);
/*
 * What happened by itself, already applied in the plan: written if the disk lets us, kept in the
 * backlog if not, announced in both cases at turn_commit(). Takes the plan over. No request may be
 * in the turn, since a failing disk would take those back and cannot take a fact back.
 * False: there is no memory, and the plan was taken back.
 */
bool turn_fact(struct conductor *c, struct plan *plan);
/* Opens the transaction of this turn, the backlog in front. 0 or negative errno. */
int turn_open(struct conductor *c);
/* Frees what is left at the end of the program. */
void turn_close(struct conductor *c);

void submit_request(struct conductor *c, struct request *request);
/* Safety first: what silences does not wait for the disk. Nothing happens when the link is not up.
 */
void submit_ahead(struct conductor *c, struct request *request);
/* Ends the memberships of refused joins and answers them. */
void submit_settle_refused(struct conductor *c);
/* The data plane has it: from now on its keys belong to that index store, counted from there. */
void submit_programmed(
	struct conductor *c, struct member *member, const struct link_result *result);

/* reconcile.c */
extern const struct link_callbacks reconcile_callbacks;

/* notice.c */
/* Live events: member.connected, member.disconnected. */
void notice_connection(struct conductor *c, const struct member *member, bool connected);
void notice_take(struct conductor *c, const struct stn_notice *notice);

/* query.c: asks the data plane and finishes the request. */
void query_start(struct conductor *c, struct request *request);

#endif
