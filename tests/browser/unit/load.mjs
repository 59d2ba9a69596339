/* SPDX-License-Identifier: BSD-3-Clause */
/* The pages' modules have no package.json beside them, and so would be CommonJS to node. */
import { readFileSync } from 'node:fs';

export function load(name) {
	const text = readFileSync(new URL(`../../../controlplane/http/www/${name}`, import.meta.url), 'utf8');
	return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}
