import { expect } from 'chai';
import { of } from 'rxjs';
import { cookieJar } from '../../lib/core/cookieJar.ts';
import { DecodeError } from '../../lib/core/errors.ts';
import { headersFrom, type Transport } from '../../lib/core/transport.ts';
import { mailAddress } from '../../lib/ews/mailAddress.ts';
import { messageParser } from '../../lib/ews/parser.ts';
import { readPoxResponse } from '../../lib/ews/pox.ts';
import { streamingParser } from '../../lib/ews/streamingParser.ts';
import { challengesIn } from '../../lib/ucwa/challenge.ts';
import { connect } from '../../lib/ucwa/connect.ts';
import { contactHrefKey } from '../../lib/ucwa/filing.ts';
import { readFrameMessage } from '../../lib/ucwa/frameMessage.ts';
import { readHeaderLines } from '../../lib/ucwa/headerLines.ts';
import { addressOf } from '../../lib/ucwa/href.ts';
import { readBatch } from '../../lib/ucwa/multipart.ts';
import { normalHref } from '../../operators/href.ts';
import { response } from '../support/responses.ts';

const ORIGIN = 'https://pool.contoso.com';
const json = { 'content-type': 'application/json' };

/** What a resource becomes that is answered with this text. */
function got(body: string): unknown {
  let value: unknown;
  const transport: Transport = ({ url }) => of({ ...response(200, { headers: json, body: [body] }), url });
  const ucwa = connect({ application: `${ORIGIN}/ucwa/v1/applications/1`, transport });
  ucwa.get({ href: '/me' }).subscribe({
    next: (resource) => (value = resource),
    error: (error: unknown) => (value = error),
  });
  return value;
}

/** As deep as is asked, of what is in it and what ends it. */
const nested = (depth: number, before: string, inmost: string, after: string): string =>
  before.repeat(depth) + inmost + after.repeat(depth);

describe('Hostile JSON', () => {
  const bombs: readonly (readonly [string, string])[] = [
    ['resources in resources', nested(200_000, '{"_embedded":{"a":', '{}', '}}')],
    ['lists of resources', nested(200_000, '{"_embedded":{"a":[', '{}', ']}}')],
    ['lists in the place of resources', `{"_embedded":{"a":${nested(500_000, '[', '', ']')}}}`],
    ['lists in the place of links', `{"_links":{"a":${nested(500_000, '[', '', ']')}}}`],
    ['a resource that is a list of lists', nested(500_000, '[', '', ']')],
    ['resources in resources, with a wrong one inside', nested(200_000, '{"_embedded":{"a":', '7', '}}')],
  ];
  for (const [name, text] of bombs) {
    it(`should be a DecodeError that says so: ${name}`, () => {
      expect(got(text)).to.be.instanceOf(DecodeError);
    });
  }

  it('should be taken where it is as deep as resources are', () => {
    expect(got(nested(20, '{"_embedded":{"a":[', '{}', ']}}'))).to.not.be.instanceOf(Error);
  });

  it('should be taken where it is deep in what nobody reads', () => {
    expect(got(`{"rel":"me","other":${nested(100_000, '[', '', ']')}}`)).to.include({ rel: 'me' });
  });

  const polluting: readonly string[] = [
    '{"__proto__":{"polluted":true},"rel":"me"}',
    '{"constructor":{"prototype":{"polluted":true}},"rel":"me"}',
    '{"_links":{"__proto__":{"href":"/a","polluted":true},"constructor":{"href":"/b"}},"rel":"me"}',
    '{"_embedded":{"__proto__":{"polluted":true},"constructor":{"rel":"x"}},"rel":"me"}',
    '{"_links":{"a":{"href":"/a","__proto__":{"polluted":true}}},"rel":"me"}',
    '{"_links":{"a":{"href":"/a?b&amp;c","__proto__":{"polluted":true}}},"rel":"me"}',
    '{"_links":{"__proto__":{"href":"/a?b&amp;c","polluted":true}},"rel":"me"}',
    '{"_embedded":{"__proto__":{"rel":"x","_links":{"a":{"href":"/a?b&amp;c"}}}},"rel":"me"}',
  ];
  for (const text of polluting) {
    it(`should give nothing to any other object, nor to the one that it becomes: ${text}`, () => {
      const resource = got(text) as Readonly<Record<string, unknown>>;
      expect(resource['rel']).to.equal('me');
      expect(({} as Record<string, unknown>)['polluted']).to.equal(undefined);
      for (const value of [resource, resource['_links'], resource['_embedded']]) {
        if (value !== undefined) expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
      }
    });
  }
});

