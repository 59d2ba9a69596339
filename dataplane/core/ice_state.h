/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ICE remembers of a leg: private to ice.c (what follows from a message), ice_path.c (the
 * paths) and ice_facts.c (the credentials). A leg belongs to the worker that owns it; facts are
 * immutable and belong to the main lcore. The texts of the facts lie in one block behind the
 * struct, because a peer's half is usually some 30 bytes of the 512 that it may be.
 */
#ifndef STENTOR_DATAPLANE_CORE_ICE_STATE_H
#define STENTOR_DATAPLANE_CORE_ICE_STATE_H

#include "dataplane/core/ice.h"

#define ICE_MS UINT64_C(1000000)
#define ICE_SECOND (1000 * ICE_MS)
/* Two of Chromium's checks, 2.5 s apart on a quiet path, have not come. */
#define ICE_SILENT_NS (5 * ICE_SECOND)
#define ICE_MOVES_MAX 3 /* in any second */
#define ICE_SEEN_COUNT 24

struct ice_facts {
	struct digest_key local;  /* signs our responses, proves checks of the peer */
	struct digest_key remote; /* signs our checks, proves responses of the peer */
	uint64_t leg_id;
	uint8_t local_random[4];
	uint16_t remote_ufrag_size;
	uint16_t remote_pwd_size;
	uint16_t username_size; /* of our checks: "theirs:ours" */
	uint16_t size;          /* of all this */
	char local_pwd[STN_ICE_LOCAL_PWD_SIZE];
	char text[]; /* username, then the remote password */
};

/* Our own half of the username. */
static inline const char *ice_facts_local_ufrag(const struct ice_facts *facts)
{
	return facts->text + facts->remote_ufrag_size + 1;
}

enum ice_path_state { ICE_PATH_FREE, ICE_PATH_UNVALIDATED, ICE_PATH_VALIDATED };

/*
 * USE-CANDIDATE counts when the check before had none. An agent of RFC 5245 puts it into every
 * check of every pair, and would move the leg with each of them.
 */
enum ice_nomination { ICE_NOMINATION_NONE, ICE_NOMINATION_ASKED, ICE_NOMINATION_TAKEN };

struct ice_path {
	struct ice_origin origin;
	uint32_t number; /* makes the challenge's transaction id its own */
	uint64_t opened_ns;
	uint64_t alive_ns;      /* last sign of life that was no repetition */
	uint64_t challenged_ns; /* 0: never */
	uint32_t credit;    /* unvalidated: bytes of IP that came from there and did not go there */
	uint8_t state;      /* enum ice_path_state */
	uint8_t nomination; /* enum ice_nomination */
	bool owes;          /* a response to `owed` */
	uint8_t owed[STUN_TRANSACTION_SIZE];
};

/* A check that was answered, by keyed hashes: which one, and from where. */
struct ice_seen {
	uint32_t transaction;
	uint32_t remote;
};

struct ice_leg {
	const struct ice_facts *facts;
	const struct siphash_key *secret;
	uint32_t leg;
	uint8_t worker;
	int8_t selected;
	bool lost;
	uint8_t seen_next;
	uint32_t number;
	uint64_t checks_ns; /* when the checks answered so far have been paid for */
	uint64_t moved_ns[ICE_MOVES_MAX];
	struct ice_seen seen[ICE_SEEN_COUNT];
	struct ice_path path[ICE_PATHS_MAX];
};
_Static_assert(sizeof(struct ice_leg) == 496, "kept by the hundred thousand");

/* Position, or ICE_PATH_NONE. */
int ice_path_find(const struct ice_leg *ice, const struct stn_address *remote);
/* A position that a new tuple may have; ICE_PATH_NONE: all have more right to theirs. */
int ice_path_room(const struct ice_leg *ice, uint64_t now_ns);
/* In the place of whatever is there. */
void ice_path_begin(
	struct ice_leg *ice, int path, const struct ice_origin *origin, uint64_t now_ns);
bool ice_path_silent(const struct ice_path *path, uint64_t now_ns);
/* Whether this path, validated, is to be selected in place of the present one. */
bool ice_path_wanted(
	const struct ice_leg *ice, int path, enum ice_nomination nomination, uint64_t now_ns);
/* Whether one more move is allowed now. */
bool ice_path_movable(const struct ice_leg *ice, uint64_t now_ns);
enum ice_event ice_path_select(struct ice_leg *ice, int path, uint64_t now_ns);

#endif
