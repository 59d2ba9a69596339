/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "configs/notify.h"
#include "controlplane/conductor.h"
#include "controlplane/events/line.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/session.h"
#include "controlplane/web.h"

#define TICK_NS 1000000000u

struct moment conductor_now(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return (struct moment){loop_now_ns(), (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000};
}

void conductor_push(struct request_list *list, struct request *request)
{
	request->next = NULL;
	if (list->last == NULL)
		list->first = request;
	else
		list->last->next = request;
	list->last = request;
	list->count++;
}

struct request *conductor_pop(struct request_list *list)
{
	struct request *request = list->first;

	if (request == NULL)
		return NULL;
	list->first = request->next;
	if (list->first == NULL)
		list->last = NULL;
	list->count--;
	request->next = NULL;
	return request;
}

/* What a call gets that nobody can answer any more. */
static const struct call_result unanswered = {
	.code = VERDICT_UNAVAILABLE, .message = "the program ends, or has no memory"};

static void release(struct conductor *c, struct request *request)
{
	if (request->newer != NULL)
		request->newer->older = request->older;
	else
		c->newest = request->older;
	if (request->older != NULL)
		request->older->newer = request->newer;
	if (hash_find(&c->pending, request->key) == request)
		hash_remove(&c->pending, request->key);
	for (unsigned int i = 0; i < request->receiver_count; i++) {
		struct receiver *receiver = &request->receivers[i];

		if (receiver->done != NULL)
			receiver->done(receiver->context, &unanswered);
		else if (receiver->connection != 0)
			server_expect(c->server, receiver->connection, -1);
	}
	plan_clear(&request->plan);
	parse_clear(&request->parsed);
	writer_clear(&request->answer);
	free(request->late);
	c->pending_count--;
	free(request);
}

/* Expands the marks into a line of its own, sends it and erases it: it may hold keys. */
static void send_text(
	struct conductor *c, uint64_t connection, const char *text, size_t size, bool programmed)
{
	struct writer line = {0};

	secret_expand(c->registry, programmed, text, size, &line);
	writer_append(&line, "\n", 1);
	/* An answer that is not sent would be waited for; cut, the application asks again. */
	if (line.failed)
		server_cut(c->server, connection);
	else
		server_send(c->server, connection, line.text, line.size);
	writer_clear(&line);
}

/* Whether the text is a refusal, from its beginning: {"id":"...","ok":false,"error":{"code":"... */
static enum verdict_code code_of(const struct request *request)
{
	static const char refused[] = "\",\"ok\":false,\"error\":{\"code\":\"";
	const char *end = request->answer.text + request->answer.size;
	const char *at = request->answer.text + strlen("{\"id\":\"") + strlen(request->id);
	const char *name, *quote;

	if (request->verdict.code != VERDICT_OK || request->answer.text == NULL)
		return request->verdict.code;
	name = at + strlen(refused);
	if (name >= end || memcmp(at, refused, strlen(refused)) != 0)
		return VERDICT_OK;
	quote = memchr(name, '"', (size_t)(end - name));
	return quote == NULL ? VERDICT_UNAVAILABLE
			     : verdict_code_find(name, (size_t)(quote - name));
}

static void answer_call(struct conductor *c, const struct request *request,
	const struct receiver *receiver, bool programmed)
{
	struct call_result result = {.code = code_of(request),
		.message = request->verdict.message,
		.programmed = programmed,
		.retry_after_ms = request->verdict.retry_after_ms};
	struct writer text = {0};

	secret_expand(c->registry, programmed, request->answer.text, request->answer.size, &text);
	result.text = text.text;
	result.size = text.size;
	receiver->done(receiver->context, text.failed ? &unanswered : &result);
	writer_clear(&text);
}

/* No memory for the answer. */
static void unanswerable(struct conductor *c, struct receiver *receiver)
{
	if (receiver->done == NULL)
		server_cut(c->server, receiver->connection);
	else
		receiver->done(receiver->context, &unanswered);
	*receiver = (struct receiver){0};
}

void conductor_answer(struct conductor *c, struct request *request, bool programmed)
{
	for (unsigned int i = 0; i < request->receiver_count; i++) {
		struct receiver *receiver = &request->receivers[i];

		if (request->answer.failed) {
			unanswerable(c, receiver);
			continue;
		}
		if (receiver->done == NULL) {
			send_text(c, receiver->connection, request->answer.text,
				request->answer.size, programmed);
			continue;
		}
		answer_call(c, request, receiver, programmed);
		*receiver = (struct receiver){0};
	}
	release(c, request);
}

static void write_refusal(struct writer *writer, const char *id, const struct verdict *why)
{
	writer_reset(writer);
	writer_begin_object(writer, NULL);
	writer_string(writer, "id", id[0] == '\0' ? NULL : id);
	writer_bool(writer, "ok", false);
	writer_begin_object(writer, "error");
	writer_string(writer, "code", verdict_code_name(why->code));
	writer_string(writer, "message", why->message);
	if (why->code == VERDICT_RATE_LIMITED)
		writer_uint(writer, "retry_after_ms", why->retry_after_ms);
	writer_end_object(writer);
	writer_end_object(writer);
}

void conductor_write_refusal(struct request *request, const struct verdict *why)
{
	if (why != &request->verdict)
		request->verdict = *why;
	write_refusal(&request->answer, request->id, why);
}

void conductor_refuse(struct conductor *c, struct request *request, const struct verdict *why)
{
	conductor_write_refusal(request, why);
	conductor_answer(c, request, false);
}

void conductor_write_answer(struct request *request)
{
	struct writer *writer = &request->answer;
	unsigned int flags = request->parsed.event.type->flags;

	writer_reset(writer);
	writer_begin_object(writer, NULL);
	writer_string(writer, "id", request->id);
	writer_bool(writer, "ok", true);
	writer_raw(writer, request->plan.answer.text, request->plan.answer.size);
	if (flags & EVENT_CHANGES) {
		writer_bool(writer, "durable", request->durable);
		writer_mark(writer, "programmed", SECRET_MARK_PROGRAMMED, 0);
	}
	writer_end_object(writer);
}

void conductor_finish(struct conductor *c, struct request *request)
{
	conductor_write_answer(request);
	conductor_answer(c, request, false);
}

void conductor_wait(struct conductor *c, struct request *request, uint32_t round)
{
	request->round = round;
	request->deadline_ns = loop_now_ns() + c->config.answer_timeout_ns;
	conductor_push(&c->waiting, request);
}

static struct request *make_request(struct conductor *c, const struct receiver *receiver)
{
	struct request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->conductor = c;
	request->receivers[0] = *receiver;
	request->receiver_count = 1;
	request->older = c->newest;
	if (c->newest != NULL)
		c->newest->newer = request;
	c->newest = request;
	c->pending_count++;
	if (receiver->done == NULL)
		server_expect(c->server, receiver->connection, 1);
	return request;
}

/* The same id is on its way already: its answer goes to this connection too. */
static void join_pending(struct conductor *c, struct request *first, struct request *again)
{
	static const struct verdict crowded = {
		VERDICT_CONFLICT, "id: a request with this id is on its way"};

	if (first->receiver_count == RECEIVERS_MAX) {
		conductor_refuse(c, again, &crowded);
		return;
	}
	first->receivers[first->receiver_count++] = again->receivers[0];
	again->receiver_count = 0;
	release(c, again);
}

/* True: it was answered before, or is on its way; the request is gone. */
static bool answered_before(struct conductor *c, struct request *request)
{
	struct request *first = hash_find(&c->pending, request->key);
	int rc;

	if (first != NULL) {
		join_pending(c, first, request);
		return true;
	}
	rc = store_answer_find(c->store, request->key, &request->answer);
	if (rc == 0) {
		conductor_answer(c, request, link_state(c->link) == LINK_UP);
		return true;
	}
	writer_reset(&request->answer);
	return false;
}

/* Takes a request that was understood. Beyond `most` under way only safety actions are taken. */
static void take(struct conductor *c, struct request *request, unsigned int most)
{
	struct verdict verdict = {0};
	unsigned int flags = request->parsed.event.type->flags;

	if (!(flags & EVENT_CHANGES)) {
		turn_take(c, request);
		return;
	}
	if (request->key[0] != '\0' && answered_before(c, request))
		return;
	if (c->pending_count > most && !(flags & EVENT_SAFETY)) {
		verdict_refuse(&verdict, VERDICT_UNAVAILABLE,
			"pending_max: %u requests are under way", most);
		conductor_refuse(c, request, &verdict);
		return;
	}
	if (request->key[0] != '\0' && hash_add(&c->pending, request) != 0) {
		verdict_refuse(&verdict, VERDICT_UNAVAILABLE, "out of memory");
		conductor_refuse(c, request, &verdict);
		return;
	}
	turn_take(c, request);
}

/* For want of memory even the id may be unknown, and whoever asked would wait for it. */
static void misunderstood(struct conductor *c, struct request *request, const struct verdict *why)
{
	conductor_write_refusal(request, why);
	if (why->code == VERDICT_UNAVAILABLE && request->id[0] == '\0')
		request->answer.failed = true;
	conductor_answer(c, request, false);
}

void conductor_line(void *context, uint64_t connection, char *line, size_t size)
{
	struct conductor *c = context;
	struct receiver receiver = {.connection = connection};
	struct request *request = make_request(c, &receiver);
	struct verdict verdict = {0};
	bool understood;

	if (request == NULL) {
		server_cut(c->server, connection);
		return;
	}
	understood = parse_line(line, size, &request->parsed, &verdict);
	memcpy(request->id, request->parsed.id, sizeof(request->id));
	memcpy(request->key, request->id, sizeof(request->id));
	if (understood)
		take(c, request, c->config.pending_max);
	else
		misunderstood(c, request, &verdict);
}

void conductor_line_as(struct conductor *c, const struct member *member, const char *line,
	size_t size, void (*done)(void *context, const struct call_result *result), void *context)
{
	struct receiver receiver = {.done = done, .context = context};
	struct parse_as as = {member->user.text, member->room->name.text};
	struct request *request = make_request(c, &receiver);
	struct verdict verdict = {0};
	bool understood;

	if (request == NULL) {
		done(context, &unanswered);
		return;
	}
	if (size > EVENTS_LINE_MAX)
		understood = verdict_refuse(
			&verdict, VERDICT_INVALID, "longer than %d bytes", EVENTS_LINE_MAX);
	else
		understood = parse_line_as(line, size, &as, &request->parsed, &verdict);
	memcpy(request->id, request->parsed.id, sizeof(request->id));
	snprintf(request->key, sizeof(request->key), "%s/%s", as.actor, request->id);
	/* Pages leave half of what may be under way to the application. */
	if (understood)
		take(c, request, c->config.pending_max / 2);
	else
		misunderstood(c, request, &verdict);
}

void conductor_event(struct conductor *c, const struct event *event,
	void (*done)(void *context, const struct call_result *result), void *context)
{
	struct receiver receiver = {.done = done, .context = context};
	struct request *request = make_request(c, &receiver);

	if (request == NULL) {
		done(context, &unanswered);
		return;
	}
	request->parsed.event = *event;
	if (event->id != NULL)
		snprintf(request->id, sizeof(request->id), "%s", event->id);
	memcpy(request->key, request->id, sizeof(request->id));
	take(c, request, c->config.pending_max);
}

void conductor_too_long(void *context, uint64_t connection)
{
	struct conductor *c = context;
	struct writer writer = {0};
	struct verdict verdict;

	verdict_refuse(&verdict, VERDICT_INVALID, "line: longer than %d bytes; it was skipped",
		EVENTS_LINE_MAX);
	write_refusal(&writer, "", &verdict);
	if (writer.failed)
		server_cut(c->server, connection);
	else
		send_text(c, connection, writer.text, writer.size, false);
	writer_clear(&writer);
}

void conductor_drained(void *context, uint64_t connection)
{
	feed_drained(((struct conductor *)context)->feed, connection);
}

void conductor_stalled(void *context, uint64_t connection)
{
	feed_stalled(((struct conductor *)context)->feed, connection);
}

void conductor_closed(void *context, uint64_t connection)
{
	feed_gone(((struct conductor *)context)->feed, connection);
}

/* Who waited for a resync long enough is told that it is not programmed yet. */
static void expire_waiting(struct conductor *c, uint64_t now_ns)
{
	/* All wait equally long, so the first is due first. */
	while (c->waiting.first != NULL && c->waiting.first->deadline_ns <= now_ns)
		conductor_answer(c, conductor_pop(&c->waiting), false);
}

int conductor_timeout_ms(void *context, uint64_t now_ns)
{
	struct conductor *c = context;
	int timeout_ms = link_timeout_ms(c->link, now_ns);
	uint64_t due_ns = c->tick_ns;
	int tick_ms;

	if (server_waits(c->server))
		return 0;
	if (c->waiting.first != NULL && c->waiting.first->deadline_ns < due_ns)
		due_ns = c->waiting.first->deadline_ns;
	if (c->registry->wake_ns != 0 && c->registry->wake_ns < due_ns)
		due_ns = c->registry->wake_ns;
	tick_ms = due_ns <= now_ns ? 0 : (int)((due_ns - now_ns) / 1000000) + 1;
	return timeout_ms < 0 || timeout_ms > tick_ms ? tick_ms : timeout_ms;
}

static void tick(struct conductor *c, uint64_t now_ns)
{
	c->tick_ns = now_ns + TICK_NS;
	ending_prepare(c);
	ending_expired(c);
	ending_seats(c);
	ending_due(c);
	if (c->backlog.first != NULL)
		turn_open(c);
	turn_commit(c);
	server_tick(c->server, now_ns);
	notify_watchdog();
}

void conductor_turn_end(void *context, uint64_t now_ns)
{
	struct conductor *c = context;

	turn_commit(c);
	link_process(c->link, now_ns);
	submit_settle_refused(c);
	turn_commit(c);
	session_settle(c);
	server_resume(c->server);
	turn_commit(c);
	if (now_ns >= c->tick_ns)
		tick(c, now_ns);
	else if (c->registry->wake_ns != 0 && now_ns >= c->registry->wake_ns)
		ending_due(c);
	turn_commit(c);
	expire_waiting(c, now_ns);
	feed_pump(c->feed);
	web_turn_end(c->web, now_ns);
	if (c->fenced)
		loop_stop(c->loop);
}

void conductor_close(struct conductor *c)
{
	/* What is with the link will not be called back any more. */
	while (c->newest != NULL)
		release(c, c->newest);
	turn_close(c);
	hash_clear(&c->pending);
	free(c->reserve);
	free(c->named);
}
