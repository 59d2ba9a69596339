/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listening end of a local SOCK_SEQPACKET socket: a stale file of a dead process is replaced, a
 * living one is not; mode 0660 from the first moment; the peer's credentials are the kernel's.
 */
#ifndef STENTOR_DATAPLANE_CTL_LISTENER_H
#define STENTOR_DATAPLANE_CTL_LISTENER_H

#include <sys/types.h>

/* gid: of the file, (gid_t)-1: ours. Returns the descriptor, or a negative errno, logged. */
int listener_open(const char *path, gid_t gid);
void listener_close(int fd, const char *path);

struct listener_peers {
	uid_t uid; /* besides root and ourselves; (uid_t)-1: nobody */
	gid_t gid; /* (gid_t)-1: none */
};

/* The next connection, nonblocking; -EAGAIN: none. A peer that is not allowed is closed: -EPERM. */
int listener_accept(int fd, const struct listener_peers *allowed);

#endif
