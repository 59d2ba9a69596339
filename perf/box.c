// SPDX-License-Identifier: BSD-3-Clause
#include "perf/box.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int read_settings(struct box *box, const char *settings)
{
	struct option_source source = {
		.name = "stentor-bench", .text = settings, .size = strlen(settings)};
	struct option_error error;
	int rc = option_read(&dataplane_options, &source, &box->config, &error);

	if (rc < 0)
		fprintf(stderr, "stentor-bench: %s\n", error.text);
	return rc;
}

int box_open(struct box *box, const char *settings, const char *engine_name)
{
	struct port_environment environment = {.config = &box->config, .pool = box->pool.buffers};
	const struct engine *engine = engine_find(engine_name);
	struct bus_config bus = {.port = &box->port, .port_count = 1};
	int rc;

	if (engine == NULL || !engine->available())
		return -ENOTSUP;
	rc = read_settings(box, settings);
	if (rc == 0)
		rc = eal_start(&box->config);
	box->eal_started = rc == 0;
	if (rc == 0)
		rc = pool_buffers_open(&box->pool, &box->config);
	if (rc == 0)
		rc = port_open(&box->port, 0, &environment);
	if (rc == 0)
		rc = pool_open(&box->pool, &box->config, engine, &box->port);
	if (rc < 0)
		return rc;
	bus.worker = box->pool.worker;
	bus.worker_count = box->pool.count;
	bus.pool = box->pool.buffers;
	bus.legs_max = box->config.legs_max;
	rc = bus_open(&box->bus, &bus);
	if (rc == 0)
		box->interface = bus_interface(box->bus);
	return rc;
}

void box_close(struct box *box)
{
	if (box->pool.worker[0] != NULL)
		pool_close(&box->pool);
	bus_close(box->bus);
	port_close(&box->port);
	pool_buffers_close(&box->pool);
	if (box->eal_started)
		eal_stop();
}

int box_post(struct box *box, unsigned int worker, const struct command *command)
{
	double deadline = now() + 10;

	while (box->interface.post(box->interface.impl, worker, command) < 0)
		if (now() > deadline)
			return -ETIMEDOUT;
	return 0;
}

int box_fence(struct box *box)
{
	struct command command = {.type = COMMAND_FENCE, .value = 1};
	double deadline = now() + 60;
	unsigned int i, answers = 0;
	struct reply reply;
	int rc = 0;

	for (i = 0; i < box->pool.count && rc == 0; i++)
		rc = box_post(box, i, &command);
	while (rc == 0 && answers < box->pool.count) {
		if (now() > deadline)
			return -ETIMEDOUT;
		if (!box->interface.poll(box->interface.impl, &reply))
			continue;
		if (reply.type == REPLY_REFUSED)
			return -ENOSPC;
		answers += reply.type == REPLY_FENCE;
	}
	return rc;
}
