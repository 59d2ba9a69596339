/* SPDX-License-Identifier: BSD-3-Clause */
/* The pages' modules have no package.json beside them, and so would be CommonJS to node. What they
 * import goes the same way. */
import { readFileSync } from 'node:fs';

function addressOf(name) {
	const text = readFileSync(new URL(`../../../controlplane/http/www/${name}`, import.meta.url), 'utf8')
		.replace(/ from '\.\/([a-z_]+\.js)'/g, (_, other) => ` from '${addressOf(other)}'`);
	return `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;
}

export function load(name) {
	return import(addressOf(name));
}
