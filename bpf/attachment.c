/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MAPS_MAX 16

int attachment_query(struct attachment *attachment, int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int rc = bpf_xdp_query(ifindex, 0, &query);

	if (rc < 0)
		return rc;
	*attachment = (struct attachment){.ifindex = ifindex, .program = -1};
	if (query.drv_prog_id) {
		attachment->id = query.drv_prog_id;
		attachment->flags = XDP_FLAGS_DRV_MODE;
	} else if (query.skb_prog_id) {
		attachment->id = query.skb_prog_id;
		attachment->flags = XDP_FLAGS_SKB_MODE;
	} else if (query.hw_prog_id) {
		attachment->id = query.hw_prog_id;
		attachment->flags = XDP_FLAGS_HW_MODE;
	}
	if (attachment->id == 0)
		return 0;

	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	attachment->program = bpf_prog_get_fd_by_id(attachment->id);
	if (attachment->program < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (bpf_obj_get_info_by_fd(attachment->program, &info, &size) < 0) {
		rc = -errno;
		close(attachment->program);
		return rc;
	}
	memcpy(attachment->name, info.name, sizeof(attachment->name));
	attachment->name[sizeof(attachment->name) - 1] = '\0';
	return 0;
}

int attachment_remove(const struct attachment *attachment)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, expected, .old_prog_fd = attachment->program);

	return bpf_xdp_detach(attachment->ifindex, attachment->flags, &expected);
}

bool attachment_is_native(const struct attachment *attachment)
{
	return attachment->flags != XDP_FLAGS_SKB_MODE;
}

int attachment_map(int program, const char *name, uint32_t key_size, uint32_t value_size)
{
	uint32_t ids[MAPS_MAX] = {0};
	struct bpf_prog_info program_info = {
		.map_ids = (uint64_t)(uintptr_t)ids,
		.nr_map_ids = MAPS_MAX,
	};
	uint32_t size = sizeof(program_info);

	if (bpf_obj_get_info_by_fd(program, &program_info, &size) < 0)
		return -errno;
	for (uint32_t i = 0; i < program_info.nr_map_ids && i < MAPS_MAX; i++) {
		struct bpf_map_info info = {0};
		uint32_t info_size = sizeof(info);
		int map = bpf_map_get_fd_by_id(ids[i]);
		if (map < 0)
			return -errno;
		if (bpf_obj_get_info_by_fd(map, &info, &info_size) == 0 &&
			strcmp(info.name, name) == 0) {
			if (info.key_size == key_size && info.value_size == value_size)
				return map;
			close(map);
			return -EPROTO;
		}
		close(map);
	}
	return -EPROTO;
}

void attachment_raise_memlock(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}
