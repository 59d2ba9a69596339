/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading operations out of a message of another process: framing and the range of every field,
 * without looking at what is programmed. Pure functions.
 */
#ifndef STENTOR_DATAPLANE_CTL_OPERATION_H
#define STENTOR_DATAPLANE_CTL_OPERATION_H

#include <stddef.h>
#include <stdint.h>

#include "dataplane/api/table.h"

/* Why something is refused; status STN_STATUS_OK: it is not. */
struct refusal {
	uint32_t status;    /* enum stn_status */
	uint32_t failed_op; /* position in the transaction, UINT32_MAX: none */
	char reason[STN_REASON_SIZE];
};

/* Returns -EINVAL, for `return refuse(...)`. failed_op is left to whoever knows the position. */
int refuse(struct refusal *refusal, enum stn_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The operation at the start of bytes (8-byte aligned), or NULL when it does not fit: a size that
 * is not that of its type, an unknown type, or fewer than size bytes.
 */
const struct stn_op *operation_read(const uint8_t *bytes, size_t size, struct refusal *refusal);

/* 0, or -EINVAL with the refusal: a field is out of range. op came from operation_read(). */
int operation_check(const struct stn_op *op, struct refusal *refusal);

#endif
