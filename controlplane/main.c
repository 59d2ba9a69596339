/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/prctl.h>
#include <sys/resource.h>

#include "configs/log.h"
#include "configs/notify.h"
#include "controlplane/program.h"

#define EXIT_FENCED OPTION_EXIT_REFUSED /* systemd must not start us against the one that won */

/* Keys are in this memory: no core dump, no debugger of another user. */
static void hide_memory(void)
{
	struct rlimit none = {0, 0};

	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &none);
}

int main(int argc, char *argv[])
{
	static struct program program;
	int rc = option_begin(&controlplane_options, argc, argv, &program.config);

	if (rc != 0)
		return rc > 0 ? 0 : OPTION_EXIT_REFUSED;
	log_open((enum log_level)program.config.log_level);
	hide_memory();
	rc = program_open(&program);
	if (rc == 0) {
		log_info("ready", "events_socket=%s", program.config.events_socket);
		notify_ready("ready");
		rc = loop_run(program.conductor.loop);
		notify_stopping();
	}
	program_close(&program);
	if (program.conductor.fenced)
		return EXIT_FENCED;
	return rc == 0 ? 0 : 1;
}
