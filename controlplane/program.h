/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything the control plane consists of, opened in order and closed in reverse; the only place
 * that knows everybody. main() fills in config first; the struct may not move afterwards.
 */
#ifndef STENTOR_CONTROLPLANE_PROGRAM_H
#define STENTOR_CONTROLPLANE_PROGRAM_H

#include "controlplane/conductor.h"
#include "controlplane/config.h"

struct program {
	struct config config;
	struct registry registry;
	struct conductor conductor;
	const char *http_hosts[HTTP_NAMES_MAX], *http_origins[HTTP_NAMES_MAX];
	struct dtls *dtls;
	struct certificate *certificate;
	uint64_t certificate_ns; /* when it is looked at again */
	struct loop_source dtls_source;
	struct loop_source link_source, signal_source;
};

/* 0, or negative errno with the reason logged; program_close() in both cases. */
int program_open(struct program *program);
/* SIGTERM and SIGINT end loop_run(program->conductor.loop); then this. */
void program_close(struct program *program);

#endif
