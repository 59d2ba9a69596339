// SPDX-License-Identifier: BSD-3-Clause
/*
 * event: sends lines of a file and prints the answers. watch: prints what happens.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controlplane/cli/command.h"
#include "controlplane/cli/table.h"

struct feed {
	const struct command_line *line;
	FILE *file;
	char *text;
	size_t capacity;
	long sent, answered, refused;
};

/* A request without an id gets one; what is not JSON is left to the server to refuse. */
static char *with_id(struct feed *feed, char *text, size_t *size)
{
	json_t *request = feed->line->raw ? NULL : json_loadb(text, *size, 0, NULL);
	char id[48], *line = NULL;

	if (json_is_object(request) && !json_object_get(request, "id")) {
		client_mint_id(feed->line->client, id, sizeof(id));
		json_object_set_new(request, "id", json_string(id));
		line = json_dumps(request, JSON_COMPACT);
		if (line)
			*size = strlen(line);
	}
	json_decref(request);
	return line;
}

/* 1: sent a line, 0: end of the file, negative errno. */
static int send_next(struct feed *feed)
{
	ssize_t got;

	while ((got = getline(&feed->text, &feed->capacity, feed->file)) >= 0) {
		size_t size = (size_t)got;
		char *line;
		int error;

		if (size && feed->text[size - 1] == '\n')
			size--;
		if (!feed->line->raw && (size == 0 || feed->text[0] == '#'))
			continue;
		line = with_id(feed, feed->text, &size);
		error = client_send(
			feed->line->client, line ? line : feed->text, size, feed->line->timeout_ms);
		free(line);
		if (error)
			return error;
		feed->sent++;
		return 1;
	}
	return ferror(feed->file) ? -EIO : 0;
}

static int take_answer(struct feed *feed)
{
	char *text;
	size_t size;
	int got = client_receive(feed->line->client, feed->line->timeout_ms, &text, &size);
	json_t *answer, *ok;

	if (got <= 0)
		return got == 0 ? -ECONNRESET : got;
	puts(text);
	answer = json_loadb(text, size, 0, NULL);
	ok = json_object_get(answer, "ok");
	/* Lines without "ok" are events of a subscription, not answers. */
	feed->answered += ok != NULL;
	feed->refused += json_is_false(ok);
	json_decref(answer);
	return 0;
}

static int exchange(struct feed *feed)
{
	bool more = true;

	while (more || feed->answered < feed->sent) {
		int error = 0;

		if (more && feed->sent - feed->answered < feed->line->window) {
			int sent = send_next(feed);

			more = sent > 0;
			error = sent < 0 ? sent : 0;
		} else {
			error = take_answer(feed);
		}
		if (error) {
			fflush(stdout);
			fprintf(stderr, "stentorctl: after %ld of %ld answers: %s\n",
				feed->answered, feed->sent,
				error == -ETIMEDOUT ? "no answer in time" : strerror(-error));
			return COMMAND_BROKEN;
		}
	}
	return feed->refused ? COMMAND_REFUSED : COMMAND_OK;
}

int command_event(const struct command_line *line)
{
	const char *path = line->arguments[0];
	struct feed feed = {.line = line};
	int code;

	feed.file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	if (!feed.file) {
		fprintf(stderr, "stentorctl: %s: %s\n", path, strerror(errno));
		return COMMAND_USAGE;
	}
	code = exchange(&feed);
	if (feed.refused)
		fprintf(stderr, "stentorctl: %ld of %ld refused\n", feed.refused, feed.sent);
	if (feed.file != stdin)
		fclose(feed.file);
	free(feed.text);
	return code;
}

static void print_happening(const json_t *event)
{
	static const char *const shown[] = {"seq", "type", "at_ms", "room", "room_seq", "v"};
	time_t at = (time_t)(json_integer_value(json_object_get(event, "at_ms")) / 1000);
	char text[TABLE_TEXT * 4], clock[16] = "";
	struct tm tm;
	const char *key;
	json_t *value;

	if (at && localtime_r(&at, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	table_text(json_object_get(event, "seq"), text, sizeof(text));
	printf("%8s %8s ", text, clock);
	table_text(json_object_get(event, "type"), text, sizeof(text));
	printf("%-16s ", text);
	table_text(json_object_get(event, "room"), text, sizeof(text));
	fputs(text, stdout);
	json_object_foreach((json_t *)event, key, value)
	{
		bool skip = false;

		for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
			skip |= strcmp(key, shown[i]) == 0;
		if (skip)
			continue;
		if (json_array_size(value) > 4)
			snprintf(text, sizeof(text), "(%zu)", json_array_size(value));
		else
			table_text(value, text, sizeof(text));
		printf(" %s=%s", key, text);
	}
	putchar('\n');
}

int command_watch(const struct command_line *line)
{
	json_t *request = json_pack("{s:s}", "type", "subscribe"), *document;
	char *text;
	size_t size;
	int code, got;

	if (line->from >= 0)
		json_object_set_new(request, "from", json_integer(line->from));
	if (line->room)
		json_object_set_new(request, "room", json_string(line->room));
	code = command_ask(line, request, &document);
	if (code != COMMAND_OK)
		return code;
	json_decref(document);
	while ((got = client_receive(line->client, -1, &text, &size)) > 0) {
		document = json_loadb(text, size, 0, NULL);
		if (line->json)
			puts(text);
		else if (document)
			print_happening(document);
		json_decref(document);
		if (fflush(stdout))
			return COMMAND_OK;
	}
	fprintf(stderr, "stentorctl: %s\n",
		got == 0 ? "the server closed the connection" : strerror(-got));
	return COMMAND_BROKEN;
}
