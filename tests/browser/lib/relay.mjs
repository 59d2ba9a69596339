/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both planes of a relay in the lab that scenario.sh has made, and the event protocol towards them.
 * Everything it starts dies with this process.
 */
import { spawn } from 'node:child_process';
import { existsSync, openSync, closeSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { check, until } from './until.mjs';

const need = (name) => {
	check(process.env[name], `${name} is not set: run this by scenario.sh`);
	return process.env[name];
};

export const lab = {
	prefix: need('LAB_PREFIX'), folder: need('LAB_DIR'), build: need('SMOKE_BUILD'),
	base: need('BROWSER_BASE'), kept: need('BROWSER_KEPT'),
};

/* In that part of the lab; stays up until stop() or the end. */
export function startIn(part, name, command, ...args) {
	const log = openSync(`${lab.folder}/${name}.log`, 'a');
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec',
		`${lab.prefix}-${part}`, command, ...args], { stdio: ['ignore', log, log] });
	closeSync(log);
	child.ended = new Promise((resolve) => { child.on('exit', resolve); });
	return child;
}

/*
 * Packets that this machine has thrown away between the relay and a browser: a veth's ring and a socket's
 * buffer overflow when the cores are busy with something else. Nobody's doing, but lost they are.
 */
export async function machineDropped(parts = ['speaker', 'listeners']) {
	let sum = 0;
	for (const part of parts) {
		for (const [where, device] of [[part, 'eth0'], ['relay', `to-${part}`]]) {
			const [{ stats64 }] = JSON.parse(await runIn(where, 'ip', '-json', '-stats', 'link', 'show', 'dev', device));
			sum += stats64.rx.dropped + stats64.tx.dropped;
		}
		const [names, values] = (await runIn(part, 'cat', '/proc/net/snmp')).split('\n')
			.filter((line) => line.startsWith('Udp: ')).map((line) => line.split(' '));
		const six = (await runIn(part, 'cat', '/proc/net/snmp6')).match(/^Udp6RcvbufErrors\s+(\d+)/m);
		sum += Number(values[names.indexOf('RcvbufErrors')]) + Number(six?.[1] ?? 0);
	}
	return sum;
}

/* To its end; returns what it printed. */
export function runIn(part, command, ...args) {
	return new Promise((resolve, reject) => {
		const child = spawn('ip', ['netns', 'exec', `${lab.prefix}-${part}`, command, ...args],
			{ stdio: ['ignore', 'pipe', 'pipe'] });
		let said = '', wrong = '';
		child.stdout.on('data', (data) => { said += data; });
		child.stderr.on('data', (data) => { wrong += data; });
		child.on('close', (code) => (code === 0 ? resolve(said)
			: reject(new Error(`${command} ${args.join(' ')}: ${wrong.trim()}`))));
	});
}

class EventSocket {
	#socket;
	#waiting = new Map();
	#rest = '';
	#next = 1;

	constructor(path) {
		this.#socket = connect(path);
		this.#socket.on('data', (data) => this.#take(data.toString()));
		this.#socket.on('error', (error) => this.#fail(error));
		this.#socket.on('close', () => this.#fail(new Error('events.sock was closed')));
	}

	#take(text) {
		const lines = (this.#rest + text).split('\n');
		this.#rest = lines.pop();
		for (const line of lines) {
			const answer = JSON.parse(line);
			this.#waiting.get(answer.id)?.resolve(answer);
			this.#waiting.delete(answer.id);
		}
	}

	#fail(error) {
		for (const { reject } of this.#waiting.values())
			reject(error);
		this.#waiting.clear();
	}

	send(fields) {
		const id = `t${process.pid}.${process.hrtime.bigint()}.${this.#next++}`;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			this.#socket.write(`${JSON.stringify({ id, ...fields })}\n`);
		});
	}

	close() {
		this.#socket.destroy();
	}
}

export class Relay {
	#planes = {};
	#socket = null;

	async start() {
		this.startDataplane();
		this.startControlplane();
		await this.works();
	}

	startDataplane() {
		rmSync(`${lab.folder}/table.sock`, { force: true });
		this.#planes.dataplane = startIn('relay', 'dataplane', `${lab.build}/dataplane/stentor-dataplane`,
			'--config', `${lab.folder}/stentor.conf`);
	}

	startControlplane() {
		this.#socket?.close();
		this.#socket = null;
		this.#planes.controlplane = startIn('relay', 'controlplane',
			`${lab.build}/controlplane/stentor-controlplane`, '--config', `${lab.folder}/stentor.conf`);
	}

	works() {
		return until('both planes work together', 20000, async () => {
			for (const [name, plane] of Object.entries(this.#planes))
				check(plane.exitCode === null, `the ${name} has ended`);
			return existsSync(`${lab.folder}/events.sock`) &&
				(await this.ask({ type: 'status' })).dataplane.connected;
		});
	}

	/* No chance to tidy up, as in a crash. */
	async kill(name) {
		this.#planes[name].kill('SIGKILL');
		await this.#planes[name].ended;
		if (name === 'controlplane') {
			this.#socket?.close();
			this.#socket = null;
		}
	}

	/* The answer, whatever it is. */
	async send(fields) {
		this.#socket ??= new EventSocket(`${lab.folder}/events.sock`);
		try {
			return await this.#socket.send(fields);
		} catch (error) {
			this.#socket = null;
			throw error;
		}
	}

	/* The answer; what is refused fails the test. */
	async ask(fields) {
		const answer = await this.send(fields);
		check(answer.ok, `${JSON.stringify(fields)} was refused: ${JSON.stringify(answer.error)}`);
		return answer;
	}

	openRoom(room, fields = {}) {
		return this.ask({ type: 'room.open', actor: 'host', room, title: 'Fifty men', ...fields });
	}

	/* A seat for somebody with a browser; returns the token. */
	async seat(room, member, role) {
		const answer = await this.ask({
			type: 'member.join', actor: 'host', member, room, role, transport: 'webrtc',
		});
		return answer.members[0].token;
	}

	async member(room, name) {
		const answer = await this.ask({ type: 'member.list', room });
		return answer.members.find((member) => member.member === name) ?? null;
	}

	async counters() {
		const { dataplane } = await this.ask({ type: 'status' });
		const sum = { drops: {} };
		for (const worker of dataplane.workers) {
			for (const [name, value] of Object.entries(worker)) {
				if (typeof value === 'number')
					sum[name] = (sum[name] ?? 0) + value;
			}
			for (const [name, value] of Object.entries(worker.drops))
				sum.drops[name] = (sum.drops[name] ?? 0) + value;
		}
		return sum;
	}

	/* Anything that did not authenticate, in any of the three protocols. */
	async authenticationFailures() {
		const { drops } = await this.counters();
		return (drops.srtp_auth ?? 0) + (drops.srtcp_auth ?? 0) + (drops.stun_integrity ?? 0);
	}

	async stop() {
		this.#socket?.close();
		for (const plane of Object.values(this.#planes).reverse()) {
			plane.kill('SIGTERM');
			const timer = setTimeout(() => plane.kill('SIGKILL'), 5000);
			await plane.ended;
			clearTimeout(timer);
		}
	}
}
