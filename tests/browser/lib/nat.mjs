/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A phone behind a NAT: the stranger's part of the lab forwards for a namespace of its own, and
 * rewrites its source. move() is what a NAT does that has rebooted: another mapping for what goes on.
 */
import { execFileSync } from 'node:child_process';
import { lab, runIn } from './relay.mjs';

const ip = (...args) => execFileSync('ip', args);

/* nft has no verb for forgetting connections: ctnetlink does, by a delete without attributes. */
const FORGET = `
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.send(struct.pack("=IHHII", 20, 0x0102, 5, 1, 0) + struct.pack("=BBH", 0, 0, 0))
error = struct.unpack_from("=i", s.recv(4096), 16)[0]
raise SystemExit(0 if error == 0 else f"ctnetlink: {error}")
`;

export async function makeNat() {
	const phone = `${lab.prefix}-phone`, router = `${lab.prefix}-stranger`;
	ip('netns', 'add', phone);
	process.on('exit', () => { try { ip('netns', 'delete', phone); } catch { /* was never made */ } });
	ip('link', 'add', 'eth0', 'netns', phone, 'type', 'veth', 'peer', 'phone', 'netns', router);
	for (const [part, device, address] of [['phone', 'eth0', '192.168.9.2/24'], ['stranger', 'phone', '192.168.9.1/24']]) {
		await runIn(part, 'ip', 'address', 'add', address, 'dev', device);
		await runIn(part, 'ip', 'link', 'set', device, 'up');
		await runIn(part, 'ethtool', '-K', device, 'tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off').catch(() => {});
	}
	await runIn('phone', 'ip', 'link', 'set', 'lo', 'up');
	await runIn('phone', 'ip', 'route', 'add', 'default', 'via', '192.168.9.1');
	await runIn('stranger', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
	const nat = {
		/* Whose connections go on, under another address or other ports. */
		async move(address, port) {
			await runIn('stranger', 'ip', 'address', 'replace', `${address}/24`, 'dev', 'eth0');
			await runIn('stranger', 'nft', `table ip nat; delete table ip nat;
				table ip nat { chain post { type nat hook postrouting priority 100;
				oifname "eth0" meta l4proto udp snat to ${address}:${port}-${port + 900};
				oifname "eth0" meta l4proto tcp snat to 172.16.3.2; }; }`);
			await runIn('stranger', 'python3', '-c', FORGET);
		},
	};
	await nat.move('172.16.3.2', 51000);
	return nat;
}
