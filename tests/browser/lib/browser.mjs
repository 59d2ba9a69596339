/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Debian's Chromium inside a part of the lab, driven by playwright-core. Peer stands for a
 * connection made by peer.js; the relay's own pages are opened with openRoom().
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { lab } from './relay.mjs';
import { check, until } from './until.mjs';

const { chromium } = createRequire(`${lab.build}/tests/browser/package.json`)('playwright-core');

export const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync',
	'--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
	'--autoplay-policy=no-user-gesture-required'];

const PEER = readFileSync(new URL('./peer.js', import.meta.url), 'utf8');

/* Chromium is started by a script of its own, which enters the namespace first. */
function wrapper(part) {
	const path = `${lab.folder}/chromium-${part}`;
	writeFileSync(path, `#!/bin/sh\nexec setpriv --pdeathsig KILL ip netns exec ${
		lab.prefix}-${part} /usr/bin/chromium "$@"\n`);
	chmodSync(path, 0o755);
	return path;
}

/* Bursts of a tone, as a WAV file: what a fake microphone hears. */
export function writeVoice(name, hertz) {
	const rate = 48000, seconds = 4, samples = new Int16Array(rate * seconds);
	for (let i = 0; i < samples.length; i++) {
		const at = i / rate, inBurst = at % 0.5 < 0.35;
		samples[i] = inBurst ? Math.round(12000 * Math.sin(2 * Math.PI * hertz * at)) : 0;
	}
	const head = Buffer.alloc(44);
	head.write('RIFF', 0).toString();
	head.writeUInt32LE(36 + samples.byteLength, 4);
	head.write('WAVEfmt ', 8);
	head.writeUInt32LE(16, 16);
	head.writeUInt16LE(1, 20);
	head.writeUInt16LE(1, 22);
	head.writeUInt32LE(rate, 24);
	head.writeUInt32LE(rate * 2, 28);
	head.writeUInt16LE(2, 32);
	head.writeUInt16LE(16, 34);
	head.write('data', 36);
	head.writeUInt32LE(samples.byteLength, 40);
	const path = `${lab.folder}/${name}.wav`;
	writeFileSync(path, Buffer.concat([head, Buffer.from(samples.buffer)]));
	return path;
}

export class Peer {
	constructor(page, name) {
		this.page = page;
		this.name = name;
	}

	call(what, ...args) {
		return this.page.evaluate(([name, verb, rest]) => globalThis.peer.call(name, verb, ...rest),
			[this.name, what, args]);
	}

	stats() {
		return this.call('stats');
	}

	hear(frequencies) {
		return this.call('hear', frequencies);
	}

	connected(deadlineMs = 10000) {
		return until(`${this.name} is connected`, deadlineMs, async () => {
			const stats = await this.stats();
			return stats.connection === 'connected' ? stats : Promise.reject(new Error(
				`connection ${stats.connection}, ice ${stats.ice}, dtls ${stats.dtls}`));
		});
	}

	/* Until each of those frequencies is heard, in whatever section; returns the levels. */
	hears(frequencies, deadlineMs = 8000, leastDb = -45) {
		return until(`${this.name} hears ${frequencies.join(', ')} Hz`, deadlineMs, async () => {
			const sections = await this.hear(frequencies);
			const loudest = frequencies.map((_, i) => Math.max(...sections.map((levels) => levels[i])));
			return loudest.every((level) => level > leastDb) ? sections
				: Promise.reject(new Error(JSON.stringify(sections.map((s) => s.map(Math.round)))));
		});
	}
}

export class Browser {
	#browser;
	#stage = null;

	static async start(part, { voice = null, flags = [], unmuted = false } = {}) {
		const browser = new Browser();
		const home = `${lab.folder}/home-${part}`;
		mkdirSync(home, { recursive: true });
		browser.#browser = await chromium.launch({
			executablePath: wrapper(part),
			args: [...FLAGS, `--unsafely-treat-insecure-origin-as-secure=${lab.base}`,
				...(voice === null ? [] : [`--use-file-for-fake-audio-capture=${voice}`]), ...flags],
			/* playwright mutes: what a page plays could then not be recorded. */
			ignoreDefaultArgs: unmuted ? ['--mute-audio'] : [],
			env: { ...process.env, HOME: home },
		});
		return browser;
	}

	/* A room's page, as a visitor with this link has it. */
	openRoom(room, token, options = {}) {
		return this.open(`/room/${room}${token === null ? '' : `#token=${token}`}`, options);
	}

	/* Any page of the relay; what goes wrong in it is gathered in its problems. */
	async open(path, options = {}) {
		const context = await this.#browser.newContext({ ignoreHTTPSErrors: true, ...options });
		const page = await context.newPage();
		page.problems = [];
		page.on('pageerror', (error) => page.problems.push(error.message));
		page.on('console', (message) => {
			if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
				page.problems.push(message.text());
		});
		await page.goto(`${lab.base}${path}`);
		return page;
	}

	/* A page with nothing on it but peer.js. */
	async #page() {
		if (this.#stage === null) {
			const context = await this.#browser.newContext({ ignoreHTTPSErrors: true });
			this.#stage = await context.newPage();
			await this.#stage.goto(`${lab.base}/healthz`);
			await this.#stage.evaluate(PEER);
		}
		return this.#stage;
	}

	async peer(name, options) {
		const page = await this.#page();
		await page.evaluate(([called, rest]) => globalThis.peer.join(called, rest),
			[name, { base: lab.base, ...options }]);
		return new Peer(page, name);
	}

	speaker(name, room, token, hertz, more = {}) {
		return this.peer(name, { kind: 'whip', room, token, hertz, ...more });
	}

	listener(name, room, token, more = {}) {
		return this.peer(name, { kind: 'whep', room, token, ...more });
	}

	/* [[name, gain]]: all at once. */
	async gains(gains) {
		const page = await this.#page();
		await page.evaluate((all) => all.forEach(([name, gain]) => globalThis.peer.call(name, 'speak', gain)), gains);
	}

	async allStats() {
		const page = await this.#page();
		return Object.fromEntries(await page.evaluate(() => globalThis.peer.callAll('stats')));
	}

	newContext(options) {
		return this.#browser.newContext({ ignoreHTTPSErrors: true, ...options });
	}

	close() {
		return this.#browser.close();
	}
}

/* Until the page says so; the state is on the body. */
export function inState(page, state, deadlineMs = 12000) {
	return until(`the page is ${state}`, deadlineMs, async () => {
		const [now, hint] = await page.evaluate(() => [document.body.dataset.state,
			document.getElementById('hint').textContent]);
		return now === state || Promise.reject(new Error(`${now}: ${hint}`));
	});
}

/* What every connection has to be: nothing but GCM, nothing in the clear. */
export function checkSecure(stats, who) {
	check(stats.dtls === 'connected', `${who}: DTLS is ${stats.dtls}`);
	check(['connected', 'completed'].includes(stats.ice), `${who}: ICE is ${stats.ice}`);
	check(/^(SRTP_)?AEAD_AES_128_GCM$/.test(stats.cipher), `${who}: SRTP suite is ${stats.cipher}`);
}
