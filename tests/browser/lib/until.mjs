/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting with a deadline and a reason; nothing here waits for nothing. */

const LOOK_MS = 50;

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/*
 * Calls look() until it returns something true, which is returned. At the deadline it throws the
 * reason with what look() said last, so that a failure shows how far things got.
 */
export async function until(reason, deadlineMs, look) {
	const end = performance.now() + deadlineMs;
	let last;
	for (;;) {
		try {
			last = await look();
			if (last)
				return last;
		} catch (error) {
			last = error;
		}
		if (performance.now() >= end)
			throw new Error(`gave up after ${deadlineMs} ms: ${reason} (last: ${
				last instanceof Error ? last.message : JSON.stringify(last)})`);
		await pause(LOOK_MS);
	}
}

/* Looks every period until the time is over: for what must stay as it is. */
export async function throughout(durationMs, periodMs, look) {
	const end = performance.now() + durationMs;
	let count = 0;
	while (performance.now() < end) {
		await look(count++);
		await pause(Math.min(periodMs, Math.max(0, end - performance.now())));
	}
}

export function check(condition, text) {
	if (!condition)
		throw new Error(text);
}
