// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/io/neighbour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "configs/log.h"

#define ROUTES_MAX 4096u
#define BUCKETS 131072u /* twice the hops, a power of two */
#define NUD_USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

struct route {
	uint8_t family; /* 4 or 6 */
	uint8_t length; /* prefix, bits */
	bool has_gateway;
	uint32_t metric;
	int ifindex;
	uint8_t prefix[16];
	uint8_t gateway[16];
};

struct neighbour_table {
	struct mnl_socket *events;  /* multicast */
	struct mnl_socket *request; /* dumps and kicks */
	struct route route[ROUTES_MAX];
	unsigned int route_count;
	bool routes_changed;
	struct neighbour_hop *hop; /* NEIGHBOUR_HOPS_MAX entries, lazily touched */
	uint8_t *dirty;            /* by hop */
	unsigned int hop_count;
	uint16_t bucket[BUCKETS]; /* hop + 1, 0: empty */
};

static unsigned int address_size(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

static uint8_t family_of(int af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

static uint32_t hop_hash(uint8_t family, const uint8_t *address, int ifindex)
{
	uint32_t hash = 2166136261u ^ (uint32_t)ifindex;
	unsigned int i;

	for (i = 0; i < address_size(family); i++)
		hash = (hash ^ address[i]) * 16777619u;
	return hash ^ hash >> 15;
}

/* Finds a hop, or makes one that is not known yet. NEIGHBOUR_NO_HOP: the table is full. */
static uint16_t hop_get(
	struct neighbour_table *t, uint8_t family, const uint8_t *address, int ifindex)
{
	uint32_t i = hop_hash(family, address, ifindex) % BUCKETS;
	struct neighbour_hop *hop;

	for (; t->bucket[i] != 0; i = (i + 1) % BUCKETS) {
		hop = &t->hop[t->bucket[i] - 1];
		if (hop->ifindex == ifindex && hop->address.family == family &&
			memcmp(hop->address.address, address, address_size(family)) == 0)
			return (uint16_t)(t->bucket[i] - 1);
	}
	if (t->hop_count == NEIGHBOUR_HOPS_MAX)
		return NEIGHBOUR_NO_HOP;
	hop = &t->hop[t->hop_count];
	hop->address.family = family;
	memcpy(hop->address.address, address, address_size(family));
	hop->ifindex = ifindex;
	t->bucket[i] = (uint16_t)(++t->hop_count);
	return (uint16_t)(t->hop_count - 1);
}

/* Asks the kernel to resolve a hop as if a packet had to go there. */
static void hop_kick(struct neighbour_table *t, const struct neighbour_hop *hop)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ndmsg *message;

	header->nlmsg_type = RTM_NEWNEIGH;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->ndm_family = hop->address.family == 4 ? AF_INET : AF_INET6;
	message->ndm_ifindex = hop->ifindex;
	message->ndm_state = NUD_NONE;
	message->ndm_flags = NTF_USE;
	mnl_attr_put(header, NDA_DST, address_size(hop->address.family), hop->address.address);
	if (mnl_socket_sendto(t->request, header, header->nlmsg_len) < 0)
		log_warn("neighbour_kick", "ifindex=%d error=%s", hop->ifindex, strerror(errno));
}

static void neighbour_message(struct neighbour_table *t, const struct nlmsghdr *header)
{
	const struct ndmsg *message = mnl_nlmsg_get_payload(header);
	uint8_t family = family_of(message->ndm_family);
	const uint8_t *address = NULL, *mac = NULL;
	struct neighbour_hop *hop;
	struct nlattr *attr;
	uint16_t index;

	if (family == 0)
		return;
	mnl_attr_for_each(attr, header, sizeof(*message))
	{
		uint16_t size = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NDA_DST && size == address_size(family))
			address = mnl_attr_get_payload(attr);
		if (mnl_attr_get_type(attr) == NDA_LLADDR && size == 6)
			mac = mnl_attr_get_payload(attr);
	}
	if (address == NULL)
		return;
	index = hop_get(t, family, address, message->ndm_ifindex);
	if (index == NEIGHBOUR_NO_HOP)
		return;
	hop = &t->hop[index];
	if (header->nlmsg_type == RTM_DELNEIGH) {
		/* The kernel forgot an entry it never saw used; we go on with it and ask again. */
		if (hop->wanted)
			hop_kick(t, hop);
		return;
	}
	if (mac == NULL || !(message->ndm_state & NUD_USABLE))
		return;
	if (hop->known && memcmp(hop->mac, mac, 6) == 0)
		return;
	memcpy(hop->mac, mac, 6);
	hop->known = true;
	t->dirty[index] = 1;
}

