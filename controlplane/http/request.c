/* SPDX-License-Identifier: BSD-3-Clause */
/* Collects a request on libmicrohttpd's thread, and hands it on or answers it there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "configs/log.h"
#include "controlplane/http/state.h"

/* A refused body of at most so much is read to its end, so that the client reads the answer. */
#define SWALLOW_MAX (1u << 20)

void *request_begin(void *context, const char *target, struct MHD_Connection *handle)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->server = context;
	request->handle = handle;
	request->connection = info == NULL ? NULL : info->socket_context;
	request->started_ns = loop_now_ns();
	request->target = strdup(target);
	if (request->connection != NULL)
		connection_until(request->server, request->connection,
			request->server->config.request_timeout_ns);
	return request;
}

static void release(struct http_request *request)
{
	struct http_exchange *exchange = &request->exchange;

	for (unsigned int i = 0; i < exchange->header_count; i++)
		free(exchange->header[i].value);
	writer_clear(&exchange->response);
	if (request->body != NULL)
		explicit_bzero(request->body, request->body_size);
	free(request->body);
	free(request->target);
	free(request);
}

static enum MHD_Result add_field(void *context, enum MHD_ValueKind kind, const char *name,
	size_t name_size, const char *value, size_t value_size)
{
	head_add(context, name, name_size, value == NULL ? "" : value, value_size);
	return MHD_YES;
}

static const char *or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

/* What the answerer sees of it. */
static void fill_exchange(struct http_request *request)
{
	struct http_exchange *exchange = &request->exchange;
	struct head *head = &request->head;

	exchange->route = head->match.route;
	exchange->method = head->method_number;
	memcpy(exchange->segment, head->match.segment, sizeof(exchange->segment));
	exchange->token = head->token;
	exchange->content_type = or_null(head->media_type);
	exchange->if_match = head->field[HEAD_IF_MATCH];
	exchange->last_event_id = or_null(head->field[HEAD_LAST_EVENT_ID]);
	exchange->share = head->field[HEAD_SHARE];
	exchange->accept = or_null(head->field[HEAD_ACCEPT]);
	snprintf(request->origin, sizeof(request->origin), "%s://%s",
		head->https ? "https" : "http", head->field[HEAD_HOST]);
	exchange->origin = request->origin;
	exchange->body = request->body;
}

static void find_file(struct http_request *request)
{
	const struct http_match *match = &request->head.match;

	request->file = www_find(match->file != NULL ? match->file : match->segment);
	if (request->file != NULL)
		return;
	request->refusal.status = 404;
	snprintf(request->refusal.detail, sizeof(request->refusal.detail), "there is no such file");
}

/* The head is here. */
static enum MHD_Result judge(struct http_request *request, const char *method, const char *version)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	struct head *head = &request->head;

	request->begun = true;
	head->method = method;
	head->version = version;
	head->target_text = request->target;
	head->size = info == NULL ? 0 : info->header_size;
	head->from_loopback = request->connection->loopback;
	MHD_get_connection_values_n(request->handle, MHD_HEADER_KIND, add_field, head);
	head_check(head, &request->server->config.policy, &request->refusal);
	if (request->refusal.status == 0 && head->match.place == HTTP_PLACE_FILE && !head->options)
		find_file(request);
	if (request->refusal.status != 0) {
		if (request->refusal.close || head->field[HEAD_EXPECT] != NULL ||
			head->content_length > SWALLOW_MAX) {
			request->refusal.close = true;
			return answer_queue(request);
		}
		return MHD_YES; /* at its end */
	}
	request->body = calloc(1, head->content_length + 1);
	return request->body == NULL ? MHD_NO : MHD_YES;
}

static enum MHD_Result take(struct http_request *request, const char *bytes, size_t size)
{
	if (request->refusal.status != 0)
		return MHD_YES;
	if (size > request->head.content_length - request->body_size)
		return MHD_NO;
	memcpy(request->body + request->body_size, bytes, size);
	request->body_size += size;
	return MHD_YES;
}

/* All of it is here, or it was answered meanwhile. */
static enum MHD_Result proceed(struct http_request *request)
{
	enum request_phase phase;

	pthread_mutex_lock(&request->server->mutex);
	phase = request->phase;
	pthread_mutex_unlock(&request->server->mutex);
	if (phase == REQUEST_HANDED)
		return MHD_YES;
	if (phase != REQUEST_READING || request->refusal.status != 0 || request->head.options ||
		request->head.match.place != HTTP_PLACE_EXCHANGE)
		return answer_queue(request);
	fill_exchange(request);
	request->exchange.body_size = request->body_size;
	connection_until(request->server, request->connection, 0);
	if (server_hand(request))
		return MHD_YES;
	request->refusal.status = 503;
	request->refusal.close = true;
	snprintf(request->refusal.detail, sizeof(request->refusal.detail), "shutting down");
	return answer_queue(request);
}

enum MHD_Result request_access(void *context, struct MHD_Connection *handle, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **request_context)
{
	struct http_request *request = *request_context;
	enum MHD_Result result;

	if (request == NULL || request->target == NULL || request->connection == NULL)
		return MHD_NO;
	if (!request->begun)
		return judge(request, method, version);
	if (*upload_size == 0)
		return proceed(request);
	result = take(request, upload, *upload_size);
	*upload_size = 0;
	return result;
}

static unsigned int stat_route(const struct http_request *request)
{
	const struct http_match *match = &request->head.match;

	if (!request->head.known)
		return HTTP_STAT_OTHER;
	switch (match->place) {
	case HTTP_PLACE_EXCHANGE:
		return match->route;
	case HTTP_PLACE_FILE:
		return HTTP_STAT_PAGE;
	case HTTP_PLACE_HEALTH:
		return HTTP_STAT_HEALTH;
	default:
		return HTTP_STAT_OTHER;
	}
}

static void count(struct http_request *request, unsigned int status, uint64_t duration_us)
{
	struct http_server *server = request->server;
	struct http_stat_entry *entry = &server->stats.route[stat_route(request)];
	unsigned int bucket = 0;

	while (bucket < HTTP_STAT_BUCKETS - 1 && duration_us > http_stat_bounds_us[bucket])
		bucket++;
	pthread_mutex_lock(&server->mutex);
	entry->answered[status / 100 < HTTP_STAT_CLASS_COUNT ? status / 100 : 0]++;
	if (request->stream == NULL) { /* how long somebody listens is no duration */
		entry->duration[bucket]++;
		entry->duration_sum_us += duration_us;
	}
	pthread_mutex_unlock(&server->mutex);
}

void request_completed(void *context, struct MHD_Connection *handle, void **request_context,
	enum MHD_RequestTerminationCode code)
{
	struct http_request *request = *request_context;
	uint64_t duration_us;
	unsigned int status;

	*request_context = NULL;
	if (request == NULL)
		return;
	duration_us = (loop_now_ns() - request->started_ns) / 1000;
	status = request->phase == REQUEST_READING || request->phase == REQUEST_HANDED
			 ? 0
			 : request->exchange.status;
	count(request, status, duration_us);
	log_debug("http_request", "method=%.16s route=%s status=%u duration_us=%llu",
		request->head.method == NULL ? "none" : request->head.method,
		http_stat_route_name(stat_route(request)), status, (unsigned long long)duration_us);
	if (request->stream != NULL)
		stream_detach(request->stream);
	if (request->connection != NULL)
		connection_until(request->server, request->connection,
			request->server->config.request_timeout_ns);
	release(request);
}
