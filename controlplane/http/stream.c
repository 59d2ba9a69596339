/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses that stay open: filled by the loop's thread, sent by libmicrohttpd's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controlplane/http/state.h"

/* The last bytes of a stream that was ended have this long to be taken. */
#define LINGER_NS 5000000000u

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t size)
{
	struct http_stream *stream = context;
	struct http_server *server = stream->server;
	ssize_t count = 0;
	bool resume;

	pthread_mutex_lock(&server->mutex);
	size = size < stream->size - stream->start ? size : stream->size - stream->start;
	if (size > 0) {
		memcpy(buffer, stream->bytes + stream->start, size);
		stream->start += size;
		stream->progress_ns = loop_now_ns();
		count = (ssize_t)size;
	} else if (stream->ended) {
		count = MHD_CONTENT_READER_END_OF_STREAM;
	}
	pthread_mutex_unlock(&server->mutex);
	if (count != 0)
		return count;
	/* Suspended first, and then looked again: nobody resumes before `suspended` is set. */
	MHD_suspend_connection(stream->request->handle);
	pthread_mutex_lock(&server->mutex);
	resume = stream->start < stream->size || stream->ended;
	stream->suspended = !resume;
	pthread_mutex_unlock(&server->mutex);
	if (resume)
		MHD_resume_connection(stream->request->handle);
	return 0;
}

struct MHD_Response *stream_response(struct http_stream *stream)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, 4096, read_stream, stream, NULL);

	if (response == NULL)
		return NULL;
	if (MHD_add_response_header(response, "Content-Type", stream->request->exchange.type) ==
			MHD_YES &&
		MHD_add_response_header(response, "Cache-Control", "no-store") == MHD_YES)
		return response;
	MHD_destroy_response(response);
	return NULL;
}

void stream_detach(struct http_stream *stream)
{
	struct http_server *server = stream->server;

	pthread_mutex_lock(&server->mutex);
	stream->request = NULL;
	if (stream->previous != NULL)
		stream->previous->next = stream->next;
	else
		server->streams = stream->next;
	if (stream->next != NULL)
		stream->next->previous = stream->previous;
	stream->next = server->gone;
	server->gone = stream;
	server->stats.streams--;
	pthread_mutex_unlock(&server->mutex);
	server_wake(server);
}

void stream_free(struct http_stream *stream)
{
	free(stream->bytes);
	free(stream);
}

void stream_reap(struct http_server *server)
{
	struct http_stream *gone, *next;

	pthread_mutex_lock(&server->mutex);
	gone = server->gone;
	server->gone = NULL;
	pthread_mutex_unlock(&server->mutex);
	for (; gone != NULL; gone = next) {
		next = gone->next;
		gone->closed(gone->context, gone);
		stream_free(gone);
	}
}

struct http_stream *http_stream_begin(struct http_exchange *exchange,
	void (*closed)(void *context, struct http_stream *stream), void *context)
{
	struct http_request *request = (struct http_request *)exchange;
	struct http_server *server = request->server;
	struct http_stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		return NULL;
	stream->server = server;
	stream->request = request;
	stream->closed = closed;
	stream->context = context;
	stream->progress_ns = loop_now_ns();
	exchange->status = 200;
	if (exchange->type == NULL)
		exchange->type = "text/event-stream";
	request->stream = stream;
	pthread_mutex_lock(&server->mutex);
	request->phase = REQUEST_STREAMING;
	request_list_remove(&server->handed, request);
	stream->next = server->streams;
	if (stream->next != NULL)
		stream->next->previous = stream;
	server->streams = stream;
	server->stats.streams++;
	pthread_mutex_unlock(&server->mutex);
	MHD_resume_connection(request->handle);
	return stream;
}

/* Room for size more bytes behind what waits. */
static bool reserve(struct http_stream *stream, size_t size)
{
	size_t waiting = stream->size - stream->start, capacity = stream->capacity;
	char *bytes;

	if (waiting + size > HTTP_STREAM_MAX)
		return false;
	if (waiting > 0)
		memmove(stream->bytes, stream->bytes + stream->start, waiting);
	stream->start = 0;
	stream->size = waiting;
	if (waiting + size <= capacity)
		return true;
	capacity = capacity == 0 ? 4096 : capacity;
	while (capacity < waiting + size)
		capacity *= 2;
	bytes = realloc(stream->bytes, capacity);
	if (bytes == NULL)
		return false;
	stream->bytes = bytes;
	stream->capacity = capacity;
	return true;
}

/* Takes note that the stream is to be resumed; the caller does, without the mutex. */
static struct MHD_Connection *waking(struct http_stream *stream)
{
	struct MHD_Connection *handle =
		stream->suspended && stream->request != NULL ? stream->request->handle : NULL;

	stream->suspended = false;
	return handle;
}

static void end(struct http_stream *stream)
{
	stream->ended = true;
	if (stream->request != NULL)
		stream->request->connection->deadline_ns = loop_now_ns() + LINGER_NS;
}

int http_stream_send(struct http_stream *stream, const char *text, size_t size)
{
	struct http_server *server = stream->server;
	struct MHD_Connection *handle = NULL;
	int rc = 0;

	pthread_mutex_lock(&server->mutex);
	if (stream->request == NULL || stream->ended) {
		rc = -EPIPE;
	} else if (!reserve(stream, size)) {
		end(stream);
		handle = waking(stream);
		rc = -ENOBUFS;
	} else {
		if (stream->size == 0)
			stream->progress_ns = loop_now_ns();
		memcpy(stream->bytes + stream->size, text, size);
		stream->size += size;
		handle = waking(stream);
	}
	pthread_mutex_unlock(&server->mutex);
	if (handle != NULL)
		MHD_resume_connection(handle);
	return rc;
}

void http_stream_end(struct http_stream *stream)
{
	struct MHD_Connection *handle;

	pthread_mutex_lock(&stream->server->mutex);
	end(stream);
	handle = waking(stream);
	pthread_mutex_unlock(&stream->server->mutex);
	if (handle != NULL)
		MHD_resume_connection(handle);
}

size_t http_stream_pending(const struct http_stream *stream, uint64_t *since_ns)
{
	size_t waiting;

	pthread_mutex_lock(&stream->server->mutex);
	waiting = stream->size - stream->start;
	*since_ns = stream->progress_ns;
	pthread_mutex_unlock(&stream->server->mutex);
	return waiting;
}
