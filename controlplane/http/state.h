/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the server's parts share: server.c (listening, the queue to the loop), connection.c (who is
 * connected and until when), request.c (collecting), answer.c (responses), stream.c. Two threads:
 * libmicrohttpd's own runs all its callbacks, the loop's runs handlers and answers. What both touch
 * is under server->mutex; no function of libmicrohttpd is called with it held.
 */
#ifndef STENTOR_CONTROLPLANE_HTTP_STATE_H
#define STENTOR_CONTROLPLANE_HTTP_STATE_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>

#include "controlplane/http/head.h"
#include "controlplane/http/server.h"
#include "controlplane/http/www.h"

#define HTTP_NETWORK_SIZE 16

/* One TCP connection, from accept to close; in socket_context. */
struct http_connection {
	struct http_connection *next, *previous;
	int fd;
	bool loopback;
	uint8_t network[HTTP_NETWORK_SIZE]; /* IPv4 address, or the first 64 bits of an IPv6 one */
	uint64_t deadline_ns; /* cut when it is still at the same thing then; 0: it is our turn */
};

enum request_phase {
	REQUEST_READING,   /* libmicrohttpd's thread */
	REQUEST_HANDED,    /* suspended; the loop's thread */
	REQUEST_ANSWERED,  /* libmicrohttpd's again */
	REQUEST_STREAMING, /* the same; what is to be sent comes from the loop's thread */
};

struct http_request {
	struct http_exchange exchange; /* first: who answers knows only this */
	struct http_server *server;
	struct MHD_Connection *handle;
	struct http_connection *connection;
	struct http_request *next, *previous; /* in incoming or handed; under the mutex */
	enum request_phase phase;             /* under the mutex */
	struct http_stream *stream;
	const struct www_file *file;
	struct head head;
	struct refusal refusal;
	char *target;
	char *body;
	size_t body_size;
	char origin[TARGET_HOST_MAX + 32];
	bool begun;
	uint64_t started_ns;
};

struct http_request_list {
	struct http_request *first, *last;
};

struct http_stream {
	struct http_stream *next, *previous; /* under the mutex */
	struct http_server *server;
	struct http_request *request; /* NULL: the connection is gone */
	void (*closed)(void *context, struct http_stream *stream);
	void *context;
	/* Under the mutex. */
	char *bytes;
	size_t start, size, capacity;
	uint64_t progress_ns; /* the client last took a byte, or nothing waited */
	bool suspended;       /* it is to be resumed when there is something to send */
	bool ended;
};

struct http_server {
	struct http_server_config config;
	void (*handle)(void *context, struct http_exchange *exchange);
	void *context;
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct loop_source source; /* an eventfd: something is incoming, or a stream is gone */
	uint16_t port;

	pthread_mutex_t mutex;
	struct http_connection *connections;
	struct http_request_list incoming, handed;
	struct http_stream *streams, *gone;
	bool closing;
	struct http_stats stats;
};

/* connection.c */
enum MHD_Result connection_admit(void *server, const struct sockaddr *address, socklen_t size);
void connection_notify(void *server, struct MHD_Connection *handle, void **context,
	enum MHD_ConnectionNotificationCode code);
void connection_until(
	struct http_server *server, struct http_connection *connection, uint64_t timeout_ns);
void connection_cut_overdue(struct http_server *server, uint64_t now_ns);

/* request.c */
void *request_begin(void *server, const char *target, struct MHD_Connection *handle);
enum MHD_Result request_access(void *server, struct MHD_Connection *handle, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **context);
void request_completed(void *server, struct MHD_Connection *handle, void **context,
	enum MHD_RequestTerminationCode code);

/* answer.c: queues what the exchange, the refusal or the file says. */
enum MHD_Result answer_queue(struct http_request *request);

/* stream.c */
struct MHD_Response *stream_response(struct http_stream *stream);
/* Its connection is gone: closed() will be called on the loop's thread. */
void stream_detach(struct http_stream *stream);
void stream_reap(struct http_server *server);
void stream_free(struct http_stream *stream);

/* server.c: to the loop's thread; false: the server is closing. */
bool server_hand(struct http_request *request);
void server_wake(struct http_server *server);
void request_list_add(struct http_request_list *list, struct http_request *request);
void request_list_remove(struct http_request_list *list, struct http_request *request);

#endif
