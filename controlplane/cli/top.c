// SPDX-License-Identifier: BSD-3-Clause
/*
 * top: what the relay does just now, from two looks at its counters a second apart.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/screen.h"
#include "controlplane/cli/table.h"

#define ROOMS_SHOWN 12
#define WORKERS_MAX 16
#define BAR_WIDTH 20

struct look {
	json_t *status;
	json_t *rooms; /* at most ROOMS_SHOWN of them, the largest */
	double at_s;
};

static double clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static json_int_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int more_listeners(const void *a, const void *b)
{
	json_int_t first = integer(*(json_t *const *)a, "listeners");
	json_int_t second = integer(*(json_t *const *)b, "listeners");

	return first < second ? 1 : first > second ? -1 : 0;
}

/* The largest rooms, with their slots. */
static int look_at_rooms(const struct command_line *line, json_t *list, json_t *shown)
{
	size_t count = json_array_size(list);
	json_t **sorted = calloc(count + 1, sizeof(*sorted));
	int code = sorted ? COMMAND_OK : COMMAND_BROKEN;

	for (size_t i = 0; sorted && i < count; i++)
		sorted[i] = json_array_get(list, i);
	if (sorted)
		qsort(sorted, count, sizeof(*sorted), more_listeners);
	for (size_t i = 0; code == COMMAND_OK && i < count && i < ROOMS_SHOWN; i++) {
		json_t *request = json_pack("{s:s, s:O}", "type", "room.get", "room",
			json_object_get(sorted[i], "room"));
		json_t *answer;

		code = command_ask(line, request, &answer);
		if (code != COMMAND_OK)
			break;
		json_array_append(shown, json_object_get(answer, "room"));
		json_decref(answer);
	}
	free(sorted);
	/* A room may close between the list and the question. */
	return code == COMMAND_REFUSED ? COMMAND_OK : code;
}

static int look(const struct command_line *line, struct look *out)
{
	struct command_line first_page = *line;
	json_t *list;
	int code = command_ask(line, json_pack("{s:s}", "type", "status"), &out->status);

	out->at_s = clock_s();
	if (code != COMMAND_OK)
		return code;
	first_page.limit = 500;
	code = command_ask_pages(
		&first_page, json_pack("{s:s}", "type", "room.list"), "rooms", &list);
	if (code != COMMAND_OK)
		return code;
	out->rooms = json_array();
	code = look_at_rooms(line, list, out->rooms);
	json_decref(list);
	return code;
}

static void look_free(struct look *look)
{
	json_decref(look->status);
	json_decref(look->rooms);
	memset(look, 0, sizeof(*look));
}

static const json_t *worker_of(const struct look *look, size_t i)
{
	return json_array_get(
		json_object_get(json_object_get(look->status, "dataplane"), "workers"), i);
}

/* Per second between two looks; a counter that went back belongs to a restarted data plane. */
static double rate(
	const struct look *before, const struct look *now, json_int_t old, json_int_t new)
{
	double seconds = now->at_s - before->at_s;

	return seconds > 0 && new >= old ? (double)(new - old) / seconds : 0;
}

static double worker_rate(
	const struct look *before, const struct look *now, size_t worker, const char *key)
{
	return rate(before, now, integer(worker_of(before, worker), key),
		integer(worker_of(now, worker), key));
}

/* STUN, DTLS, RTCP and answers to NACK: everything sent that is not a copy. */
static double control_rate(const struct look *before, const struct look *now, size_t worker)
{
	return worker_rate(before, now, worker, "stun_sent") +
	       worker_rate(before, now, worker, "dtls_sent") +
	       worker_rate(before, now, worker, "rtcp_sent") +
	       worker_rate(before, now, worker, "retransmitted");
}

static double busy_of(const struct look *before, const struct look *now, size_t worker)
{
	double busy = worker_rate(before, now, worker, "busy_ns");
	double idle = worker_rate(before, now, worker, "idle_ns");

	return busy + idle > 0 ? busy / (busy + idle) : 0;
}

/* Sums of the workers' drops by reason: {"no_leg": [old, new], ...} as an object of rates. */
static json_t *drop_rates(const struct look *before, const struct look *now)
{
	json_t *rates = json_object(), *value;
	const char *reason;

	for (size_t w = 0; w < WORKERS_MAX && worker_of(now, w); w++) {
		json_t *was = json_object_get(worker_of(before, w), "drops");

		json_object_foreach(json_object_get(worker_of(now, w), "drops"), reason, value)
		{
			json_t *row = json_object_get(rates, reason);
			double add =
				rate(before, now, integer(was, reason), json_integer_value(value));

			json_object_set_new(rates, reason,
				json_pack("{s:f, s:I}", "rate",
					json_real_value(json_object_get(row, "rate")) + add,
					"total",
					integer(row, "total") + json_integer_value(value)));
		}
	}
	return rates;
}

static void print_workers(FILE *out, const struct look *before, const struct look *now)
{
	fprintf(out, "%-7s %-*s %6s %9s %12s %12s %12s %12s\n", "WORKER", BAR_WIDTH, "LOAD", "",
		"LEGS", "RX/S", "COPIES/S", "TX/S", "CONTROL/S");
	for (size_t w = 0; w < WORKERS_MAX && worker_of(now, w); w++) {
		double busy = busy_of(before, now, w);
		char bar[BAR_WIDTH + 1] = "";

		memset(bar, '.', BAR_WIDTH);
		memset(bar, '#', (size_t)(busy * BAR_WIDTH + 0.5));
		fprintf(out, "%-7zu %s %5.1f%% %9lld %12.0f %12.0f %12.0f %12.0f\n", w, bar,
			busy * 100, (long long)integer(worker_of(now, w), "legs"),
			worker_rate(before, now, w, "rx_packets"),
			worker_rate(before, now, w, "copies"),
			worker_rate(before, now, w, "tx_packets"), control_rate(before, now, w));
	}
}