static void route_message(struct neighbour_table *t, const struct nlmsghdr *header)
{
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);
	struct route route = {.family = family_of(message->rtm_family)};
	struct nlattr *attr;

	if (route.family == 0 || message->rtm_type != RTN_UNICAST ||
		message->rtm_flags & RTM_F_CLONED)
		return;
	route.length = message->rtm_dst_len;
	mnl_attr_for_each(attr, header, sizeof(*message))
	{
		uint16_t size = mnl_attr_get_payload_len(attr), type = mnl_attr_get_type(attr);

		if (type == RTA_DST && size == address_size(route.family))
			memcpy(route.prefix, mnl_attr_get_payload(attr), size);
		if (type == RTA_GATEWAY && size == address_size(route.family)) {
			memcpy(route.gateway, mnl_attr_get_payload(attr), size);
			route.has_gateway = true;
		}
		if (type == RTA_OIF && size == 4)
			route.ifindex = (int)mnl_attr_get_u32(attr);
		if (type == RTA_PRIORITY && size == 4)
			route.metric = mnl_attr_get_u32(attr);
		if (type == RTA_TABLE && size == 4 && mnl_attr_get_u32(attr) != RT_TABLE_MAIN)
			return;
	}
	if (route.ifindex == 0)
		return; /* multipath and the like: not ours to choose */
	if (t->route_count == ROUTES_MAX) {
		log_warn("routes_full", "max=%u", ROUTES_MAX);
		return;
	}
	t->route[t->route_count++] = route;
}

