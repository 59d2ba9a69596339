/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The index of people: who follows somebody, which rooms they host, and in which they are now. A
 * person is an entry of a user, of somebody whom a user follows, of a host or of a member of a
 * room, whether the application has told of them or not. Loop's thread; the crowd owns the entries,
 * not what they point to.
 *
 * Whoever was dropped comes back without fail: changes are taken back newest first and the spares
 * are a stack, so there are as many as were dropped, and the place of each in the hash is still
 * there. A spare keeps its array; one that was dropped by its last follower has space for one.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_CROWD_H
#define STENTOR_CONTROLPLANE_ROOMS_CROWD_H

#include "controlplane/rooms/room.h"

struct user;

struct person {
	struct person *next;    /* of the spares */
	struct user *user;      /* NULL: the application has not told of them */
	struct member *members; /* in rooms now: the first of them */
	struct room *rooms;     /* they host, scheduled or live: the first of them */
	uint64_t *followers;    /* ids of user records, growing, with holes */
	uint32_t size, capacity;
	uint32_t count; /* of the followers, without the holes */
	char name[EVENT_ID_MAX + 1];
};

struct crowd {
	struct hash people; /* struct person by name */
	struct person *spares;
};

/* Frees the entries. */
void crowd_clear(struct crowd *crowd);
/* NULL: no user, nobody's followee, in no room. */
struct person *crowd_find(const struct crowd *crowd, const char *name);
/* The same, made if they are not there; NULL: no memory. */
struct person *crowd_need(struct crowd *crowd, const char *name);
/* Brings what the next steps with these people touch into the cache, all at a time. */
void crowd_fetch(const struct crowd *crowd, const struct user_id *names, unsigned int count);
/* Takes them out if there is nothing to know about them any more. */
void crowd_drop(struct crowd *crowd, struct person *person);

/* 0 or -ENOMEM; linking one that was just taken out cannot fail. */
int crowd_member_link(struct crowd *crowd, struct member *member);
void crowd_member_unlink(struct crowd *crowd, struct member *member);

/* Under the room's host. 0 or -ENOMEM, linking one that was just taken out cannot fail. */
int crowd_room_link(struct crowd *crowd, struct room *room);
void crowd_room_unlink(struct crowd *crowd, struct room *room);
/* To whom will be its host. 0 or -ENOMEM; back to whom it was: cannot fail. */
int crowd_room_move(struct crowd *crowd, struct room *room, const char *host);

/* 0, also when they follow already, or -ENOMEM: not for one who was just removed. */
int person_follower_add(struct person *person, uint64_t id);
void person_follower_remove(struct person *person, uint64_t id);
bool person_followed_by(const struct person *person, uint64_t id);
/* The next of the followers' ids in their order; 0: none. */
uint64_t person_follower_next(const struct person *person, uint64_t after);

#endif
