/* SPDX-License-Identifier: BSD-3-Clause */
/* A small graph of one series, as SVG: its line, its scale, what it is now. */
import { make } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 300, HEIGHT = 56;

function svg(name, attributes) {
	const made = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	return made;
}

/* A number above the highest that reads well. */
export function niceTop(highest) {
	if (highest <= 0)
		return 1;
	const power = 10 ** Math.floor(Math.log10(highest));
	return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= highest);
}

/* The points of a line that ends at the right; null is a hole, bridged. */
export function pointsOf(series, samples, top) {
	return series.map((value, i) => (value === null ? null
		: [WIDTH - (series.length - 1 - i) * WIDTH / (samples - 1), HEIGHT - value / top * (HEIGHT - 4)]))
		.filter((point) => point !== null);
}

export class Graph {
	#label;
	#format;
	#samples;
	#value = make('span', 'graph-value');
	#scale = make('span', 'graph-scale');
	#picture = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' });
	#line = svg('polyline', { class: 'graph-line', points: '' });
	#area = svg('polygon', { class: 'graph-area', points: '' });

	/* kind: a class for its colour; format(value): as text; samples: of the whole width */
	constructor(label, kind, samples, format) {
		this.#label = label;
		this.#format = format;
		this.#samples = samples;
		this.#picture.append(this.#area, this.#line);
		this.element = make('figure', `graph ${kind}`,
			make('figcaption', '', make('span', 'graph-name', label), this.#value), this.#picture, this.#scale);
	}

	show(series) {
		const known = series.filter((value) => value !== null);
		const top = niceTop(Math.max(0, ...known));
		const points = pointsOf(series, this.#samples, top);
		const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
		this.#line.setAttribute('points', line);
		this.#area.setAttribute('points', points.length < 2 ? ''
			: `${points[0][0].toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`);
		this.#value.textContent = known.length === 0 ? '–' : this.#format(known.at(-1));
		this.#scale.textContent = known.length === 0 ? 'nothing yet' : `0 to ${this.#format(top)}`;
		this.#picture.setAttribute('aria-label', known.length === 0 ? `${this.#label}: nothing yet`
			: `${this.#label}: ${this.#format(known.at(-1))} now, at most ${this.#format(Math.max(...known))} in five minutes`);
	}
}
