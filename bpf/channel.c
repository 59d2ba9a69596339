/* SPDX-License-Identifier: BSD-3-Clause */
#include "bpf/steer.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int steer_queue_count(const char *ifname)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_data = (void *)&channels};

	if (strlen(ifname) >= sizeof(request.ifr_name))
		return -ENODEV;
	memcpy(request.ifr_name, ifname, strlen(ifname) + 1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int rc = ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
	close(fd);
	if (rc == -EOPNOTSUPP) /* a driver that cannot say has one */
		return 1;
	if (rc < 0)
		return rc;
	return (int)(channels.combined_count + channels.rx_count);
}
