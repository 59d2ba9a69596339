// SPDX-License-Identifier: BSD-3-Clause
#include "controlplane/cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/cli/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE 500
#define PEOPLE_SHOWN 50

void command_print_json(const json_t *document)
{
	json_dumpf(document, stdout, JSON_COMPACT);
	putchar('\n');
}

int command_ask(const struct command_line *line, json_t *request, json_t **answer)
{
	int error;
	json_t *got = client_ask(line->client, request, line->timeout_ms, &error);
	json_t *failure = json_object_get(got, "error");

	if (!got) {
		fprintf(stderr, "stentorctl: %s\n",
			error == -ETIMEDOUT    ? "no answer in time"
			: error == -ECONNRESET ? "the server closed the connection"
					       : strerror(-error));
		return COMMAND_BROKEN;
	}
	if (json_is_true(json_object_get(got, "ok"))) {
		*answer = got;
		return COMMAND_OK;
	}
	if (line->json)
		command_print_json(got);
	fprintf(stderr, "stentorctl: refused: %s: %s\n",
		json_string_value(json_object_get(failure, "code")) ?: "error",
		json_string_value(json_object_get(failure, "message")) ?: "no reason given");
	json_decref(got);
	return COMMAND_REFUSED;
}

int command_ask_pages(
	const struct command_line *line, json_t *request, const char *key, json_t **list)
{
	size_t limit = line->limit > 0 ? (size_t)line->limit : SIZE_MAX;
	json_t *all = json_array(), *answer, *next = NULL;
	int code = COMMAND_OK;

	do {
		size_t left = limit - json_array_size(all);
		json_t *page = json_copy(request);

		json_object_set_new(page, "limit",
			json_integer(left < PAGE ? (json_int_t)left : (json_int_t)PAGE));
		if (next)
			json_object_set_new(page, "after", next);
		next = NULL;
		code = command_ask(line, page, &answer);
		if (code != COMMAND_OK)
			break;
		json_array_extend(all, json_object_get(answer, key));
		if (json_is_string(json_object_get(answer, "next")))
			next = json_incref(json_object_get(answer, "next"));
		json_decref(answer);
	} while (next && json_array_size(all) < limit);
	json_decref(next);
	json_decref(request);
	if (code == COMMAND_OK)
		*list = all;
	else
		json_decref(all);
	return code;
}

static void print_drops(const json_t *workers)
{
	const struct table_column columns[] = {{"DROPS", "reason"}, {"COUNT", "count"}};
	json_t *sums = json_object(), *rows = json_array(), *value;
	const char *reason;
	size_t i;
	json_t *worker;

	json_array_foreach((json_t *)workers, i, worker)
	{
		json_object_foreach(json_object_get(worker, "drops"), reason, value)
		{
			json_int_t sum = json_integer_value(json_object_get(sums, reason));

			json_object_set_new(
				sums, reason, json_integer(sum + json_integer_value(value)));
		}
	}
	json_object_foreach(sums, reason, value) json_array_append_new(
		rows, json_pack("{s:s, s:O}", "reason", reason, "count", value));
	if (json_array_size(rows)) {
		putchar('\n');
		table_print(stdout, columns, COUNT(columns), rows);
	}
	json_decref(rows);
	json_decref(sums);
}

