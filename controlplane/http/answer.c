/* SPDX-License-Identifier: BSD-3-Clause */
/* Responses, with what every one of them carries. libmicrohttpd's thread. */
#include <stdlib.h>
#include <string.h>

#include "controlplane/http/state.h"

static const char content_policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	"img-src 'self'; media-src 'self' blob:; base-uri 'none'; frame-ancestors 'none'; "
	"form-action 'none'";

static bool add(struct MHD_Response *response, const char *name, const char *value)
{
	return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_security(struct MHD_Response *response)
{
	return add(response, "Content-Security-Policy", content_policy) &&
	       add(response, "X-Content-Type-Options", "nosniff") &&
	       add(response, "Referrer-Policy", "no-referrer") &&
	       add(response, "Cross-Origin-Opener-Policy", "same-origin");
}

/* For scripts of an allowed foreign origin (the Fetch standard, CORS protocol). */
static bool add_cors(struct MHD_Response *response, const struct head *head)
{
	bool good = true;

	if (!head->cross)
		return true;
	good = add(response, "Access-Control-Allow-Origin", head->field[HEAD_ORIGIN]) &&
	       add(response, "Vary", "Origin");
	if (!head->options)
		return good && add(response, "Access-Control-Expose-Headers",
				       "location, etag, link, retry-after, stentor-token");
	return good && add(response, "Access-Control-Allow-Methods", head->match.allow) &&
	       add(response, "Access-Control-Allow-Headers",
		       "authorization, content-type, if-match, last-event-id, "
		       "stentor-share") &&
	       add(response, "Access-Control-Max-Age", "600");
}

static enum MHD_Result queue(struct http_request *request, struct MHD_Response *response)
{
	struct http_exchange *exchange = &request->exchange;
	enum MHD_Result result = MHD_NO;
	bool good =
		response != NULL && add_security(response) && add_cors(response, &request->head);

	for (unsigned int i = 0; good && i < exchange->header_count; i++)
		good = add(response, exchange->header[i].name, exchange->header[i].value);
	if (good && request->refusal.close)
		good = add(response, "Connection", "close");
	if (good) {
		connection_until(request->server, request->connection,
			request->stream != NULL ? 0 : request->server->config.response_timeout_ns);
		result = MHD_queue_response(request->handle, exchange->status, response);
	}
	if (response != NULL)
		MHD_destroy_response(response);
	return result;
}

static struct MHD_Response *make_text(struct http_exchange *exchange)
{
	struct writer *writer = &exchange->response;
	struct MHD_Response *response;

	if (writer->size == 0)
		return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	response =
		MHD_create_response_from_buffer(writer->size, writer->text, MHD_RESPMEM_MUST_FREE);
	if (response != NULL)
		*writer = (struct writer){0};
	return response;
}

static enum MHD_Result queue_text(struct http_request *request)
{
	struct http_exchange *exchange = &request->exchange;
	struct MHD_Response *response;

	if (exchange->response.failed || exchange->status < 200)
		http_problem(exchange, 500, "out of memory");
	response = make_text(exchange);
	if (response != NULL && exchange->type != NULL &&
		!add(response, "Content-Type", exchange->type)) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	if (response != NULL && !add(response, "Cache-Control", "no-store")) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	return queue(request, response);
}

static enum MHD_Result queue_file(struct http_request *request)
{
	const struct www_file *file = request->file;
	const char *known = request->head.field[HEAD_IF_NONE_MATCH];
	bool same = known != NULL && field_names_tag(known, file->etag);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		same ? 0 : file->size, (void *)file->bytes, MHD_RESPMEM_PERSISTENT);

	request->exchange.status = same ? 304 : 200;
	/* A file never changes under its tag, and is asked for again after an upgrade. */
	if (response != NULL && (!add(response, "ETag", file->etag) ||
					!add(response, "Cache-Control", "no-cache") ||
					(!same && !add(response, "Content-Type", file->type)))) {
		MHD_destroy_response(response);
		return MHD_NO;
	}
	return queue(request, response);
}

/* OPTIONS: what this path takes; a preflight as well. */
static enum MHD_Result queue_options(struct http_request *request)
{
	struct http_exchange *exchange = &request->exchange;
	const struct http_match *match = &request->head.match;

	exchange->status = 204;
	http_header_set(exchange, "Allow", "%s", match->allow);
	if (match->accept != NULL)
		http_header_set(exchange, "Accept-Post", "%s", match->accept);
	return queue_text(request);
}

enum MHD_Result answer_queue(struct http_request *request)
{
	struct http_exchange *exchange = &request->exchange;

	if (request->phase == REQUEST_STREAMING)
		return queue(request, stream_response(request->stream));
	if (request->phase == REQUEST_ANSWERED)
		return queue_text(request);
	request->phase = REQUEST_ANSWERED;
	if (request->refusal.status != 0) {
		http_problem(exchange, request->refusal.status, "%s", request->refusal.detail);
		if (request->refusal.allow != NULL)
			http_header_set(exchange, "Allow", "%s", request->refusal.allow);
		if (request->refusal.status == 401)
			http_header_set(exchange, "WWW-Authenticate", "Bearer");
		return queue_text(request);
	}
	if (request->head.options)
		return queue_options(request);
	if (request->file != NULL)
		return queue_file(request);
	exchange->status = 200;
	exchange->type = "text/plain; charset=utf-8";
	writer_append(&exchange->response, "ok\n", 3);
	return queue_text(request);
}
