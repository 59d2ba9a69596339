/* SPDX-License-Identifier: BSD-3-Clause */
/* The facts of a machine that a figure is worth nothing without. The caller owns the answer. */
#ifndef STENTOR_PERF_MACHINE_H
#define STENTOR_PERF_MACHINE_H

#include <jansson.h>

/* NULL when out of memory; what cannot be told is null or "unknown". */
json_t *machine_facts(void);
/* Of the source this was built from; "-dirty" when it was not all committed. */
const char *machine_commit(void);

#endif