int command_status(const struct command_line *line)
{
	static const struct table_column top[] = {{"version", "version"}, {"rooms", "rooms"},
		{"members", "members"}, {"connections", "connections"},
		{"subscribers", "subscribers"}, {"uptime ms", "uptime_ms"}};
	static const struct table_column plane[] = {{"connected", "connected"},
		{"version", "version"}, {"engine", "engine"}, {"rooms", "rooms"},
		{"rooms max", "rooms_max"}, {"legs", "legs"}, {"legs max", "legs_max"},
		{"uptime ms", "uptime_ms"}, {"notices lost", "notices_dropped"},
		{"DTLS lost", "datagrams_dropped"}};
	static const struct table_column worker[] = {{"WORKER", "worker"}, {"BUSY", "busy"},
		{"LEGS", "legs"}, {"RX", "rx_packets"}, {"FORWARDED", "forwarded"},
		{"SLOT PACKETS", "slot_packets"}, {"COPIES", "copies"}, {"TX", "tx_packets"},
		{"BUFFERS", "mbufs_in_use"}};
	/* What browsers need besides copies. */
	static const struct table_column control[] = {{"WORKER", "worker"}, {"STUN IN", "answered"},
		{"STUN OUT", "stun_sent"}, {"DTLS IN", "punted"}, {"DTLS OUT", "dtls_sent"},
		{"RTCP OUT", "rtcp_sent"}, {"SENT AGAIN", "retransmitted"},
		{"REFUSED", "control_refused"}};
	json_t *answer, *dataplane, *store;
	bool connected;
	int code = command_ask(line, json_pack("{s:s}", "type", "status"), &answer);

	if (code != COMMAND_OK)
		return code;
	dataplane = json_object_get(answer, "dataplane");
	store = json_object_get(answer, "store");
	connected = json_is_true(json_object_get(dataplane, "connected"));
	if (line->json) {
		command_print_json(answer);
	} else {
		printf("control plane\n");
		table_print_object(stdout, top, COUNT(top), answer);
		printf("%-14s %s\n", "database",
			json_is_true(json_object_get(store, "ok")) ? "ok" : "FAILING");
		printf("\ndata plane\n");
		table_print_object(stdout, plane, connected ? COUNT(plane) : 1, dataplane);
		if (connected) {
			putchar('\n');
			table_print(stdout, worker, COUNT(worker),
				json_object_get(dataplane, "workers"));
			putchar('\n');
			table_print(stdout, control, COUNT(control),
				json_object_get(dataplane, "workers"));
			print_drops(json_object_get(dataplane, "workers"));
		}
	}
	json_decref(answer);
	return connected ? COMMAND_OK : COMMAND_DEGRADED;
}

int command_rooms(const struct command_line *line)
{
	static const struct table_column columns[] = {{"ROOM", "room"}, {"TITLE", "title"},
		{"HOST", "host"}, {"LISTENERS", "listeners"}, {"SPEAKERS", "speakers"},
		{"MUTED", "muted"}, {"SLOTS", "slots"}};
	json_t *list, *document;
	int code = command_ask_pages(line, json_pack("{s:s}", "type", "room.list"), "rooms", &list);

	if (code != COMMAND_OK)
		return code;
	document = json_pack("{s:o}", "rooms", list);
	if (line->json)
		command_print_json(document);
	else
		table_print(stdout, columns, COUNT(columns), list);
	json_decref(document);
	return COMMAND_OK;
}

static int ask_people(const struct command_line *line, const char *room, json_t *people)
{
	static const char *const roles[] = {"host", "speaker"};
	struct command_line few = *line;

	few.limit = PEOPLE_SHOWN;
	for (size_t i = 0; i < COUNT(roles); i++) {
		json_t *list;
		int code = command_ask_pages(&few,
			json_pack("{s:s, s:s, s:s}", "type", "member.list", "room", room, "role",
				roles[i]),
			"members", &list);

		if (code != COMMAND_OK)
			return code;
		json_array_extend(people, list);
		json_decref(list);
	}
	return COMMAND_OK;
}

int command_room(const struct command_line *line)
{
	static const struct table_column top[] = {{"room", "room"}, {"title", "title"},
		{"topic", "topic"}, {"host", "host"}, {"listeners", "listeners"},
		{"speakers", "speakers"}, {"muted", "muted"}, {"open floor", "open_floor"},
		{"room seq", "room_seq"}};
	static const struct table_column slots[] = {{"SLOT", "slot"}, {"SSRC", "ssrc"},
		{"SPEAKER", "member"}, {"LEVEL -DB", "level"}, {"INDEX", "index"},
		{"PACKETS", "packets"}, {"IDLE MS", "idle_ms"}};
	static const struct table_column member[] = {{"MEMBER", "member"}, {"ROLE", "role"},
		{"REMOTE", "remote"}, {"SPEAKING", "speaking"}, {"MUTED", "muted"},
		{"CONNECTED", "connected"}, {"LEG", "leg"}};
	const char *id = line->arguments[0];
	json_t *answer, *room, *people = json_array();
	int code =
		command_ask(line, json_pack("{s:s, s:s}", "type", "room.get", "room", id), &answer);

	if (code == COMMAND_OK) {
		code = ask_people(line, id, people);
		room = json_object_get(answer, "room");
		json_object_set(room, "people", people);
		if (code == COMMAND_OK && line->json) {
			command_print_json(room);
		} else if (code == COMMAND_OK) {
			table_print_object(stdout, top, COUNT(top), room);
			putchar('\n');
			table_print(stdout, slots, COUNT(slots), json_object_get(room, "slot"));
			putchar('\n');
			table_print(stdout, member, COUNT(member), people);
		}
		json_decref(answer);
	}
	json_decref(people);
	return code;
}

