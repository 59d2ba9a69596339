// SPDX-License-Identifier: BSD-3-Clause
/*
 * stentorctl's connection and its tables, against a server that is a thread of the test.
 */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "controlplane/cli/client.h"
#include "controlplane/cli/table.h"

#define LONG_LINE 300000
#define TIMEOUT_MS 5000

struct server {
	char path[64];
	int fd;
	pthread_t thread;
	const char *script; /* what it sends when a line has come; %s: the id of the line */
};

static void *serve(void *argument)
{
	struct server *server = argument;
	int fd = accept(server->fd, NULL, NULL);
	char line[4096] = "", out[8192], *id, *end;
	size_t size = 0;

	/* All of the line: to close while the client still sends would be another test. */
	while (!memchr(line, '\n', size)) {
		ssize_t got = recv(fd, line + size, sizeof(line) - 1 - size, 0);

		ck_assert_int_gt(got, 0);
		size += (size_t)got;
	}
	id = strstr(line, "\"id\":\"");
	end = id ? strchr(id + 6, '"') : NULL;
	if (end)
		*end = '\0';
	snprintf(out, sizeof(out), server->script, id ? id + 6 : "");
	/* A byte at a time: the reader has to put the line together. */
	for (char *p = out; *p; p++)
		if (send(fd, p, 1, MSG_NOSIGNAL) != 1)
			break;
	close(fd);
	return NULL;
}

static void server_start(struct server *server, const char *script)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(server->path, sizeof(server->path), "/tmp/stentor-test-%d.sock", (int)getpid());
	unlink(server->path);
	strcpy(address.sun_path, server->path);
	server->script = script;
	server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(server->fd, 1), 0);
	ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void server_stop(struct server *server)
{
	pthread_join(server->thread, NULL);
	close(server->fd);
	unlink(server->path);
}

START_TEST(an_answer_is_found_by_its_id)
{
	struct server server;
	struct client client;
	json_t *answer;
	int error = 1;

	server_start(&server,
		"{\"seq\":1,\"type\":\"room.opened\"}\n{\"id\":\"other\",\"ok\":false}\n"
		"{\"id\":\"%s\",\"ok\":true}\n");
	ck_assert_int_eq(client_open(&client, server.path), 0);
	answer = client_ask(&client, json_pack("{s:s}", "type", "status"), TIMEOUT_MS, &error);
	ck_assert_int_eq(error, 0);
	ck_assert(json_is_true(json_object_get(answer, "ok")));
	json_decref(answer);
	client_close(&client);
	server_stop(&server);
}
END_TEST

START_TEST(a_server_that_closes_is_no_answer)
{
	struct server server;
	struct client client;
	int error = 0;

	server_start(&server, "{\"id\":\"%s\",\"ok\":tr");
	ck_assert_int_eq(client_open(&client, server.path), 0);
	ck_assert_ptr_null(
		client_ask(&client, json_pack("{s:s}", "type", "status"), TIMEOUT_MS, &error));
	ck_assert_int_eq(error, -ECONNRESET);
	client_close(&client);
	server_stop(&server);
}
END_TEST

START_TEST(what_is_not_json_is_no_answer)
{
	struct server server;
	struct client client;
	int error = 0;

	server_start(&server, "hello %s\n");
	ck_assert_int_eq(client_open(&client, server.path), 0);
	ck_assert_ptr_null(
		client_ask(&client, json_pack("{s:s}", "type", "status"), TIMEOUT_MS, &error));
	ck_assert_int_eq(error, -EPROTO);
	client_close(&client);
	server_stop(&server);
}
END_TEST

static void *send_long_line(void *argument)
{
	int fd = *(int *)argument;
	char *line = malloc(LONG_LINE + 7);

	memset(line, 'a', LONG_LINE);
	memcpy(line + LONG_LINE, "\nshort\n", 7);
	for (size_t at = 0; at < LONG_LINE + 7;) {
		ssize_t sent = send(fd, line + at, LONG_LINE + 7 - at, MSG_NOSIGNAL);

		ck_assert_int_gt(sent, 0);
		at += (size_t)sent;
	}
	free(line);
	return NULL;
}

START_TEST(a_line_longer_than_the_buffer_arrives_whole)
{
	struct client client = {.capacity = 16};
	pthread_t thread;
	char *line;
	size_t size;
	int fd[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	client.fd = fd[0];
	client.buffer = malloc(client.capacity);
	ck_assert_int_eq(pthread_create(&thread, NULL, send_long_line, &fd[1]), 0);
	ck_assert_int_eq(client_receive(&client, TIMEOUT_MS, &line, &size), 1);
	ck_assert_uint_eq(size, LONG_LINE);
	ck_assert_int_eq(line[LONG_LINE - 1], 'a');
	ck_assert_int_eq(client_receive(&client, TIMEOUT_MS, &line, &size), 1);
	ck_assert_str_eq(line, "short");
	ck_assert_int_eq(client_receive(&client, 1, &line, &size), -ETIMEDOUT);
	pthread_join(thread, NULL);
	close(fd[1]);
	ck_assert_int_eq(client_receive(&client, TIMEOUT_MS, &line, &size), 0);
	client_close(&client);
}
END_TEST

START_TEST(a_missing_socket_is_told_apart)
{
	struct client client;
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_int_eq(client_open(&client, "/tmp/stentor-no-such.sock"), -ENOENT);
	client_describe_failure(out, "/tmp/stentor-no-such.sock", -ENOENT);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "/tmp/stentor-no-such.sock"));
	ck_assert_ptr_nonnull(strstr(text, "is stentor-controlplane running?"));
}
END_TEST

static const struct {
	const char *json, *text;
} texts[] = {
	{"[null]", "-"},
	{"[true]", "yes"},
	{"[42]", "42"},
	{"[0.5]", "0.500"},
	{"[[1,\"a\",null]]", "1,a,-"},
	{"[{\"member\":\"ann\",\"leg\":\"1\"}]", "ann"},
	{"[\"a\\u001b[2Jb\\u007f\"]", "a?[2Jb?"},
};

START_TEST(values_print_plainly)
{
	json_t *value = json_loads(texts[_i].json, 0, NULL);
	char text[TABLE_TEXT];

	table_text(json_array_get(value, 0), text, sizeof(text));
	ck_assert_str_eq(text, texts[_i].text);
	json_decref(value);
}
END_TEST

START_TEST(columns_are_as_wide_as_what_is_in_them)
{
	static const struct table_column columns[] = {{"ROOM", "room"}, {"N", "n"}};
	json_t *rows = json_loads(
		"[{\"room\":\"t\xc3\xa9\",\"n\":1},{\"room\":\"teahouse\",\"n\":20}]", 0, NULL);
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	table_print(out, columns, 2, rows);
	fclose(out);
	ck_assert_str_eq(text, "ROOM       N\nt\xc3\xa9         1\nteahouse  20\n");
	json_decref(rows);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli");
	TCase *cases = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, cases);
	tcase_add_test(cases, an_answer_is_found_by_its_id);
	tcase_add_test(cases, a_server_that_closes_is_no_answer);
	tcase_add_test(cases, what_is_not_json_is_no_answer);
	tcase_add_test(cases, a_line_longer_than_the_buffer_arrives_whole);
	tcase_add_test(cases, a_missing_socket_is_told_apart);
	tcase_add_loop_test(cases, values_print_plainly, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(cases, columns_are_as_wide_as_what_is_in_them);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
