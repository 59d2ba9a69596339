/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ctl/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "configs/log.h"

#define BACKLOG 16

/* 0 when the name is free now; -EADDRINUSE when somebody answers, or it is not a socket. */
static int clear_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int error, fd;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	close(fd);
	if (error != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(address->sun_path) < 0 ? -errno : 0;
}

static int bind_path(int fd, const struct sockaddr_un *address, gid_t gid)
{
	mode_t mask = umask(0117);
	int error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(mask);
	if (error)
		return error;
	if (gid != (gid_t)-1 && chown(address->sun_path, (uid_t)-1, gid) < 0)
		return -errno;
	return listen(fd, BACKLOG) < 0 ? -errno : 0;
}

int listener_open(const char *path, gid_t gid)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int error, fd = -1;

	if (strlen(path) >= sizeof(address.sun_path)) {
		error = -ENAMETOOLONG;
		goto fail;
	}
	strcpy(address.sun_path, path);
	error = clear_stale(&address);
	if (error)
		goto fail;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	error = fd < 0 ? -errno : bind_path(fd, &address, gid);
	if (!error)
		return fd;
fail:
	log_error("table_listen", "path=%s error=\"%s\"", path,
		error == -EADDRINUSE ? "another data plane answers there" : strerror(-error));
	if (fd >= 0)
		close(fd);
	return error;
}

void listener_close(int fd, const char *path)
{
	if (fd < 0)
		return;
	unlink(path);
	close(fd);
}

int listener_accept(int fd, const struct listener_peers *allowed)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int peer_fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (peer_fd < 0)
		return -errno;
	if (!getsockopt(peer_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
		(peer.uid == 0 || peer.uid == geteuid() ||
			(allowed->uid != (uid_t)-1 && peer.uid == allowed->uid) ||
			(allowed->gid != (gid_t)-1 && peer.gid == allowed->gid)))
		return peer_fd;
	log_warn("table_refused_peer", "uid=%u gid=%u pid=%d", peer.uid, peer.gid, peer.pid);
	close(peer_fd);
	return -EPERM;
}
