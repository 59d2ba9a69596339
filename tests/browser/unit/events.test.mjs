/* SPDX-License-Identifier: BSD-3-Clause */
import assert from 'node:assert/strict';
import test from 'node:test';
import { load } from './load.mjs';

const { StreamParser, retryAfterMs } = await load('events.js');
const { People } = await load('people.js');
const { restartFragment, restartedAnswer, withNack } = await load('sdp.js');

const parse = (...pieces) => {
	const parser = new StreamParser();
	return pieces.flatMap((piece) => parser.feed(piece));
};
const data = (events) => events.map((event) => event.data);

/* The examples of HTML, section 9.2.6. */
test('the examples of the specification', () => {
	assert.deepEqual(data(parse('data: YHOO\ndata: +2\ndata: 10\n\n')), ['YHOO\n+2\n10']);
	assert.deepEqual(parse(': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n'), [
		{ type: 'message', data: 'first event', id: '1' },
		{ type: 'message', data: 'second event', id: '' },
		{ type: 'message', data: ' third event', id: '' },
	]);
	assert.deepEqual(data(parse('data\n\ndata\ndata\n\ndata:')), ['', '\n']);
	assert.deepEqual(data(parse('data:test\n\ndata: test\n\n')), ['test', 'test']);
});

test('a stream cut anywhere gives the same events', () => {
	const stream = '\uFEFFid: 7\r\nevent: room\r\ndata: {"a":1}\r\n\r\ndata: b\r\rdata: c\n\n:x\n\ndata: d\r\n\r\n';
	const whole = parse(stream);
	assert.deepEqual(data(whole), ['{"a":1}', 'b', 'c', 'd']);
	assert.equal(whole[0].type, 'room');
	for (let i = 0; i <= stream.length; i++) {
		for (let j = i; j <= stream.length; j++)
			assert.deepEqual(parse(stream.slice(0, i), stream.slice(i, j), stream.slice(j)), whole, `cut at ${i} and ${j}`);
	}
});

test('the last id outlives its event, one with NUL is ignored', () => {
	const parser = new StreamParser();
	parser.feed('id: 41\ndata: x\n\ndata: y\n\nid: 4\u00002\ndata: z\n\n');
	assert.equal(parser.lastId, '41');
});

test('retry takes digits only', () => {
	const parser = new StreamParser();
	parser.feed('retry: 12x\n');
	assert.equal(parser.retryMs, null);
	parser.feed('retry: 1200\n');
	assert.equal(parser.retryMs, 1200);
});

test('Retry-After in seconds, as a date, and as nonsense', () => {
	const now = Date.parse('Fri, 31 Dec 1999 23:59:00 GMT');
	assert.equal(retryAfterMs('120', now), 120000);
	assert.equal(retryAfterMs('Fri, 31 Dec 1999 23:59:59 GMT', now), 59000);
	assert.equal(retryAfterMs('Fri, 31 Dec 1999 23:58:59 GMT', now), 0);
	assert.equal(retryAfterMs('soon', now), null);
	assert.equal(retryAfterMs(null, now), null);
});

test('a source is a name once the list has told it', () => {
	const people = new People();
	assert.equal(people.isNews(77), true);
	assert.equal(people.isNews(77), false, 'one list a source, not one a packet');
	people.list([{ member: 'ann', role: 'host', ssrc: 77 }, { member: 'bob', role: 'speaker' },
		{ member: 'eve', role: 'listener', ssrc: 9 }]);
	assert.equal(people.bySource(77), 'ann');
	assert.equal(people.bySource(9), null);
	assert.deepEqual(people.stage().map((member) => member.name), ['ann', 'bob']);
});

test('the stage follows the events', () => {
	const people = new People();
	people.list([{ member: 'bob', role: 'speaker' }, { member: 'ann', role: 'host' }]);
	assert.deepEqual(people.stage().map((member) => member.name), ['ann', 'bob'], 'host first');
	people.apply({ type: 'member.muted', member: 'bob', listeners: 5 });
	assert.equal(people.member('bob').muted, true);
	assert.equal(people.room.listeners, 5);
	people.apply({ type: 'member.unmuted', member: 'bob' });
	assert.equal(people.member('bob').muted, false);
	people.apply({ type: 'member.left', left: ['bob', 'somebody'] });
	assert.equal(people.member('bob'), null);
	assert.equal(people.apply({ type: 'member.joined', role: 'speaker', joined: ['cid'] }), 'list');
	assert.equal(people.apply({ type: 'member.joined', role: 'listener', joined: ['dan'] }), null,
		'a listener is a number');
	assert.equal(people.apply({ type: 'member.connected', member: 'dan' }), null);
	assert.equal(people.apply({ type: 'member.connected', member: 'ann' }), 'list');
	assert.equal(people.apply({ type: 'something.new' }), null);
});

test('the fragment of an ICE restart has the new credentials under the first section', () => {
	const offer = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', 'a=group:BUNDLE 0 1',
		'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:EsAw',
		'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1', 'a=mid:0', 'm=audio 9 UDP/TLS/RTP/SAVPF 111',
		'a=ice-ufrag:EsAw', 'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1', 'a=mid:1', ''].join('\r\n');
	assert.equal(restartFragment(offer), ['a=group:BUNDLE 0 1', 'a=ice-ufrag:EsAw',
		'a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', '']
		.join('\r\n'));
});

test('the answer after an ICE restart has the credentials everywhere, and nothing else changes', () => {
	const answer = 'v=0\r\nm=audio 9\r\na=ice-ufrag:old\r\na=ice-pwd:oldoldold\r\na=mid:0\r\nm=audio 9\r\na=ice-ufrag:old\r\na=ice-pwd:oldoldold\r\n';
	assert.equal(restartedAnswer(answer, 'a=ice-ufrag:new1\r\na=ice-pwd:newnewnew\r\nm=audio 9\r\n'),
		answer.replaceAll('old', 'new').replaceAll('a=ice-ufrag:new', 'a=ice-ufrag:new1'));
	assert.throws(() => restartedAnswer(answer, 'm=audio 9\r\n'));
});

test('NACK is asked for Opus and RED, each once, and for nothing else', () => {
	const offer = ['a=rtpmap:111 opus/48000/2', 'a=rtcp-fb:111 transport-cc', 'a=fmtp:111 minptime=10',
		'a=rtpmap:63 red/48000/2', 'a=rtcp-fb:63 transport-cc', 'a=rtpmap:9 G722/8000',
		'a=rtcp-fb:9 transport-cc', ''].join('\r\n');
	const wanted = offer.replace('a=rtcp-fb:111 transport-cc', '$&\r\na=rtcp-fb:111 nack')
		.replace('a=rtcp-fb:63 transport-cc', '$&\r\na=rtcp-fb:63 nack');
	assert.equal(withNack(offer), wanted);
	assert.equal(withNack('v=0\r\n'), 'v=0\r\n');
});