static int on_message(const struct nlmsghdr *header, void *arg)
{
	struct neighbour_table *t = arg;

	switch (header->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_message(t, header);
		break;
	case RTM_NEWROUTE:
		route_message(t, header);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

/* A change of routes is rare: remember it and read them all again. */
static int on_event(const struct nlmsghdr *header, void *arg)
{
	struct neighbour_table *t = arg;

	if (header->nlmsg_type == RTM_NEWROUTE || header->nlmsg_type == RTM_DELROUTE)
		t->routes_changed = true;
	else
		on_message(header, arg);
	return MNL_CB_OK;
}

static int dump(struct neighbour_table *t, uint16_t type)
{
	char buffer[32768];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtgenmsg *message;
	static uint32_t sequence;
	ssize_t size;
	int rc;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof(struct ndmsg));
	message->rtgen_family = AF_UNSPEC;
	if (mnl_socket_sendto(t->request, header, header->nlmsg_len) < 0)
		return -errno;
	do {
		size = mnl_socket_recvfrom(t->request, buffer, sizeof(buffer));
		if (size < 0)
			return -errno;
		/* 0 for sequence and port: a kick's error answer must not end the dump. */
		rc = mnl_cb_run(buffer, (size_t)size, 0, 0, on_message, t);
		if (rc == MNL_CB_ERROR)
			rc = MNL_CB_OK;
	} while (rc > MNL_CB_STOP);
	return 0;
}

static int routes_read(struct neighbour_table *t)
{
	t->route_count = 0;
	t->routes_changed = false;
	return dump(t, RTM_GETROUTE);
}

static struct mnl_socket *netlink_open(unsigned int groups)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int size = 1 << 20;

	if (s == NULL)
		return NULL;
	if (mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	/* Best effort: a burst of changes after a link flap is lost otherwise, and then re-read. */
	(void)setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return s;
}

int neighbour_open(struct neighbour_table **out)
{
	struct neighbour_table *t = calloc(1, sizeof(*t));
	int rc = -ENOMEM;

	if (t == NULL)
		return rc;
	t->hop = calloc(NEIGHBOUR_HOPS_MAX, sizeof(*t->hop));
	t->dirty = calloc(NEIGHBOUR_HOPS_MAX, 1);
	if (t->hop == NULL || t->dirty == NULL)
		goto fail;
	t->events = netlink_open(RTMGRP_NEIGH | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE);
	t->request = netlink_open(0);
	if (t->events == NULL || t->request == NULL) {
		rc = -errno;
		goto fail;
	}
	rc = routes_read(t);
	if (rc == 0)
		rc = dump(t, RTM_GETNEIGH);
	if (rc < 0)
		goto fail;
	*out = t;
	return 0;
fail:
	log_error("neighbour_open", "error=%s", strerror(-rc));
	neighbour_close(t);
	return rc;
}

void neighbour_close(struct neighbour_table *t)
{
	if (t == NULL)
		return;
	if (t->events != NULL)
		mnl_socket_close(t->events);
	if (t->request != NULL)
		mnl_socket_close(t->request);
	free(t->hop);
	free(t->dirty);
	free(t);
}

int neighbour_fd(const struct neighbour_table *t)
{
	return mnl_socket_get_fd(t->events);
}

void neighbour_poll(struct neighbour_table *t,
	void (*changed)(void *arg, uint16_t hop, const struct neighbour_hop *), void *arg)
{
	char buffer[32768];
	ssize_t size;
	unsigned int i;

	for (;;) {
		size = recv(neighbour_fd(t), buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size > 0) {
			mnl_cb_run(buffer, (size_t)size, 0, 0, on_event, t);
			continue;
		}
		if (size < 0 && errno == ENOBUFS) {
			/* We missed something: start from what is there now. */
			t->routes_changed = true;
			(void)dump(t, RTM_GETNEIGH);
			continue;
		}
		break;
	}
	if (t->routes_changed)
		(void)routes_read(t);
	for (i = 0; i < t->hop_count; i++) {
		if (!t->dirty[i])
			continue;
		t->dirty[i] = 0;
		if (t->hop[i].wanted)
			changed(arg, (uint16_t)i, &t->hop[i]);
	}
}

static bool prefix_matches(const struct route *route, const uint8_t *address)
{
	unsigned int bytes = route->length / 8, bits = route->length % 8;

	if (memcmp(route->prefix, address, bytes) != 0)
		return false;
	return bits == 0 || ((route->prefix[bytes] ^ address[bytes]) >> (8 - bits)) == 0;
}

static const struct route *route_find(const struct neighbour_table *t, const struct stn_address *to)
{
	const struct route *best = NULL;
	unsigned int i;

	for (i = 0; i < t->route_count; i++) {
		const struct route *route = &t->route[i];

		if (route->family != to->family || !prefix_matches(route, to->address))
			continue;
		if (best == NULL || route->length > best->length ||
			(route->length == best->length && route->metric < best->metric))
			best = route;
	}
	return best;
}

int neighbour_resolve(struct neighbour_table *t, const struct stn_address *remote, uint16_t *hop)
{
	const struct route *route = route_find(t, remote);
	uint16_t index;

	if (route == NULL)
		return -ENETUNREACH;
	index = hop_get(t, remote->family, route->has_gateway ? route->gateway : remote->address,
		route->ifindex);
	if (index == NEIGHBOUR_NO_HOP)
		return -ENOSPC;
	if (!t->hop[index].wanted) {
		t->hop[index].wanted = true;
		if (!t->hop[index].known)
			hop_kick(t, &t->hop[index]);
	}
	*hop = index;
	return 0;
}

const struct neighbour_hop *neighbour_hop(const struct neighbour_table *t, uint16_t hop)
{
	return &t->hop[hop];
}
