/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The quickstart prints a URL, and a browser on this machine that opens it hears the speech, while
 * all synthetic listeners are served. --listeners 20000 is the real thing; in a short run 2,000.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FLAGS, inState } from './lib/browser.mjs';
import { lab } from './lib/relay.mjs';
import { argument, screenshot, step } from './lib/scenario.mjs';
import { pageStats, spyOnConnections } from './lib/spy.mjs';
import { check, until } from './lib/until.mjs';

const { chromium } = createRequire(`${lab.build}/tests/browser/package.json`)('playwright-core');
const LISTENERS = argument('listeners', 2000);
const SECONDS = argument('seconds', 25);
const top = new URL('../..', import.meta.url).pathname;

let said = '';
const quickstart = spawn('setpriv', ['--pdeathsig', 'TERM', `${top}configs/quickstart.sh`, '--no-build',
	'--listeners', `${LISTENERS}`, '--seconds', `${SECONDS}`], {
	env: { ...process.env, LAB_PREFIX: `${lab.prefix}-q`, RELAY_BUILD: lab.build, LAB_DIR: '' },
	stdio: ['ignore', 'pipe', 'pipe'],
});
for (const stream of [quickstart.stdout, quickstart.stderr])
	stream.on('data', (data) => { said += data; });
const ended = new Promise((resolve) => { quickstart.on('exit', resolve); });

/* Speech comes and goes: loud and quiet moments, as the page's own statistics have them. */
async function hearSpeech(page) {
	const levels = [];
	let before = await pageStats(page);
	await until('speech is heard', 15000, async () => {
		const now = await pageStats(page);
		if (now.received < before.received + 10)
			return false;
		levels.push((now.energy - before.energy) / (now.received - before.received));
		before = now;
		return levels.length >= 20 && Math.max(...levels) > 5 * Math.min(...levels) && Math.max(...levels) > 1e-6;
	});
	return before;
}

async function listen(url) {
	const home = `${lab.folder}/home-host`;
	mkdirSync(home, { recursive: true });
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS,
		env: { ...process.env, HOME: home } });
	try {
		const page = await browser.newPage();
		await page.goto(url);
		await spyOnConnections(page);
		await page.click('#listen');
		await inState(page, 'listening', 20000).catch(async (error) => {
			await screenshot(page, 'failed-quickstart');
			throw error;
		});
		const stats = await hearSpeech(page);
		await until('the page shows who speaks', 5000, () => page.evaluate(() =>
			document.querySelector('.tile.speaking .name')?.textContent === 'stentor'));
		await screenshot(page, 'quickstart');
		return stats;
	} finally {
		await browser.close();
	}
}

async function run() {
	const url = await until('the quickstart prints a URL', 120000, () => {
		check(quickstart.exitCode === null, 'the quickstart has ended');
		return /http:\/\/127\.0\.0\.1:\d+\/room\/agora/.exec(said)?.[0] ?? false;
	});
	step(`the quickstart says ${url}`);
	const stats = await listen(url);
	step(`heard in a browser: ${stats.received} packets, ${stats.lost} lost`);
	check(stats.lost === 0, `the browser has lost ${stats.lost} packets`);
	check(await ended === 0, 'the verdict is not good');
	check(new RegExp(`${LISTENERS} of ${LISTENERS}, ${LISTENERS} without a gap`).test(said), 'somebody was not served');
	step(`${LISTENERS} listeners served without a gap meanwhile`);
}

try {
	await run();
	step('good');
	process.exit(0);
} catch (error) {
	console.error(`FAIL: ${error.stack}\n${said}`);
	quickstart.kill('SIGTERM');
	await ended;
	process.exit(1);
}
