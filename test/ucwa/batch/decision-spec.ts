import { expect } from 'chai';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import {
  type BatchDecision,
  batchKey,
  decideBatch,
  isOverloaded,
  mayTravelTogether,
} from '../../../lib/ucwa/batch/decision.ts';

const POOL = 'https://pool.example/ucwa/v1/applications';
const LINK = `${POOL}/192/batch`;
const GONE = '{"code":"NotFound","subcode":"ApplicationNotFound"}';

describe('decideBatch', () => {
  const cases: readonly [status: number, text: string, decision: BatchDecision][] = [
    [200, '', 'read'],
    [207, '', 'read'],
    [413, '', 'halve'],
    [429, '{"code":"TooManyRequests"}', 'halve'],
    [503, '', 'halve'],
    [401, '', 'share'],
    [403, '{"code":"Forbidden","subcode":"InvalidToken"}', 'share'],
    [407, '', 'share'],
    [408, '', 'share'],
    [410, '{"code":"Gone","subcode":"CannotRedirect"}', 'share'],
    [404, GONE, 'share'],
    [404, '{"code":"NotFound"}', 'alone'],
    [404, '<html>', 'alone'],
    [400, '{"code":"BadRequest"}', 'alone'],
    [405, '', 'alone'],
    [409, '', 'alone'],
    [415, '', 'alone'],
    [501, '', 'alone'],
    [500, '', 'share'],
    [502, '', 'share'],
    [504, '', 'share'],
    [302, '', 'share'],
    [0, '', 'share'],
  ];
  for (const [status, text, decision] of cases) {
    it(`decides on ${status} ${text}: ${decision}`, () =>
      expect(decideBatch(status, text)).to.equal(decision));
  }

  it('passes a long Retry-After on to the requests', () => {
    expect(decideBatch(429, '', 300_000)).to.equal('halve');
    expect(decideBatch(429, '', 300_001)).to.equal('share');
    expect(decideBatch(503, '', 3_600_000)).to.equal('share');
  });
});

describe('isOverloaded', () => {
  it('is true if the server refused for lack of capacity', () => {
    expect([200, 401, 404, 413, 429, 500, 503].filter(isOverloaded)).to.deep.equal([413, 429, 503]);
  });
});

describe('mayTravelTogether', () => {
  const cases: readonly [name: string, request: Partial<HttpRequest>, expected: boolean][] = [
    ['a release', { method: 'DELETE', url: `${POOL}/192/people/presenceSubscriptions/a1` }, true],
    ['a creation', { method: 'POST', url: `${POOL}/192/people/presenceSubscriptions` }, true],
    ['a read', { url: `${POOL}/192/people/sara@contoso.com/presence` }, true],
    ['a resource of another application on the same server', { url: `${POOL}/7/me` }, true],
    [
      'contacts that are called events or photo',
      { url: `${POOL}/192/people/events@photo.example/note` },
      true,
    ],
    ['the event channel', { url: `${POOL}/192/events?ack=1&timeout=180` }, false],
    ['the event channel in capitals', { url: `${POOL}/192/Events?ack=1` }, false],
    ['a photo', { url: `${POOL}/192/photos/sara@contoso.com` }, false],
    ['the own photo', { url: `${POOL}/192/me/photo` }, false],
    ['a batch', { method: 'POST', url: LINK }, false],
    ['the batch of another application', { method: 'POST', url: `${POOL}/7/batch` }, false],
    ['the application itself', { method: 'DELETE', url: `${POOL}/192` }, false],
    ['the application itself, with a slash', { url: `${POOL}/192/?a=b` }, false],
    ['the applications link', { method: 'POST', url: POOL }, false],
    ['the root of the server', { url: 'https://pool.example/' }, false],
    ['another host', { url: 'https://evil.example/ucwa/v1/applications/192/me' }, false],
    ['another port', { url: 'https://pool.example:444/ucwa/v1/applications/192/me' }, false],
    ['no URL', { url: '/ucwa/v1/applications/192/me' }, false],
    ['headers that would break out of their part', { headers: { a: 'b\r\n\r\nDELETE / HTTP/1.1' } }, false],
  ];
  for (const [name, request, expected] of cases) {
    it(`is ${expected} for ${name}`, () =>
      expect(mayTravelTogether({ method: 'GET', url: `${POOL}/192/me`, ...request }, LINK)).to.equal(
        expected,
      ));
  }

  it('is false for any batch link and for an invalid link', () => {
    expect(mayTravelTogether({ method: 'POST', url: `${POOL}/192/b2?x=1` }, `${POOL}/192/b2`)).to.equal(
      false,
    );
    expect(mayTravelTogether({ method: 'GET', url: `${POOL}/192/me` }, '/192/batch')).to.equal(false);
  });
});

describe('batchKey', () => {
  const request: HttpRequest = {
    method: 'GET',
    url: `${POOL}/192/me`,
    headers: { authorization: 'Bearer a' },
  };

  it('is the same for requests that may share a batch', () => {
    expect(batchKey({ ...request, method: 'DELETE', keepalive: true }, LINK)).to.equal(
      batchKey(request, LINK),
    );
  });

  it('differs by authorization, by credentials and by link', () => {
    const others = [
      batchKey({ ...request, headers: { authorization: 'Bearer b' } }, LINK),
      batchKey({ ...request, headers: {} }, LINK),
      batchKey({ ...request, credentials: 'include' }, LINK),
      batchKey(request, `${POOL}/7/batch`),
      batchKey(request, LINK),
    ];
    expect(new Set(others).size).to.equal(others.length);
  });
});