static void speaking_text(const json_t *room, char *text, size_t size)
{
	size_t used = 0, i;
	json_t *slot;

	text[0] = '\0';
	json_array_foreach(json_object_get(room, "slot"), i, slot)
	{
		json_t *member = json_object_get(slot, "member");
		char name[TABLE_TEXT];
		int wrote;

		if (!json_is_string(member) || used + 1 >= size)
			continue;
		table_text(member, name, sizeof(name));
		wrote = snprintf(text + used, size - used, "%s%s (-%lld dB)", used ? ", " : "",
			name, (long long)integer(slot, "level"));
		used += wrote > 0 ? (size_t)wrote : 0;
	}
	if (!used)
		snprintf(text, size, "-");
}

static void print_rooms(FILE *out, const struct look *now)
{
	size_t i;
	json_t *room;

	fprintf(out, "\n%-24s %9s %8s %6s  %s\n", "ROOM", "LISTENERS", "SPEAKERS", "MUTED",
		"SPEAKING NOW");
	json_array_foreach(now->rooms, i, room)
	{
		char name[TABLE_TEXT], speaking[TABLE_TEXT * 2];

		table_text(json_object_get(room, "room"), name, sizeof(name));
		speaking_text(room, speaking, sizeof(speaking));
		fprintf(out, "%-24s %9lld %8lld %6lld  %s\n", name,
			(long long)integer(room, "listeners"), (long long)integer(room, "speakers"),
			(long long)integer(room, "muted"), speaking);
	}
}

static void print_drop_rates(FILE *out, const struct look *before, const struct look *now)
{
	json_t *rates = drop_rates(before, now), *row;
	const char *reason;

	fprintf(out, "\n%-24s %12s %14s\n", "DROPS", "PER SECOND", "TOTAL");
	json_object_foreach(rates, reason, row) fprintf(out, "%-24s %12.0f %14lld\n", reason,
		json_real_value(json_object_get(row, "rate")), (long long)integer(row, "total"));
	if (json_object_size(rates) == 0)
		fprintf(out, "none\n");
	json_decref(rates);
}

static void print_head(FILE *out, const struct look *now)
{
	json_t *plane = json_object_get(now->status, "dataplane");
	char version[TABLE_TEXT], engine[TABLE_TEXT];

	table_text(json_object_get(now->status, "version"), version, sizeof(version));
	table_text(json_object_get(plane, "engine"), engine, sizeof(engine));
	fprintf(out, "stentor %s   rooms %lld   members %lld   legs %lld   engine %s%s\n\n",
		version, (long long)integer(now->status, "rooms"),
		(long long)integer(now->status, "members"), (long long)integer(plane, "legs"),
		engine,
		json_is_true(json_object_get(plane, "connected")) ? "" : "   DATA PLANE AWAY");
}

/* The same numbers for programs: one object a refresh. */
static void print_json(const struct look *before, const struct look *now)
{
	json_t *workers = json_array();

	for (size_t w = 0; w < WORKERS_MAX && worker_of(now, w); w++)
		json_array_append_new(
			workers, json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "worker",
					 (json_int_t)w, "busy", busy_of(before, now, w), "rx_per_s",
					 worker_rate(before, now, w, "rx_packets"), "copies_per_s",
					 worker_rate(before, now, w, "copies"), "tx_per_s",
					 worker_rate(before, now, w, "tx_packets"), "control_per_s",
					 control_rate(before, now, w)));
	json_t *document = json_pack("{s:f, s:O, s:O, s:o, s:o}", "seconds",
		now->at_s - before->at_s, "status", now->status, "rooms", now->rooms, "workers",
		workers, "drops", drop_rates(before, now));

	command_print_json(document);
	json_decref(document);
	fflush(stdout);
}

static void show(const struct command_line *line, struct screen *screen, const struct look *before,
	const struct look *now)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (line->json) {
		print_json(before, now);
		return;
	}
	out = open_memstream(&text, &size);
	if (!out)
		return;
	print_head(out, now);
	print_workers(out, before, now);
	print_rooms(out, now);
	print_drop_rates(out, before, now);
	if (!screen->live && !line->once)
		fputc('\n', out);
	fclose(out);
	screen_show(screen, text, size);
	free(text);
}

int command_top(const struct command_line *line)
{
	struct look before = {0}, now = {0};
	struct screen screen;
	bool stop = false;
	int code = look(line, &before);

	if (code != COMMAND_OK) {
		look_free(&before);
		return code;
	}
	screen_open(&screen, !line->json && !line->once);
	while (!stop && !screen_wait(&screen, line->interval_ms)) {
		code = look(line, &now);
		if (code != COMMAND_OK)
			break;
		show(line, &screen, &before, &now);
		look_free(&before);
		before = now;
		memset(&now, 0, sizeof(now));
		stop = line->once;
	}
	screen_close(&screen);
	look_free(&before);
	look_free(&now);
	return code;
}
