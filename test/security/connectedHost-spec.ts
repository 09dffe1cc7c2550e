import { expect } from 'chai';
import fc from 'fast-check';
import { createRequire } from 'node:module';
import http from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import { parse } from 'node:url';
import { lastValueFrom, materialize, toArray } from 'rxjs';
import { OriginError } from '../../lib/core/errors.ts';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { allowedHosts } from '../../lib/core/hosts.ts';
import { httpUrl } from '../../lib/core/httpUrl.ts';
import { caseCount } from '../support/random/caseCount.ts';

const RUNS = Number(process.env['URLS'] ?? caseCount(2000, 100_000));

/** Characters that parsers of URLs read in different ways. */
const odd = fc.constantFrom(
  ...Array.from('/\\?#@:;.,\'"`{}|^~!$&()*+=[]<>%-_ \t\n\u3002\uFF0F\uFF1A\u00AD\u2028'),
  ...[
    '//',
    '%2f',
    '%40',
    '%00',
    '..',
    'xn--',
    '\\\\',
    '@evil.test',
    ';.',
    ':443',
    ':80',
    '0x7f.1',
    '[::1]',
    'ß',
  ],
);
const plain = fc.constantFrom(
  'evil.test',
  'contoso.com',
  'mail.contoso.com',
  '127.0.0.1',
  'a',
  'b-c',
  '1',
  '.',
);
const urls = fc
  .tuple(
    fc.constantFrom('https://', 'http://', 'https:', 'HTTPS:\\\\', 'https:///', '//', 'ftp://', ''),
    fc.array(fc.oneof({ weight: 3, arbitrary: plain }, { weight: 2, arbitrary: odd }), { maxLength: 6 }),
    fc.constantFrom('', '/', '/path?query', '?q', '#f'),
  )
  .map(([scheme, parts, end]) => scheme + parts.join('') + end);

/** Returns the host and port that were checked for a request, or undefined if it must not be sent. */
function checked(url: string): string | undefined {
  const read = httpUrl(url);
  if (read === undefined) return undefined;
  const port = read.port === '' ? (read.protocol === 'https:' ? '443' : '80') : read.port;
  return `${read.hostname.replace(/^\[|\]$/g, '')} ${port}`;
}

interface ConnectOptions {
  readonly host?: string;
  readonly hostname?: string;
  readonly port?: number | string;
}

/** Sends a request, and resolves when it ends. */
async function send(transport: ReturnType<typeof fetchTransport>, url: string): Promise<unknown> {
  const notes = await lastValueFrom(transport({ method: 'GET', url }).pipe(materialize(), toArray()));
  return notes[0]?.error;
}

describe('The connected host', () => {
  let connected: string[] = [];
  const seams: (() => void)[] = [];

  /** Makes a function record the targets of the connections that it opens, and fail. */
  const watch = (owner: object, name: string): void => {
    const original: unknown = Reflect.get(owner, name);
    Reflect.set(owner, name, (options: ConnectOptions) => {
      connected.push(`${options.host ?? options.hostname ?? ''} ${String(options.port ?? '')}`);
      const socket = new Socket();
      queueMicrotask(() => socket.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })));
      return socket;
    });
    seams.push(() => Reflect.set(owner, name, original));
  };

  beforeEach(() => {
    connected = [];
  });

  afterEach(() => {
    for (const restore of seams.splice(0)) restore();
  });

  it(`is the checked host for ${RUNS} random URLs and the default transport`, async function () {
    this.timeout(300_000);
    watch(http.Agent.prototype, 'createConnection');
    watch(https.Agent.prototype, 'createConnection');
    const transport = fetchTransport();
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(urls, async (url) => {
        connected = [];
        const error = await send(transport, url);
        const host = checked(url);
        expect(connected).to.deep.equal(host === undefined ? [] : [host]);
        expect(error instanceof OriginError).to.equal(host === undefined);
        if (host !== undefined) sent += 1;
      }),
      { numRuns: RUNS },
    );
    expect(sent).to.be.above(RUNS / 20);
  });

  it(`is the same in ${RUNS} random URLs for an injected fetch`, async function () {
    this.timeout(300_000);
    const given: string[] = [];
    const transport = fetchTransport((url) => {
      given.push(url);
      return Promise.reject(new Error('refused'));
    });
    await fc.assert(
      fc.asyncProperty(urls, async (url) => {
        given.length = 0;
        await send(transport, url);
        const host = checked(url);
        const [sent] = given;
        expect(sent === undefined).to.equal(host === undefined);
        if (sent === undefined || host === undefined) return;
        const read = new URL(sent);
        const [hostname = ''] = host.split(' ');
        expect(read.hostname.replace(/^\[|\]$/g, '')).to.equal(hostname);
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the parser that disagrees
        const legacy = parse(sent);
        expect(legacy.hostname).to.equal(hostname);
        expect(legacy.port ?? '').to.equal(read.port);
        expect(legacy.auth).to.equal(null);
        const [, authority] = /^https?:\/\/([^/?#]*)/.exec(sent) ?? [];
        expect(authority).to.equal(read.host);
      }),
      { numRuns: RUNS },
    );
  });

  it('is the checked host for the global fetch', async function () {
    this.timeout(60_000);
    const require = createRequire(import.meta.url);
    watch(require('node:net') as object, 'connect');
    watch(require('node:tls') as object, 'connect');
    const transport = fetchTransport(fetch);
    await fc.assert(
      fc.asyncProperty(urls, async (url) => {
        connected = [];
        await send(transport, url);
        const host = checked(url);
        if (host === undefined) expect(connected).to.deep.equal([]);
        else for (const one of connected) expect(one.split(' ')[0]).to.equal(host.split(' ')[0]);
      }),
      { numRuns: 300 },
    );
  });

  it('is within the domain for random URLs that a host rule allows', () => {
    const isAllowed = allowedHosts(['contoso.com']);
    let allowed = 0;
    fc.assert(
      fc.property(urls, (url) => {
        if (!isAllowed(url)) return;
        allowed += 1;
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the parser that disagrees
        const { hostname, protocol } = parse(new URL(url).href);
        expect(protocol).to.equal('https:');
        expect(hostname).to.match(/^(?:.*\.)?contoso\.com$/);
      }),
      { numRuns: RUNS },
    );
    expect(allowed).to.be.above(RUNS / 100);
  });
});
