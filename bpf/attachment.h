/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The XDP program on an interface: which one it is, its maps, and its removal. Used by steer.c and
 * sink.c on control threads only. Descriptors that are handed out belong to the caller.
 */
#ifndef STENTOR_BPF_ATTACHMENT_H
#define STENTOR_BPF_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

#define ATTACHMENT_NAME_SIZE 16 /* BPF_OBJ_NAME_LEN */

struct attachment {
	int ifindex;
	uint32_t id;    /* 0: nothing attached */
	uint32_t flags; /* XDP_FLAGS_*_MODE */
	int program;    /* descriptor, the caller closes it; -1 with id 0 */
	char name[ATTACHMENT_NAME_SIZE];
};

/* Returns 0 or a negative errno; -EAGAIN when the program vanished while it was looked at. */
int attachment_query(struct attachment *attachment, int ifindex);

/* Names the program it expects, so that a newcomer's is never removed: then -EEXIST. */
int attachment_remove(const struct attachment *attachment);

bool attachment_is_native(const struct attachment *attachment);

/* Finds a map of a program by name. A descriptor, or -EPROTO when it is missing or misshapen. */
int attachment_map(int program, const char *name, uint32_t key_size, uint32_t value_size);

/*
 * Raises RLIMIT_MEMLOCK as far as this process may. BPF maps count against it before Linux 5.11
 * only, AF_XDP buffers without CAP_IPC_LOCK still do; who really has too little is told by them.
 */
void attachment_raise_memlock(void);

#endif
