/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "configs/log.h"
#include "controlplane/program.h"
#include "controlplane/rooms/secret.h"
#include "controlplane/session.h"
#include "controlplane/webrtc/certificate.h"

#define CERTIFICATE_LOOK_NS (3600ULL * 1000000000u)
#include "controlplane/web.h"

static int fill_random(void *bytes, size_t size)
{
	return getrandom(bytes, size, 0) == (ssize_t)size ? 0 : -errno;
}

static void signalled(void *context, uint32_t events)
{
	struct program *program = context;
	struct signalfd_siginfo info;

	if (read(program->signal_source.fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	log_info("stopping", "signal=%s", strsignal((int)info.ssi_signo));
	loop_stop(program->conductor.loop);
}

/* The link is processed at the end of each turn; this only ends the waiting. */
static void link_ready(void *context, uint32_t events)
{
}

static int watch_signals(struct program *program)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is a full disk, not an end */
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	program->signal_source = (struct loop_source){fd, signalled, program};
	return loop_add(program->conductor.loop, &program->signal_source, EPOLLIN);
}

/* Ids never repeat, even if the database is lost: they start at the time in 1/65536 s. */
static uint64_t first_id(unsigned int box_id, const struct moment *now)
{
	uint64_t counter = ((uint64_t)now->wall_ms / 1000) << 16;

	return (uint64_t)box_id << 48 | (counter & ((1ULL << 48) - 1)) | 1;
}

static int open_store(struct program *program)
{
	const struct config *config = &program->config;
	struct store_limits limits = {config->log_max, config->answers_max};
	struct registry_limits most;
	struct moment now = conductor_now();
	char reason[256] = "";
	int rc;

	config_limits(config, &most);
	registry_init(&program->registry, &most, fill_random);
	program->registry.next_id = first_id(config->box_id, &now);
	rc = store_open(&program->conductor.store, config->database, &limits, reason);
	if (rc != 0) {
		log_error("database_open", "path=%s errno=%d reason=\"%s\"", config->database, -rc,
			reason);
		return rc;
	}
	rc = store_load(program->conductor.store, &program->registry, &now);
	if (rc != 0)
		log_error("database_load", "path=%s errno=%d", config->database, -rc);
	else
		log_info("database_loaded", "path=%s rooms=%zu members=%zu seq=%llu",
			config->database, program->registry.rooms.count,
			program->registry.members.count,
			(unsigned long long)program->registry.sequence);
	return rc;
}

static int open_link(struct program *program)
{
	struct conductor *c = &program->conductor;
	struct link_config config = {.path = program->config.table_socket, .dump = true};
	struct moment now = conductor_now();
	int rc;

	/* Safety actions come on top of pending_max. */
	config.pending_max = 2 * program->config.pending_max + 1024;
	config.pending_bytes_max = 512u << 20;
	rc = store_epoch(c->store, &now, &config.epoch);
	if (rc == 0)
		rc = link_open(&c->link, &config, &reconcile_callbacks, c);
	if (rc != 0) {
		log_error("link_open", "path=%s errno=%d", config.path, -rc);
		return rc;
	}
	program->link_source = (struct loop_source){link_fd(c->link), link_ready, NULL};
	return loop_add(c->loop, &program->link_source, EPOLLIN);
}

static int read_log(
	void *context, uint64_t room_id, uint64_t *after, unsigned int limit, struct writer *text)
{
	return store_log_read(context, room_id, after, limit, text);
}

static int open_events(struct program *program)
{
	const struct config *config = &program->config;
	struct conductor *c = &program->conductor;
	struct server_config server = {.path = config->events_socket,
		.uid = config->allowed_uid,
		.gid = config->allowed_gid,
		.connections_max = config->connections_max,
		.stall_timeout_ns = config->stall_timeout_ms * 1000000ULL};
	struct server_callbacks callbacks = {conductor_line, conductor_too_long, conductor_drained,
		conductor_stalled, conductor_closed};
	struct feed_config feed = {
		config->subscribers_max, config->http_streams_max, read_log, c->store};
	int rc = server_open(&c->server, c->loop, &server, &callbacks, c);

	if (rc != 0) {
		log_error("events_open", "path=%s errno=%d reason=\"%s\"", server.path, -rc,
			strerror(-rc));
		return rc;
	}
	return feed_open(&c->feed, c->server, &feed, program->registry.sequence);
}

/*
 * What was decided in this turn goes to the disk first: a leg that a failing disk takes back must
 * not have got its keys meanwhile.
 */
static void dtls_ready(void *context, uint32_t events)
{
	struct program *program = context;

	turn_commit(&program->conductor);
	dtls_process(program->dtls);
}

/* Where the certificate is: as configured, or beside the database. */
static void certificate_folder(const struct config *config, char *folder)
{
	char *slash;

	if (config->certificate_folder[0] != '\0') {
		strcpy(folder, config->certificate_folder);
		return;
	}
	strcpy(folder, config->database);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		strcpy(folder, ".");
	else
		slash[slash == folder] = '\0';
}

static int open_dtls(struct program *program)
{
	char folder[sizeof(program->config.database)];
	const struct config *config = &program->config;
	struct conductor *c = &program->conductor;
	struct dtls_config dtls = {.threads = config->handshake_threads,
		.handshakes_max = config->handshakes_max,
		.handshakes_address_max = config->handshakes_address_max,
		.handshake_timeout_ms = config->handshake_timeout_ms};
	struct moment now = conductor_now();
	int rc;

	certificate_folder(config, folder);
	rc = certificate_open(
		&program->certificate, folder, config->certificate_days, now.wall_ms / 1000);
	if (rc != 0)
		return rc; /* it has said why */
	dtls.certificate = program->certificate;
	rc = dtls_open(&program->dtls, &dtls, &session_dtls_callbacks, c);
	if (rc != 0) {
		log_error("dtls_open", "threads=%u errno=%d", dtls.threads, -rc);
		return rc;
	}
	program->certificate_ns = loop_now_ns() + CERTIFICATE_LOOK_NS;
	program->dtls_source = (struct loop_source){dtls_fd(program->dtls), dtls_ready, program};
	return loop_add(c->loop, &program->dtls_source, EPOLLIN);
}

static int open_sessions(struct program *program)
{
	const struct config *config = &program->config;
	struct session_config session = {.sessions_max = config->sessions_max,
		.joins_per_second = config->joins_per_second,
		.open_listening = config->open_listening,
		.unsignalled_slots = config->unsignalled_slots,
		.announced_count = config->media_address_count};
	int rc;

	if (!config->http)
		return 0;
	rc = open_dtls(program);
	if (rc != 0)
		return rc;
	for (unsigned int i = 0; i < config->media_address_count; i++)
		config_address(config->media_addresses[i], &session.announced[i]);
	session.fingerprint = program->certificate->fingerprint;
	return session_open(&program->conductor, &session, program->dtls);
}

/* Clients know the certificate by the fingerprint in their SDP, so another one disturbs nobody. */
static void rotate_certificate(struct program *program, uint64_t now_ns)
{
	const struct config *config = &program->config;
	struct moment now = conductor_now();
	char folder[sizeof(config->database)];
	struct certificate *fresh;

	certificate_folder(config, folder);
	program->certificate_ns = now_ns + CERTIFICATE_LOOK_NS;
	if (!certificate_due(program->certificate, now.wall_ms / 1000) ||
		certificate_open(&fresh, folder, config->certificate_days, now.wall_ms / 1000) != 0)
		return;
	if (dtls_rotate(program->dtls, fresh) != 0) {
		certificate_release(fresh);
		return;
	}
	session_fingerprint(&program->conductor, fresh->fingerprint);
	certificate_release(program->certificate);
	program->certificate = fresh;
	log_info("certificate_rotated", "days=%u", config->certificate_days);
}

static int timeout_ms(void *context, uint64_t now_ns)
{
	return conductor_timeout_ms(&((struct program *)context)->conductor, now_ns);
}

static void turn_end(void *context, uint64_t now_ns)
{
	struct program *program = context;

	conductor_turn_end(&program->conductor, now_ns);
	if (program->certificate != NULL && now_ns >= program->certificate_ns)
		rotate_certificate(program, now_ns);
}

static void fill_http(struct program *program, struct http_server_config *http)
{
	const struct config *config = &program->config;

	for (unsigned int i = 0; i < config->http_host_count; i++)
		program->http_hosts[i] = config->http_hosts[i];
	for (unsigned int i = 0; i < config->http_origin_count; i++)
		program->http_origins[i] = config->http_origins[i];
	*http = (struct http_server_config){.address = config->http_address,
		.port = (uint16_t)config->http_port,
		.certificate =
			config->http_certificate[0] == '\0' ? NULL : config->http_certificate,
		.key = config->http_key[0] == '\0' ? NULL : config->http_key,
		.plain = config->http_plain,
		.connections_max = config->http_connections_max,
		.connections_address_max = config->http_connections_address_max,
		.request_timeout_ns = config->http_request_timeout_ms * 1000000ULL,
		.response_timeout_ns = config->http_response_timeout_ms * 1000000ULL,
		.policy = {program->http_hosts, config->http_host_count, program->http_origins,
			config->http_origin_count, false}};
}

static int open_web(struct program *program)
{
	struct conductor *c = &program->conductor;
	struct web_config web = {.open_listening = program->config.open_listening,
		.dtls = program->dtls,
		.stall_timeout_ns = program->config.http_response_timeout_ms * 1000000ULL,
		.metrics_rooms = program->config.metrics_rooms_max};
	char reason[HTTP_REASON_SIZE];
	int rc;

	if (!program->config.http)
		return 0;
	fill_http(program, &web.http);
	rc = web_open(&c->web, c, &web, reason);
	if (rc != 0)
		log_error("http_open", "errno=%d reason=\"%s\"", -rc, reason);
	else
		log_info("http_listening", "address=%s port=%u tls=%s", web.http.address,
			web_port(c->web), web.http.certificate != NULL ? "yes" : "no");
	return rc;
}

int program_open(struct program *program)
{
	struct conductor *c = &program->conductor;
	struct loop_hooks hooks = {timeout_ms, turn_end, program};
	int rc;

	c->registry = &program->registry;
	c->config.answer_timeout_ns = program->config.answer_timeout_ms * 1000000ULL;
	c->config.pending_max = program->config.pending_max;
	c->started_ns = loop_now_ns();
	fill_random(&c->pending.seed, sizeof(c->pending.seed));
	parse_setup();
	rc = secret_setup();
	if (rc == 0)
		rc = open_store(program);
	if (rc == 0)
		rc = loop_open(&c->loop, &hooks);
	if (rc == 0)
		rc = watch_signals(program);
	if (rc == 0)
		rc = open_link(program);
	if (rc == 0)
		rc = open_events(program);
	if (rc == 0)
		rc = open_sessions(program);
	if (rc == 0)
		rc = open_web(program);
	return rc;
}

void program_close(struct program *program)
{
	struct conductor *c = &program->conductor;

	link_close(c->link);
	conductor_close(c);
	web_close(c->web);
	dtls_close(program->dtls);
	session_close(c);
	certificate_release(program->certificate);
	server_close(c->server);
	feed_close(c->feed);
	loop_close(c->loop);
	if (program->signal_source.fd > 0)
		close(program->signal_source.fd);
	store_close(c->store);
	registry_clear(&program->registry);
}
