// SPDX-License-Identifier: BSD-3-Clause
/*
 * The real data plane on a null port, programmed over table.sock with half of the listeners, then
 * with all: resident memory between the two. What is there once, and what any traffic touches, is
 * in the first half already.
 */
#include "perf/memory.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/argument.h"
#include "perf/footprint.h"
#include "perf/planes.h"
#include "perf/process.h"
#include "perf/programmer.h"
#include "perf/report.h"

#define ROOM 1
#define BATCH 8192 /* legs in a transaction */
#define LISTENERS_MAX 4000000u

const char memory_usage[] =
	"usage: stentor-bench memory [option...]\n"
	"Bytes of the data plane's memory that a listener takes: the real program on a null port,\n"
	"programmed with half of the listeners, then with all.\n"
	"  --listeners N          2 to 4,000,000, which is legs_max too (100000)\n"
	"  --suite SUITE          gcm128, gcm256, cm80 or group: protection (gcm128)\n"
	"  --engine ENGINE        auto, vaes, ipsec_mb or libsrtp (auto)\n"
	"  --browsers             WEBRTC legs, with credentials, keys and a path\n"
	"  --folder DIR           for sockets and the index store (/tmp)\n"
	"  --repeats N            data planes started, 1 to 101 (5)\n"
	"  --json                 one object, as perf/report.schema.json has it\n"
	"Results:\n"
	"  listener_bytes  bytes, lower  resident memory, from half of the listeners to all, each\n"
	"  listener_bytes_from_none  bytes, lower  the same from none to all\n"
	"  resident_bytes  bytes, lower  of the process with all of them\n"
	"  accounted_bytes  bytes, lower  the sum of the parts that follow, from sizeof\n"
	"  registry_bytes  bytes, lower  main lcore: the leg, its handle, its place in the room\n"
	"  facts_bytes  bytes, lower  what both lcores read: ids, address, master keys, "
	"credentials\n"
	"  maps_bytes  bytes, lower  main lcore: by id and by address\n"
	"  worker_bytes  bytes, lower  its worker's entry; of a browser ICE as well\n"
	"  locator_bytes  bytes, lower  from addresses, and of browsers from ids, to legs\n"
	"  lane_bytes  bytes, lower  origins and handle in the room's shard\n"
	"  template_bytes  bytes, lower  headers of its frames\n"
	"  key_bytes  bytes, lower  session keys as the engine keeps them\n"
	"  hot_bytes  bytes, lower  of the last three, what a copy of 100 bytes touches\n";

struct options {
	uint32_t listeners, repeats;
	enum suite suite;
	const char *engine, *folder;
	bool browsers;
	enum report_format format;
};

struct run {
	const struct options *options;
	struct planes planes;
	struct programmer programmer;
	struct report *report;
	uint64_t random;
};

static const char *const suite_names[SUITE_COUNT] = {"group", "gcm128", "gcm256", "cm80"};

