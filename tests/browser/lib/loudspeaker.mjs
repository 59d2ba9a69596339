/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What really comes out of a browser: the mix of everything it plays, recorded where a sound card would
 * be. (An analyser in the page sees one stream of a track, however many the browser mixes in.)
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lab } from './relay.mjs';

const RATE = 48000, SAMPLES = 9600;

/* Before the browser in that part is started, which must not be muted. */
export function loudspeaker(part) {
	const home = `${lab.folder}/home-${part}`, file = `${lab.folder}/heard-${part}.raw`;
	const program = fileURLToPath(new URL('./loudspeaker.py', import.meta.url));
	mkdirSync(home, { recursive: true });
	writeFileSync(`${home}/.asoundrc`, `pcm.!default { type plug slave { rate ${RATE} channels 2 format S16_LE
		pcm { type file file "|python3 ${program} ${file}" format raw slave.pcm { type null } } }
		hint { show on description "recorded" } }\n`);
	return {
		/* dB of full scale of each frequency, in the last fifth of a second; by Goertzel's algorithm. */
		hear(frequencies) {
			const bytes = readFileSync(file), frames = Math.floor(bytes.length / 4);
			const samples = Array.from({ length: SAMPLES }, (_, i) => {
				const at = frames - SAMPLES + i;
				return at < 0 ? 0 : bytes.readInt16LE(at * 4) / 32768 * (0.5 - 0.5 * Math.cos(2 * Math.PI * i / SAMPLES));
			});
			return frequencies.map((hertz) => {
				const turn = 2 * Math.cos(2 * Math.PI * hertz / RATE);
				let one = 0, two = 0;
				for (const sample of samples)
					[one, two] = [sample + turn * one - two, one];
				const power = (one * one + two * two - turn * one * two) / (SAMPLES / 4) ** 2;
				return 10 * Math.log10(power + 1e-12);
			});
		},
	};
}
