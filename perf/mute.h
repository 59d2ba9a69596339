/* SPDX-License-Identifier: BSD-3-Clause */
/* `stentor-bench mute`: mutes of a speaker while the worker is at full load. */
#ifndef STENTOR_PERF_MUTE_H
#define STENTOR_PERF_MUTE_H

extern const char mute_usage[];
int mute_main(int argc, char *argv[]);

#endif