/* splitmix64: keys only have to differ. */
static uint64_t next_random(struct run *run)
{
	uint64_t z = run->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static void make_key(struct run *run, enum suite suite, struct stn_master_key *key)
{
	const struct suite_facts *facts = suite_facts(suite);
	uint64_t words[6];

	for (int i = 0; i < 6; i++)
		words[i] = next_random(run);
	key->suite = (uint8_t)suite;
	memcpy(key->key, words, facts->key_size);
	memcpy(key->salt, words + 4, facts->salt_size);
}

/* Listeners of the group class have no keys of their own. */
static struct stn_op_leg_put listener(struct run *run, uint32_t number)
{
	enum suite suite = run->options->suite;
	uint32_t address = (10u << 24) + 1 + number;
	struct stn_op_leg_put op = {.op = {STN_OP_LEG_PUT, sizeof(op), 0},
		.leg_id = next_random(run) | 1,
		.room_id = ROOM,
		.member_id = number + 1,
		.role = STN_ROLE_LISTENER,
		.protection = suite == SUITE_NONE ? STN_PROTECTION_GROUP : STN_PROTECTION_LEG,
		.transport = run->options->browsers ? STN_TRANSPORT_WEBRTC : STN_TRANSPORT_KEYED,
		.remote = {.family = 4,
			.port_be = (uint16_t)(1024 + number % 60000),
			.address = {(uint8_t)(address >> 24), (uint8_t)(address >> 16),
				(uint8_t)(address >> 8), (uint8_t)address}}};

	if (suite != SUITE_NONE) {
		make_key(run, suite, &op.tx);
		make_key(run, suite, &op.rx);
	}
	return op;
}

/* As Chromium names them: 4 and 24 characters. */
static struct stn_op_leg_ice credentials(uint64_t leg_id)
{
	struct stn_op_leg_ice op = {.op = {STN_OP_LEG_ICE, sizeof(op), 0},
		.leg_id = leg_id,
		.local_random = {1, 2, 3, 4},
		.remote_ufrag_size = 4,
		.remote_pwd_size = 24};

	memcpy(op.local_pwd, "abcdefghijklmnopqrstuvwx", sizeof(op.local_pwd));
	memcpy(op.remote_ufrag, "uFr+", 4);
	memcpy(op.remote_pwd, "0123456789ABCDEFGHIJKLMN", 24);
	return op;
}

/* First without keys, as browsers come; a room's browser has its keys in another transaction. */
static int add_browser(struct run *run, const struct stn_op_leg_put *keyed)
{
	struct stn_op_leg_ice ice = credentials(keyed->leg_id);
	struct stn_op_leg_put bare = *keyed;
	int error;

	memset(&bare.tx, 0, sizeof(bare.tx));
	memset(&bare.rx, 0, sizeof(bare.rx));
	error = programmer_add(&run->programmer, &bare, sizeof(bare));
	return error ? error : programmer_add(&run->programmer, &ice, sizeof(ice));
}

static int add_batch(struct run *run, uint32_t from, uint32_t to, bool keyed)
{
	int error = programmer_begin(&run->programmer);

	for (uint32_t i = from; !error && i < to; i++) {
		struct stn_op_leg_put op = listener(run, i);

		error = keyed ? programmer_add(&run->programmer, &op, sizeof(op))
			      : add_browser(run, &op);
	}
	return error ? error : programmer_commit(&run->programmer);
}

static int add_listeners(struct run *run, uint32_t from, uint32_t to)
{
	int error = 0;

	for (; !error && from < to; from += BATCH) {
		uint32_t end = to - from < BATCH ? to : from + BATCH;
		uint64_t random = run->random;

		if (run->options->browsers)
			error = add_batch(run, from, end, false);
		if (run->options->browsers)
			run->random = random;
		if (!error)
			error = add_batch(run, from, end, true);
	}
	return error;
}

static int add_room(struct run *run)
{
	struct stn_op_room_put room = {.op = {STN_OP_ROOM_PUT, sizeof(room), 0},
		.room_id = ROOM,
		.slot_ssrc = {101, 102, 103},
		.slot_count = 3,
		.profile_count = 1,
		.profile = {{.payload_type = 111, .audio_level_id = 1}}};
	int error = programmer_begin(&run->programmer);

	if (run->options->suite == SUITE_NONE)
		make_key(run, SUITE_AEAD_AES_128_GCM, &room.group_key);
	if (!error)
		error = programmer_add(&run->programmer, &room, sizeof(room));
	return error ? error : programmer_commit(&run->programmer);
}

static int write_config(const struct run *run)
{
	const char *folder = run->planes.folder;
	char path[PATH_MAX + 32];
	FILE *file;

	snprintf(path, sizeof(path), "%s/stentor.conf", folder);
	file = fopen(path, "w");
	if (file == NULL)
		return -errno;
	fprintf(file,
		"dataplane = { ports = ( { driver = \"null\"; addresses = [ \"10.255.255.254/8\" "
		"];\ngateway_mac = \"02:00:00:00:00:01\"; } );\n"
		"table_socket = \"%s/table.sock\"; index_store = \"%s/index\";\n"
		"huge_pages = \"never\"; engine = \"%s\"; legs_max = %u; };\n",
		folder, folder, run->options->engine, run->options->listeners);
	return fclose(file) == 0 ? 0 : -EIO;
}

static int resident(const struct run *run, double *bytes)
{
	struct process_usage usage;
	int error = process_read(run->planes.pid[PLANE_DATA], &usage);

	if (!error)
		*bytes = (double)usage.resident_bytes;
	return error;
}

static int account(struct run *run)
{
	const struct engine *engine = engine_find(run->programmer.hello.engine);
	struct footprint footprint;
	int error = engine == NULL
			    ? -ENOENT
			    : footprint_of(engine, run->options->suite, run->options->browsers,
				      run->options->listeners, &footprint);

	if (error)
		return error;
	report_parameter(run->report, "engine", engine->name);
	for (int i = 0; i < FOOTPRINT_PARTS; i++)
		report_value(run->report, footprint.part[i].name, "bytes", REPORT_LOWER,
			footprint.part[i].bytes);
	report_value(run->report, "accounted_bytes", "bytes", REPORT_LOWER, footprint.total);
	report_value(run->report, "hot_bytes", "bytes", REPORT_LOWER, footprint.hot);
	return 0;
}

static int measure(struct run *run, bool first)
{
	uint32_t half = run->options->listeners / 2, all = run->options->listeners;
	char path[PATH_MAX + 32];
	double none, some, full;
	int error = planes_open(&run->planes, run->options->folder, all);

	run->programmer.fd = -1;
	if (!error)
		error = write_config(run);
	if (!error)
		error = planes_start(&run->planes, PLANE_DATA);
	snprintf(path, sizeof(path), "%s/table.sock", run->planes.folder);
	if (!error)
		error = programmer_open(&run->programmer, path);
	if (!error && first)
		error = account(run);
	if (!error)
		error = add_room(run);
	if (!error)
		error = resident(run, &none);
	if (!error)
		error = add_listeners(run, 0, half);
	if (!error)
		error = resident(run, &some);
	if (!error)
		error = add_listeners(run, half, all);
	if (!error)
		error = resident(run, &full);
	programmer_close(&run->programmer);
	planes_close(&run->planes);
	if (error)
		return error;
	report_value(
		run->report, "listener_bytes", "bytes", REPORT_LOWER, (full - some) / (all - half));
	report_value(run->report, "listener_bytes_from_none", "bytes", REPORT_LOWER,
		(full - none) / all);
	report_value(run->report, "resident_bytes", "bytes", REPORT_LOWER, full);
	return 0;
}

static int choose_suite(enum suite *suite)
{
	int n = argument_choice("suite", optarg, suite_names, SUITE_COUNT);

	if (n >= 0)
		*suite = (enum suite)n;
	return n;
}

static int parse(struct options *o, int argc, char *argv[])
{
	static const struct option names[] = {{"listeners", 1, NULL, 'l'}, {"suite", 1, NULL, 's'},
		{"engine", 1, NULL, 'e'}, {"browsers", 0, NULL, 'b'}, {"repeats", 1, NULL, 'r'},
		{"folder", 1, NULL, 'f'}, {"json", 0, NULL, 'j'}, {NULL, 0, NULL, 0}};
	int c, rc = 0;

	while (rc >= 0 && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 'l')
			rc = argument_number("listeners", optarg, 2, LISTENERS_MAX, &o->listeners);
		else if (c == 's')
			rc = choose_suite(&o->suite);
		else if (c == 'e')
			o->engine = optarg;
		else if (c == 'b')
			o->browsers = true;
		else if (c == 'r')
			rc = argument_number("repeats", optarg, 1, REPEATS_MAX, &o->repeats);
		else if (c == 'f')
			o->folder = optarg;
		else if (c == 'j')
			o->format = REPORT_JSON;
		else
			rc = -1;
	}
	if (rc >= 0 && o->browsers && o->suite == SUITE_NONE) {
		fputs("stentor-bench: --browsers have keys of their own\n", stderr);
		rc = -1;
	}
	return rc >= 0 && optind == argc ? 0 : -1;
}

int memory_main(int argc, char *argv[])
{
	struct options options = {.listeners = 100000,
		.repeats = 5,
		.suite = SUITE_AEAD_AES_128_GCM,
		.engine = "auto",
		.folder = "/tmp"};
	struct run *run;
	int error = 0;

	if (parse(&options, argc, argv) < 0) {
		fputs(memory_usage, stderr);
		return 2;
	}
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return REPORT_EXIT_FAILED;
	run->options = &options;
	run->report = report_open("memory", argc, argv);
	report_parameter_number(run->report, "listeners", options.listeners);
	report_parameter(run->report, "suite", suite_names[options.suite]);
	report_parameter(run->report, "legs", options.browsers ? "browsers" : "keyed");
	for (uint32_t i = 0; !error && i < options.repeats; i++) {
		if (i > 0)
			report_breathe(run->report);
		error = measure(run, i == 0);
	}
	if (error) {
		fprintf(stderr, "stentor-bench: %s\n", strerror(-error));
		report_abandon(run->report);
		error = REPORT_EXIT_FAILED;
	} else {
		error = report_close(run->report, options.format, stdout);
	}
	free(run);
	return error;
}