int command_legs(const struct command_line *line)
{
	static const struct table_column columns[] = {{"LEG", "leg"}, {"ROOM", "room"},
		{"MEMBER", "member"}, {"ROLE", "role"}, {"REMOTE", "remote"}, {"SUITE", "suite"},
		{"PROTECTION", "protection"}, {"MUTED", "muted"}, {"CONNECTED", "connected"},
		{"PROGRAMMED", "programmed"}};
	json_t *request = json_pack("{s:s}", "type", "leg.list");
	json_t *list, *document;
	int code;

	if (line->argument_count == 1)
		json_object_set_new(request, "room", json_string(line->arguments[0]));
	code = command_ask_pages(line, request, "legs", &list);
	if (code != COMMAND_OK)
		return code;
	document = json_pack("{s:o}", "legs", list);
	if (line->json)
		command_print_json(document);
	else
		table_print(stdout, columns, COUNT(columns), list);
	json_decref(document);
	return COMMAND_OK;
}

/* ADDRESS:PORT, [ADDRESS]:PORT for IPv6. */
static int split_tuple(const char *text, json_t *request)
{
	const char *colon = strrchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;
	char *end;
	long port = colon ? strtol(colon + 1, &end, 10) : -1;

	if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	if (size == 0 || port < 1 || port > UINT16_MAX || *end)
		return -EINVAL;
	json_object_set_new(request, "address", json_stringn(text, size));
	json_object_set_new(request, "port", json_integer(port));
	return 0;
}

static json_t *explain_request(const struct command_line *line)
{
	json_t *request = json_pack("{s:s}", "type", "explain");
	bool tuple =
		strchr(line->arguments[0], ':') && split_tuple(line->arguments[0], request) == 0;

	if (line->limit > 0)
		json_object_set_new(request, "limit", json_integer(line->limit));
	if (tuple && line->argument_count == 2)
		json_object_set_new(request, "ssrc",
			json_integer((json_int_t)strtoull(line->arguments[1], NULL, 0)));
	if (!tuple && line->argument_count == 2) {
		json_object_set_new(request, "room", json_string(line->arguments[0]));
		json_object_set_new(request, "member", json_string(line->arguments[1]));
	} else if (!tuple) {
		json_decref(request);
		return NULL;
	}
	return request;
}

int command_explain(const struct command_line *line)
{
	static const struct table_column source[] = {{"room", "room"}, {"member", "member"},
		{"leg", "leg"}, {"slot", "slot"}, {"verdict", "reason"},
		{"copies sent to it", "copies"}, {"payload bytes in them", "copied_bytes"}};
	static const struct table_column legs[] = {
		{"LEG", "leg"}, {"MEMBER", "member"}, {"REASON", "reason"}, {"WORKER", "worker"}};
	json_t *request = explain_request(line), *answer, *value;
	const char *reason;
	int code;

	if (!request) {
		fprintf(stderr, "stentorctl: explain takes ROOM MEMBER, or ADDRESS:PORT and maybe "
				"an SSRC\n");
		return COMMAND_USAGE;
	}
	code = command_ask(line, request, &answer);
	if (code != COMMAND_OK)
		return code;
	if (line->json) {
		command_print_json(answer);
	} else {
		printf("a packet of this source\n");
		table_print_object(
			stdout, source, COUNT(source), json_object_get(answer, "source"));
		printf("\nlegs\n");
		json_object_foreach(json_object_get(answer, "counts"), reason, value)
			printf("%-18s %lld\n", reason, (long long)json_integer_value(value));
		if (json_array_size(json_object_get(answer, "legs"))) {
			putchar('\n');
			table_print(stdout, legs, COUNT(legs), json_object_get(answer, "legs"));
		}
	}
	json_decref(answer);
	return COMMAND_OK;
}
