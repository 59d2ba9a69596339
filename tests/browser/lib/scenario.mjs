/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every scenario is wrapped in: a relay, browsers that are closed at the end whatever happens,
 * screenshots that are kept, lines that say how far it got.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { basename, dirname } from 'node:path';
import { Browser } from './browser.mjs';
import { lab, Relay } from './relay.mjs';

const began = performance.now();
export const name = basename(process.argv[1], '_test.mjs');

export function step(text) {
	console.log(`${((performance.now() - began) / 1000).toFixed(2).padStart(6)} ${text}`);
}

/* --seconds 600 of the command line, or what it is in a short run. */
export function argument(key, fallback) {
	const at = process.argv.indexOf(`--${key}`);
	return at < 0 ? fallback : Number(process.argv[at + 1]);
}

function said(command, ...rest) {
	return execFileSync(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
}

/* As it is now: a long run may see another one at its end. */
const commit = process.argv.includes('--result')
	? said('git', '-C', dirname(process.argv[1]), 'rev-parse', '--short', 'HEAD') : null;

/* What was measured; with --result FILE it is kept there, with the machine and the command. */
export function result(fields) {
	step(`result: ${JSON.stringify(fields)}`);
	const at = process.argv.indexOf('--result');
	if (at < 0)
		return;
	writeFileSync(process.argv[at + 1], `${JSON.stringify({
		benchmark: `browser ${name}`, ...fields,
		command: `tests/browser/scenario.sh ${[basename(process.argv[1]), ...process.argv.slice(2, at)].join(' ')}`,
		commit,
		browser: said('chromium', '--version').split('\n').at(-1), cpu: cpus()[0].model, cpus: cpus().length,
		kernel: release(), load: loadavg()[0], date: new Date().toISOString().slice(0, 10),
	}, null, 1)}\n`);
}

export async function screenshot(page, label) {
	const folder = `${lab.kept}/screens`;
	mkdirSync(folder, { recursive: true });
	await page.screenshot({ path: `${folder}/${label}.png`, animations: 'disabled' });
}

export async function scenario(run) {
	const relay = new Relay();
	const browsers = [];
	const pages = [];
	const use = {
		relay,
		async browser(part, options) {
			const browser = await Browser.start(part, options);
			browsers.push(browser);
			return browser;
		},
		/* A page of a room that must not have had an error at the end. */
		async room(browser, room, token, options) {
			const page = await browser.openRoom(room, token, options);
			pages.push(page);
			return page;
		},
		async open(browser, path, options) {
			const page = await browser.open(path, options);
			pages.push(page);
			return page;
		},
	};
	let failure = null;
	try {
		await relay.start();
		await run(use);
		for (const page of pages) {
			if (page.problems.length > 0)
				throw new Error(`a page has had errors: ${page.problems.join('; ')}`);
		}
	} catch (error) {
		failure = error;
		for (const [i, page] of pages.entries())
			await screenshot(page, `failed-${name}-${i}`).catch(() => {});
		const counters = await relay.counters().catch(() => null);
		console.error(`FAIL: ${name}: ${error.stack}`);
		console.error(`counters: ${JSON.stringify(counters)}`);
	}
	for (const browser of browsers)
		await browser.close().catch(() => {});
	await relay.stop();
	if (failure === null)
		step('good');
	process.exit(failure === null ? 0 : 1);
}
