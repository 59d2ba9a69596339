/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether a request may happen, and if not, why: an error code for programs and a sentence for
 * people that names what was wrong and what is allowed. Plain memory, no owner.
 */
#ifndef STENTOR_CONTROLPLANE_ROOMS_VERDICT_H
#define STENTOR_CONTROLPLANE_ROOMS_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict_code {
	VERDICT_OK,
	VERDICT_INVALID,
	VERDICT_NOT_ALLOWED,
	VERDICT_NO_SUCH_ROOM,
	VERDICT_NO_SUCH_MEMBER,
	VERDICT_ALREADY_EXISTS,
	VERDICT_CONFLICT,
	VERDICT_CAPACITY,
	VERDICT_UNAVAILABLE,
	VERDICT_RATE_LIMITED, /* retry_after_ms says when there is place again */
	VERDICT_NO_SUCH_USER,
	VERDICT_NO_SUCH_THING, /* a ticket, offer, report, pin, share, reminder or ban */
	VERDICT_COUNT
};

struct verdict {
	enum verdict_code code;
	char message[224];
	uint64_t retry_after_ms; /* RATE_LIMITED, else 0 */
};

/* "not_allowed" ...; never NULL. */
const char *verdict_code_name(enum verdict_code code);
/* The code of that name; VERDICT_UNAVAILABLE when there is none. size: of the name. */
enum verdict_code verdict_code_find(const char *name, size_t size);

/* Fills v in and returns false, so that a check can end with `return verdict_refuse(...)`. */
bool verdict_refuse(struct verdict *v, enum verdict_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