describe('Hostile names', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    it(`should be names like any other: ${name}`, () => {
      expect(headersFrom(readHeaderLines(`${name}: a\r\n${name}: b`)).get(name)).to.equal('a, b');
      expect(headersFrom({}).get(name)).to.equal(undefined);
      expect(challengesIn(`Bearer ${name}=x`)[0]?.parameters.get(name.toLowerCase())).to.equal('x');
      const jar = cookieJar();
      jar.keep(`${ORIGIN}/`, `${name}=1`);
      expect(jar.header(`${ORIGIN}/`)).to.equal(`${name}=1`);
    });
  }
});

const readers: readonly (readonly [string, (text: string) => unknown])[] = [
  ['the answer to a batch', (text) => readBatch('multipart/batching; boundary=x', text)],
  ['the answer to a batch without a boundary', (text) => readBatch(undefined, text)],
  ['the type of a batch', (text) => readBatch(`multipart/batching;${text}`, '--a\r\n\r\n--a--')],
  ['header lines', readHeaderLines],
  ['a challenge', challengesIn],
  ['an href', normalHref],
  ['the href of a contact', contactHrefKey],
  ['the URI of a contact', addressOf],
  ['an address', mailAddress],
  ['a cookie', (text) => cookieJar().keep(`${ORIGIN}/`, text)],
  ['a message of a frame', readFrameMessage],
  ['an Autodiscover answer', readPoxResponse],
  [
    'an envelope, a byte at a time',
    (text) =>
      byteByByte(
        messageParser(() => undefined),
        text,
      ),
  ],
  [
    'a stream, a byte at a time',
    (text) =>
      byteByByte(
        streamingParser(() => undefined),
        text,
      ),
  ],
];

function byteByByte(parser: { write: (bytes: Uint8Array) => void }, text: string): void {
  for (const byte of new TextEncoder().encode(text)) parser.write(Uint8Array.of(byte));
}

/** How long it takes to read the text; that it is refused is what other specs are about. */
function millisecondsFor(read: (text: string) => unknown, text: string): number {
  const started = performance.now();
  try {
    read(text);
  } catch {
    // What is thrown for it was thrown in time.
  }
  return performance.now() - started;
}

describe('Hostile texts', () => {
  const LENGTH = 20_000;
  const PUMPS = [
    ' ',
    '\n',
    '\r\n',
    '--x',
    '--x\r\n',
    '-',
    '<',
    '<a',
    '<a>',
    '<!--',
    '<?xml ',
    '&amp;',
    'a',
    'a: b\r\n',
  ];
  const MORE = [
    ',',
    ', ',
    ';',
    '=',
    '"',
    '\\',
    '%',
    '%41',
    '?',
    '@',
    '/',
    '.',
    'HTTP/1',
    '1',
    '\uFEFF',
    '[',
    '{"a":',
  ];
  const STARTS = ['', '<', '--x\r\n\r\nHTTP/1.1 200 OK\r\n', 'sip:a@b'];
  for (const [name, read] of readers) {
    it(`should take time by their length, and not by its square: ${name}`, () => {
      for (const pump of [...PUMPS, ...MORE]) {
        for (const start of STARTS) {
          const timeFor = (length: number): number =>
            millisecondsFor(read, start + pump.repeat(length / pump.length));
          // Four times as long takes four times, or by its square sixteen times.
          const isSlow = (): boolean => {
            const ms = timeFor(LENGTH);
            return ms > 100 && ms > 8 * timeFor(LENGTH / 4);
          };
          expect(isSlow() && isSlow() && isSlow(), JSON.stringify([start, pump])).to.equal(false);
        }
      }
    });
  }
});
