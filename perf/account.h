/* SPDX-License-Identifier: BSD-3-Clause */
/* stentor-bench account: a copy's nanoseconds by stage, from samples; perf/account.sh calls it. */
#ifndef STENTOR_PERF_ACCOUNT_H
#define STENTOR_PERF_ACCOUNT_H

extern const char account_usage[];

/* argv[0] is "account". Returns the exit code of report.h, or 2: usage. */
int account_main(int argc, char *argv[]);

#endif
