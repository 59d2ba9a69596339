/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may do what in a room, by the actor's role. Every rule is here, none in a handler; each
 * returns whether it is allowed and fills in the verdict when it is not. Reads the registry, never
 * changes it.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_POLICY_H
#define STENTOR_CONTROLPLANE_ROOMS_POLICY_H

#include "controlplane/rooms/registry.h"
#include "controlplane/rooms/report.h"
#include "controlplane/rooms/silence.h"

/* user may open and schedule rooms: enough followers, a grant, a moderator of the platform. */
bool policy_may_host(const struct registry *registry, const char *user, struct verdict *verdict);

/* Whether the follower, known to the application, follows that host. */
bool policy_follows(const struct registry *registry, const char *follower, const char *host);

/* Somebody new may come in, or a room may be opened: the box does not drain. */
bool policy_admits(const struct registry *registry, struct verdict *verdict);

/* Of an actor in a room; who moderates needs more than who is moderated. */
enum rank { RANK_NONE, RANK_COHOST, RANK_HOST, RANK_PLATFORM, RANK_COUNT };

/* "the host", for messages. */
const char *policy_rank_name(enum rank rank);

enum rank policy_rank(const struct registry *registry, const struct room *room, const char *user);

/* The actor has at least that rank. what: "mute", for the message. */
bool policy_at_least(const struct registry *registry, const struct room *room, const char *actor,
	enum rank rank, const char *what, struct verdict *verdict);

/* The room's host, or one of its cohosts; whoever they are otherwise. */
bool policy_hosts(const struct room *room, const char *user);

/* user is named as a cohost, in the room or not. */
bool policy_is_cohost(const struct room *room, const char *user);

/* Change, close, or moderate this room: its host. what: "close the room", for the message. */
bool policy_host(
	const struct room *room, const char *actor, const char *what, struct verdict *verdict);

/* Somebody who wants in, or is brought. */
struct join {
	const struct room *room;
	const char *actor, *user;
	enum member_role role;
	const char *share; /* the code of a link; NULL: none was shown */
	bool uninvited;    /* nobody knows them: without a good link they are not let in */
	int64_t now_ms;
};

/* access.c: actor brings user in with that role, through the door that the room has. */
bool policy_join(const struct registry *registry, const struct join *join, struct verdict *verdict);

/* access.c: actor makes links into the room and invitations. */
bool policy_share(const struct registry *registry, const struct room *room, const char *actor,
	struct verdict *verdict);

/* user has paid for that room and was not refunded. */
bool policy_has_ticket(const struct registry *registry, const struct room *room, const char *user);

/* actor gets a fresh token for user. */
bool policy_token(
	const struct room *room, const char *actor, const char *user, struct verdict *verdict);

/* access.c: user may speak without being asked in: an open floor, the room's list, a host. */
bool policy_may_speak(const struct room *room, const char *user);

/* There is place for one more who has the floor. */
bool policy_has_place(
	const struct registry *registry, const struct room *room, struct verdict *verdict);

/* actor ends the membership of user. */
bool policy_leave(
	const struct room *room, const char *actor, const char *user, struct verdict *verdict);

/* Whether the user is kept out of the room: removed from it, or banned by its present host. */
bool policy_shut_out(const struct registry *registry, const struct room *room, const char *user);
/* The same the other way round, with the words. */
bool policy_let_back(const struct registry *registry, const struct room *room, const char *user,
	struct verdict *verdict);

/* actor stands above user in this room, and moderates there. what: "mute", for the message. */
bool policy_moderate(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, const char *what, struct verdict *verdict);

/* actor mutes user: somebody below, or themself. */
bool policy_mute(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict);
/* The rank with which actor mutes and unmutes user; of themself it is none, whoever they are. */
enum rank policy_mute_rank(const struct registry *registry, const struct room *room,
	const char *actor, const char *user);
/* actor lifts a mute at all, of themself or as one who moderates; and this one. */
bool policy_unmute(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict);
bool policy_unmute_this(const struct registry *registry, const struct room *room, const char *actor,
	const struct silence *silence, struct verdict *verdict);

/* Of a room that may have ended: what is left of it then is who its host was. */
enum rank policy_past_rank(
	const struct registry *registry, uint64_t room_id, const char *host, const char *user);
/* actor decides about a report, as one who stands above who is reported. */
bool policy_resolve(const struct registry *registry, const struct report *report, const char *actor,
	struct verdict *verdict);

/* actor removes user for good. */
bool policy_remove(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict);

/* actor bans user from all rooms of the room's host. */
bool policy_ban(const struct registry *registry, const struct room *room, const char *actor,
	const char *user, struct verdict *verdict);

#endif
